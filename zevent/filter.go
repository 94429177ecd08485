package zevent

import (
	"fmt"
	"path"
	"time"
)

// Filter chooses events. The zero Filter passes all.
type Filter struct {
	Pool  string    // as zpool events POOL: an event passes that names no pool
	Class string    // pattern of [path.Match], such as ereport.*
	Since time.Time // from this time on
	Until time.Time // before this time
}

// Check returns an error if Class is not a pattern.
func (f Filter) Check() error {
	if _, err := path.Match(f.Class, ""); err != nil {
		return fmt.Errorf("class %q: %w; want a pattern such as ereport.fs.zfs.*", f.Class, err)
	}
	return nil
}

// Match reports whether an event passes. Check has returned nil.
func (f Filter) Match(e Event) bool { return f.MatchView(e.view()) }

// MatchView reports whether an event passes. Check has returned nil.
func (f Filter) MatchView(v View) bool {
	if f.Pool != "" && v.Pool != nil && string(v.Pool) != f.Pool {
		return false
	}
	if f.Class != "" {
		if matched, _ := path.Match(f.Class, string(v.Class)); !matched {
			return false
		}
	}
	return !v.Time.Before(f.Since) && (f.Until.IsZero() || v.Time.Before(f.Until))
}
