package suite

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

var raiseAndReadCheck = Check{
	Name:    "raise-and-read",
	Asserts: "A raised event is delivered with its class, pool, EID and time; it decodes, encodes to the same bytes, and prints.",
	Source:  "module/zfs/fm.c (zfs_zevent_post), module/nvpair/nvpair.c (native encoding), cmd/zpool (zpool events -v)",
	run: func(p *probe) error {
		raised, found, err := p.raiseAndDeliver(1)
		if err != nil {
			return err
		}
		if err := wantIdentity(found[0], raised[0]); err != nil {
			return err
		}
		for _, e := range p.events {
			if err := errors.Join(wantRoundTrip(e), wantPrintable(e)); err != nil {
				return fmt.Errorf("EID %d, class %q: %w", e.EID, e.Class, err)
			}
		}
		return nil
	},
}

// raiseAndDeliver raises so many times, and returns of what is then delivered the event of each raise.
func (p *probe) raiseAndDeliver(times int) (raised []Raised, found []zevent.Event, err error) {
	if raised, err = p.fill(times); err != nil {
		return nil, nil, err
	}
	if p.events, err = p.deliver(); err != nil {
		return nil, nil, err
	}
	found, err = match(raised, p.events)
	return raised, found, err
}

const orderRaises = 3

var orderCheck = Check{
	Name:    "order",
	Asserts: "Events raised one after another are delivered in that order with ascending EIDs; nothing is asserted of events that are posted at the same time.",
	Source:  "module/zfs/fm.c (zfs_zevent_post takes the EID before the lock, zfs_zevent_insert)",
	run: func(p *probe) error {
		_, found, err := p.raiseAndDeliver(orderRaises)
		if err != nil {
			return err
		}
		for i := 1; i < len(found); i++ {
			if found[i].EID <= found[i-1].EID {
				return fmt.Errorf("raise %d has EID %d, want more than EID %d of the raise before", i+1, found[i].EID, found[i-1].EID)
			}
		}
		return nil
	},
}

// tinyBytes is a buffer that no event fits: an empty nvlist takes 16 bytes.
const tinyBytes = 16

var smallBufferCheck = Check{
	Name:    "small-buffer",
	Asserts: "NEXT into 16 bytes answers ENOMEM with the size of the event, and NEXT into exactly that size delivers the same event.",
	Source:  "module/zfs/fm.c (zfs_zevent_next leaves the cursor on ENOMEM), every release",
	run: func(p *probe) error {
		if _, err := p.fill(1); err != nil {
			return err
		}
		reference, err := p.open()
		if err != nil {
			return err
		}
		want, err := next(reference)
		if err != nil {
			return err
		}
		d, err := p.open()
		if err != nil {
			return err
		}
		_, _, err = d.Next(make([]byte, tinyBytes), zevent.Nonblock)
		var small *zevent.BufferTooSmallError
		if !errors.As(err, &small) {
			return fmt.Errorf("NEXT into %d bytes: got error %v, want ENOMEM", tinyBytes, err)
		}
		if small.NeedBytes != uint64(len(want.Raw)) {
			return fmt.Errorf("NEXT into %d bytes asks for %d bytes, want %d", tinyBytes, small.NeedBytes, len(want.Raw))
		}
		buf := make([]byte, small.NeedBytes)
		n, _, err := d.Next(buf, zevent.Nonblock)
		if err != nil {
			return fmt.Errorf("NEXT into the %d bytes that it asked for: %w", small.NeedBytes, err)
		}
		if !bytes.Equal(buf[:n], want.Raw) {
			return fmt.Errorf("NEXT after ENOMEM delivered another event than the one that did not fit (EID %d)", want.EID)
		}
		return nil
	},
}

// match finds each raise among the delivered events, in order.
func match(raised []Raised, delivered []zevent.Event) ([]zevent.Event, error) {
	var found []zevent.Event
	for _, e := range delivered {
		if len(found) == len(raised) {
			break
		}
		if want := raised[len(found)]; e.Class == want.Class && e.Pool == want.Pool {
			found = append(found, e)
		}
	}
	if n := len(found); n < len(raised) {
		return nil, fmt.Errorf("raise %d of %d: no event of class %q and pool %q came in its place among the %d delivered: %s",
			n+1, len(raised), raised[n].Class, raised[n].Pool, len(delivered), classes(delivered))
	}
	return found, nil
}

func classes(events []zevent.Event) string {
	const most = 10
	var names []string
	for _, e := range events[:min(len(events), most)] {
		names = append(names, fmt.Sprintf("%q of pool %q", e.Class, e.Pool))
	}
	if len(events) > most {
		names = append(names, "...")
	}
	return strings.Join(names, ", ")
}

func wantIdentity(e zevent.Event, want Raised) error {
	switch {
	case e.EID == 0:
		return fmt.Errorf("event of class %q has EID 0, want 1 or more", e.Class)
	case want.EID != 0 && e.EID != want.EID:
		return fmt.Errorf("event of class %q has EID %d, want %d", e.Class, e.EID, want.EID)
	case e.Time.Before(want.NotBefore) || e.Time.After(want.NotAfter):
		return fmt.Errorf("EID %d has time %v, want %v to %v", e.EID, e.Time, want.NotBefore.UTC(), want.NotAfter.UTC())
	}
	return nil
}

func wantRoundTrip(e zevent.Event) error {
	header, err := nvlist.ParseHeader(e.Raw)
	if err != nil {
		return err
	}
	again, err := nvlist.Encode(e.Pairs, header)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, e.Raw) {
		return fmt.Errorf("its %d bytes decode and encode to %d other bytes", len(e.Raw), len(again))
	}
	return nil
}

// wantPrintable wants one line at least for each pair, beside that of the
// class.
func wantPrintable(e zevent.Event) error {
	var b strings.Builder
	if err := (zevent.TextFormat{Verbose: true}).WriteEvent(&b, e); err != nil {
		return err
	}
	if lines := strings.Count(b.String(), "\n"); lines < 2+len(e.Pairs.Pairs) {
		return fmt.Errorf("prints as %d lines, want %d at least", lines, 2+len(e.Pairs.Pairs))
	}
	return nil
}
