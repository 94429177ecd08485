package zevent

import (
	"fmt"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// Event is one event as delivered to one reader.
type Event struct {
	EID     uint64    // pair eid
	Time    time.Time // pair time, in UTC
	Class   string    // pair class, such as ereport.fs.zfs.checksum
	Pool    string    // pair pool; empty in events of no pool
	Dropped uint64    // see the package comment: not a count of lost events
	Raw     []byte    // the packed nvlist, as the kernel returned it
	Pairs   nvlist.List
}

// Decode reads a packed event. On an error, which wraps a
// [*nvlist.DecodeError] or names the pair that the module always posts and
// this event lacks, the Event holds what could be read, at least Raw.
// Raw is the caller's slice, not a copy.
func Decode(raw []byte, dropped uint64) (Event, error) {
	e := Event{Raw: raw, Dropped: dropped}
	var err error
	if e.Pairs, err = nvlist.Decode(raw); err != nil {
		return e, fmt.Errorf("decoding event of %d bytes: %w", len(raw), err)
	}
	e.Pool, _ = e.Pairs.LookupString("pool")
	var ok bool
	if e.Class, ok = e.Pairs.LookupString("class"); !ok {
		return e, fmt.Errorf("decoding event of %d bytes: no string named class", len(raw))
	}
	if e.EID, ok = e.Pairs.LookupUint64("eid"); !ok {
		return e, fmt.Errorf("decoding event of class %q: no uint64 named eid", e.Class)
	}
	t, ok := e.Pairs.LookupInt64Array("time")
	if !ok || len(t) != 2 {
		return e, fmt.Errorf("decoding event of class %q: no int64[2] named time", e.Class)
	}
	e.Time = time.Unix(t[0], t[1]).UTC()
	return e, nil
}
