package main

import (
	"errors"
	"time"
)

// moment is the value of a flag that takes a point in time.
type moment struct {
	time *time.Time
	zone *time.Location // of a time that names none
	now  func() time.Time
}

// momentLayouts are how times are written by who passes them on: zpool events prints the second, journalctl and people the others.
var momentLayouts = []string{
	time.RFC3339,
	"Jan _2 2006 15:04:05",
	"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly,
}

// Set takes a time, with any fraction of a second, or how long ago it was.
func (m moment) Set(text string) error {
	for _, layout := range momentLayouts {
		if t, err := time.ParseInLocation(layout, text, m.zone); err == nil {
			*m.time = t
			return nil
		}
	}
	ago, err := time.ParseDuration(text)
	if err != nil || ago < 0 {
		return errors.New(`want a time such as 2026-11-22, "2026-11-22 06:12:20", 2026-11-22T06:12:20Z or "Nov 22 2026 06:12:20.5", or how long ago it was, such as 1h30m`)
	}
	*m.time = m.now().Add(-ago)
	return nil
}

func (m moment) String() string {
	if m.time == nil || m.time.IsZero() {
		return ""
	}
	return m.time.Format(time.RFC3339Nano)
}

// Type is what help calls the value.
func (m moment) Type() string { return "time" }
