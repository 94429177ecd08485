package zevent

import "slices"

// EIDRange is one run of EIDs.
type EIDRange struct{ First, Last uint64 }

// Events is how many EIDs the range has.
func (r EIDRange) Events() uint64 { return r.Last - r.First + 1 }

// Gaps follows the EIDs that a reader is given and tells which it was not
// given. The kernel's dropped count does not tell that, as the package comment
// says.
//
// The events of a gap were evicted or cleared before they were read, or took an
// EID and could not be queued (longer than [MaxEventBytes], or no memory). A
// gap may also close: an EID is taken before the event is queued, so that of two
// that are posted at the same time the later one may be delivered first. Such
// a gap closes by the time that the queue has been read empty, unless the
// poster was held up in between; judge gaps then.
//
// The zero Gaps is ready, and takes the first EID that it is given for its start.
type Gaps struct {
	highest   uint64
	ranges    []EIDRange // ascending
	forgotten uint64     // EIDs of ranges that are not kept
}

// maxGaps bounds the ranges that are kept: many times what posts at the same
// time can leave open.
const maxGaps = 1024

// Deliver notes an EID. One that is no news is passed over: a reader that
// seeks back is given events again.
func (g *Gaps) Deliver(eid uint64) {
	switch {
	case eid == 0:
	case g.highest == 0:
		g.highest = eid
	case eid > g.highest:
		if eid-g.highest > 1 {
			g.ranges = append(g.ranges, EIDRange{g.highest + 1, eid - 1})
		}
		g.highest = eid
	default:
		g.fill(eid)
	}
	if len(g.ranges) > maxGaps {
		g.forgotten += g.ranges[0].Events()
		g.ranges = slices.Delete(g.ranges, 0, 1)
	}
}

func (g *Gaps) fill(eid uint64) {
	i, _ := slices.BinarySearchFunc(g.ranges, eid, func(r EIDRange, eid uint64) int {
		if r.Last < eid {
			return -1
		}
		return 1
	})
	if i == len(g.ranges) || g.ranges[i].First > eid {
		return
	}
	r := g.ranges[i]
	var rest []EIDRange
	if r.First < eid {
		rest = append(rest, EIDRange{r.First, eid - 1})
	}
	if eid < r.Last {
		rest = append(rest, EIDRange{eid + 1, r.Last})
	}
	g.ranges = slices.Replace(g.ranges, i, i+1, rest...)
}

// Highest is the highest EID delivered, 0 before the first.
func (g *Gaps) Highest() uint64 { return g.highest }

// Ranges returns the newest gaps, at most 1024, in ascending order. The caller
// must not change them.
func (g *Gaps) Ranges() []EIDRange { return g.ranges }

// Events is how many EIDs below the highest were not delivered.
func (g *Gaps) Events() uint64 {
	events := g.forgotten
	for _, r := range g.ranges {
		events += r.Events()
	}
	return events
}
