package emulator

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// Prepared is an event that is packed but for its time and EID, to be posted
// many times: packing takes most of the time of a post.
type Prepared struct {
	list        nvlist.List // without time and eid
	packed      []byte      // of it
	class, pool string
}

// Prepare packs a list. An error names the pair that cannot be packed.
func Prepare(l nvlist.List) (Prepared, error) {
	p := Prepared{list: nvlist.List{Flags: l.Flags, Pairs: make([]nvlist.Pair, 0, len(l.Pairs)+2)}}
	for _, pair := range l.Pairs {
		if pair.Name != "time" && pair.Name != "eid" { // which a post replaces
			p.list.Pairs = append(p.list.Pairs, pair)
		}
	}
	p.class, _ = p.list.LookupString("class")
	p.pool, _ = p.list.LookupString("pool")
	var err error
	if p.packed, err = nvlist.Encode(p.list, nvlist.Host()); err != nil {
		return Prepared{}, fmt.Errorf("posting an event of class %q: %w", p.class, err)
	}
	return p, nil
}

var errUnprepared = errors.New("posting a prepared event: it was not prepared; use Prepare")

// PostPrepared is Post of the list that was prepared. It returns the EID.
func (q *Queue) PostPrepared(p Prepared) (eid uint64, err error) {
	if p.packed == nil {
		return 0, errUnprepared
	}
	now := q.now()
	eid = q.lastEID.Add(1)
	if err := q.checkLength(eid, p.bytes()); err != nil {
		return eid, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	raw := p.appendStamped(q.spare[:0], now, eid)
	q.spare = nil
	q.insertLocked(queued{eid: eid, raw: raw, own: true})
	return eid, nil
}

func (q *Queue) post(p Prepared) (zevent.Event, error) {
	now := q.now()
	e := zevent.Event{
		EID: q.lastEID.Add(1), Time: time.Unix(now.Unix(), int64(now.Nanosecond())).UTC(),
		Class: p.class, Pool: p.pool,
	}
	e.Raw = p.appendStamped(make([]byte, 0, p.bytes()), now, e.EID)
	e.Pairs = nvlist.List{Flags: p.list.Flags, Pairs: append(p.list.Pairs, stamps(now, e.EID)...)}
	return e, q.insert(e.EID, e.Raw)
}

func stamps(now time.Time, eid uint64) []nvlist.Pair {
	return []nvlist.Pair{
		{Name: "time", Type: nvlist.Int64Array, Value: []int64{now.Unix(), int64(now.Nanosecond())}},
		{Name: "eid", Type: nvlist.Uint64, Value: eid},
	}
}

// What stands at the end of a packed event, and where the values are in it.
// The pairs are aligned to their own start, so that they may stand anywhere.
const (
	streamHeadBytes = 12 // before the first pair
	listEndBytes    = 4
	secondsAt       = 24
	nanosecondsAt   = 32
	eidAt           = 64
)

var stampTail = sync.OnceValue(func() []byte {
	packed, err := nvlist.Encode(nvlist.New(stamps(time.Unix(0, 0), 0)...), nvlist.Host())
	if err != nil {
		panic(err)
	}
	return packed[streamHeadBytes:]
})

// bytes is how long the event is with time and EID.
func (p Prepared) bytes() int { return len(p.packed) - listEndBytes + len(stampTail()) }

// appendStamped appends the packed event with time and EID.
func (p Prepared) appendStamped(b []byte, now time.Time, eid uint64) []byte {
	b = append(b, p.packed[:len(p.packed)-listEndBytes]...)
	stamps := stampTail()
	b = append(b, stamps...)
	tail := b[len(b)-len(stamps):]
	binary.NativeEndian.PutUint64(tail[secondsAt:], uint64(now.Unix()))
	binary.NativeEndian.PutUint64(tail[nanosecondsAt:], uint64(now.Nanosecond()))
	binary.NativeEndian.PutUint64(tail[eidAt:], eid)
	return b
}
