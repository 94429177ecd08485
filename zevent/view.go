package zevent

import (
	"fmt"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// View is an event read in place, for a reader of millions: nothing is
// allocated for it. It holds as long as the bytes that it is of do not change.
type View struct {
	EID     uint64
	Time    time.Time // in UTC
	Class   []byte
	Pool    []byte // nil in events of no pool, which one called "" is not
	Dropped uint64
	Pairs   nvlist.View
}

// Parse checks a packed event. It refuses what [Decode] refuses, with the same
// errors, and then returns a View of what could be read, at least Dropped.
func Parse(raw []byte, dropped uint64) (View, error) {
	v := View{Dropped: dropped}
	var err error
	if v.Pairs, err = nvlist.Parse(raw); err != nil {
		return v, fmt.Errorf("decoding event of %d bytes: %w", len(raw), err)
	}
	var known knownPairs
	known.find(v.Pairs)
	v.Pool, _ = known.pool.Bytes()
	var ok bool
	if v.Class, ok = known.class.Bytes(); !ok {
		return v, fmt.Errorf("decoding event of %d bytes: no string named class", len(raw))
	}
	if v.EID, ok = known.eid.Uint(0); !ok {
		return v, fmt.Errorf("decoding event of class %q: no uint64 named eid", v.Class)
	}
	if known.time.Len() != 2 {
		return v, fmt.Errorf("decoding event of class %q: no int64[2] named time", v.Class)
	}
	seconds, _ := known.time.Int(0)
	nanoseconds, _ := known.time.Int(1)
	v.Time = time.Unix(seconds, nanoseconds).UTC()
	return v, nil
}

// knownPairs are those that every reader wants; the zero one is not there.
type knownPairs struct{ class, eid, pool, time nvlist.PairView }

// find does what [nvlist.View.Lookup] does, for four names at once.
func (known *knownPairs) find(list nvlist.View) {
	unique := list.Flags()&nvlist.UniqueName != 0
	for name, p := range list.Named("class", "eid", "pool", "time") {
		at, want := &known.class, nvlist.String
		switch name {
		case 1:
			at, want = &known.eid, nvlist.Uint64
		case 2:
			at = &known.pool
		case 3:
			at, want = &known.time, nvlist.Int64Array
		}
		switch {
		case p.Type() == want:
			*at = *p
		case unique:
			*at = nvlist.PairView{}
		}
	}
}

// view is a View of Raw. For an Event that was made without Raw the pairs are
// packed; what cannot be packed has none.
func (e Event) view() View {
	raw := e.Raw
	if raw == nil {
		raw, _ = nvlist.Encode(e.Pairs, nvlist.Host())
	}
	v := View{EID: e.EID, Time: e.Time, Class: []byte(e.Class), Dropped: e.Dropped}
	v.Pairs, _ = nvlist.Parse(raw)
	var known knownPairs
	known.find(v.Pairs)
	v.Pool, _ = known.pool.Bytes()
	return v
}
