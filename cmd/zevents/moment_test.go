package main

import (
	"testing"
	"time"
)

func TestMoment(t *testing.T) {
	zone := time.FixedZone("", 2*60*60)
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, zone)
	for text, want := range map[string]string{
		"2026-11-22T06:12:20Z":               "2026-11-22T06:12:20Z",
		"2026-11-22T06:12:20.25-05:00":       "2026-11-22T11:12:20.25Z",
		"2026-11-22T06:12:20":                "2026-11-22T04:12:20Z",
		"2026-11-22 06:12:20.000000001":      "2026-11-22T04:12:20.000000001Z",
		"2026-11-22 06:12":                   "2026-11-22T04:12:00Z",
		"2026-11-22T06:12":                   "2026-11-22T04:12:00Z",
		"2026-11-22":                         "2026-11-21T22:00:00Z",
		"Nov 22 2026 06:12:20.736000000":     "2026-11-22T04:12:20.736Z",
		"Nov  2 2026 06:12:20":               "2026-11-02T04:12:20Z",
		"Nov 2 2026 06:12:20":                "2026-11-02T04:12:20Z",
		"1h30m":                              "2026-11-28T08:30:00Z",
		"0s":                                 "2026-11-28T10:00:00Z",
		"":                                   "",
		"today":                              "",
		"2026-13-01":                         "",
		"2026-11-22T06:12:20.":               "",
		"-1h":                                "",
		"90":                                 "",
		"2026-11-22T06:12:20Z and then some": "",
	} {
		var got time.Time
		m := moment{&got, zone, func() time.Time { return now }}
		err := m.Set(text)
		switch {
		case want == "" && (err == nil || !got.IsZero()):
			t.Errorf("%q is %v, %v; want an error", text, got, err)
		case want != "" && (err != nil || got.UTC().Format(time.RFC3339Nano) != want):
			t.Errorf("%q is %v, %v; want %s", text, got.UTC(), err, want)
		}
	}
}
