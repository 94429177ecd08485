package main

import (
	"strings"
	"testing"
	"time"
)

// The times are those that the C library of Debian 12 gives.
func TestLocalZone(t *testing.T) {
	paris := time.FixedZone("Europe/Paris", 3600)
	for _, test := range []struct {
		local  *time.Location
		tz     string
		summer string // 2026-07-01 at 12:00 UTC
		winter string // 2026-12-01
		warns  bool
	}{
		{paris, "Europe/Paris", "13:00", "13:00", false}, // the runtime's own
		{time.UTC, "", "12:00", "12:00", false},
		{time.UTC, "UTC", "12:00", "12:00", false},
		{time.UTC, ":UTC", "12:00", "12:00", false},
		{time.UTC, "UTC0", "12:00", "12:00", false},
		{time.UTC, "UTC-9", "21:00", "21:00", false},
		{time.UTC, "<+0330>-3:30", "15:30", "15:30", false},
		{time.UTC, "CET-1CEST,M3.5.0,M10.5.0/3", "14:00", "13:00", false},
		{time.UTC, "CET-1CEST", "14:00", "13:00", false},
		{time.UTC, "EST5EDT4,M11.1.0,M12.5.0", "07:00", "08:00", false},
		{time.UTC, "Nowhere/At_All", "12:00", "12:00", true},
		{time.UTC, "CET-1CEST,M3", "12:00", "12:00", true},
		{time.UTC, "A\nB", "12:00", "12:00", true},
	} {
		var stderr strings.Builder
		zone := localZone(test.local, test.tz, &stderr)
		clock := func(month time.Month) string {
			return time.Date(2026, month, 1, 12, 0, 0, 0, time.UTC).In(zone).Format("15:04")
		}
		if summer, winter := clock(time.July), clock(time.December); summer != test.summer || winter != test.winter {
			t.Errorf("TZ=%q: got %s and %s, want %s and %s", test.tz, summer, winter, test.summer, test.winter)
		}
		if warns := stderr.Len() > 0; warns != test.warns {
			t.Errorf("TZ=%q: said %q", test.tz, &stderr)
		}
	}
}
