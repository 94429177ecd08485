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

// known are the pairs that every reader wants.
var known = []nvlist.Want{
	{Name: "class", Type: nvlist.String}, {Name: "eid", Type: nvlist.Uint64}, {Name: "time", Type: nvlist.Int64Array}, {Name: "pool", Type: nvlist.String},
}

// Parse checks a packed event. It refuses what [Decode] refuses, with the same
// errors, and then returns a View of what could be read, at least Dropped.
func Parse(raw []byte, dropped uint64) (View, error) {
	v := View{Dropped: dropped}
	var found [4]nvlist.PairView
	var err error
	if v.Pairs, err = nvlist.ParseLookup(raw, known, found[:]); err != nil {
		return v, fmt.Errorf("decoding event of %d bytes: %w", len(raw), err)
	}
	class, eid, moment, pool := &found[0], &found[1], &found[2], &found[3]
	v.Pool, _ = pool.Bytes()
	var ok bool
	if v.Class, ok = class.Bytes(); !ok {
		return v, fmt.Errorf("decoding event of %d bytes: no string named class", len(raw))
	}
	if v.EID, ok = eid.Uint(0); !ok {
		return v, fmt.Errorf("decoding event of class %q: no uint64 named eid", v.Class)
	}
	if moment.Len() != 2 {
		return v, fmt.Errorf("decoding event of class %q: no int64[2] named time", v.Class)
	}
	seconds, _ := moment.Int(0)
	nanoseconds, _ := moment.Int(1)
	v.Time = time.Unix(seconds, nanoseconds).UTC()
	return v, nil
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
	pool, _ := v.Pairs.Lookup("pool", nvlist.String)
	v.Pool, _ = pool.Bytes()
	return v
}
