package differential

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// Difference is an operation that the two queues answered differently.
type Difference struct {
	Seed           uint64
	Sequence       []Operation // shrunk; the last is the one
	Real, Emulated Outcome
}

func (d *Difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: the module and the emulator differ after %d operations:\n", d.Seed, len(d.Sequence))
	for i, o := range d.Sequence {
		fmt.Fprintf(&b, "  %2d. %v\n", i+1, o)
	}
	fmt.Fprintf(&b, "  module:   %v\n  emulator: %v", d.Real, d.Emulated)
	return b.String()
}

// sequenceOperations is the length of a sequence: enough to evict and clear
// under several cursors, and to shrink in short time.
const sequenceOperations = 64

// Run runs n random operations on both queues, in sequences, and returns the
// first difference, nil if there is none. It clears the queues and changes
// zfs_zevent_len_max, and sets that back; nobody else may post meanwhile, or
// the error is [ErrDisturbed]. An error that an operation answers is an
// outcome; that of Run says why it could not go on.
func Run(ctx context.Context, seed uint64, n int, real Real, emulated Emulated) (found *Difference, err error) {
	realEvents, err := real.SetQueueEvents(maxQueueEvents)
	if err != nil {
		return nil, err
	}
	defer func() {
		_, restoring := real.SetQueueEvents(realEvents)
		err = errors.Join(err, restoring)
	}()
	random := rand.New(rand.NewPCG(seed, 0))
	for n > 0 {
		sequence := draw(random, min(n, sequenceOperations))
		n -= len(sequence)
		d, err := compare(ctx, real, emulated, sequence)
		if err != nil {
			return nil, err
		}
		if d != nil {
			d.Seed = seed
			return shrink(d, func(sequence []Operation) (*Difference, error) {
				return compare(ctx, real, emulated, sequence)
			}), nil
		}
	}
	return nil, nil
}

// ErrDisturbed: an event came that no operation posted.
var ErrDisturbed = errors.New("an event was posted by another than the test; run it where no pool is in use")

// disturbances is how often a sequence is run again because of others' events:
// a new pool posts some while it settles.
const disturbances = 5

// compare runs a sequence, and returns the first difference with the
// operations up to it.
func compare(ctx context.Context, real Real, emulated Emulated, sequence []Operation) (d *Difference, err error) {
	for range disturbances {
		if d, err = compareOnce(ctx, real, emulated, sequence); !errors.Is(err, ErrDisturbed) {
			break
		}
	}
	return d, err
}

func compareOnce(ctx context.Context, real Real, emulated Emulated, sequence []Operation) (_ *Difference, err error) {
	c := &comparison{real: real, emulated: emulated}
	defer func() { err = errors.Join(err, c.end()) }()
	if err := c.begin(); err != nil {
		return nil, err
	}
	for i, o := range sequence {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("comparing event queues: %w", context.Cause(ctx))
		}
		r, e, err := c.do(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("comparing event queues: operation %d, %v: %w", i+1, o, err)
		}
		if !r.equal(e) {
			return &Difference{Sequence: sequence[:i+1], Real: r, Emulated: e}, nil
		}
	}
	return nil, nil
}

// comparison is one sequence under way.
type comparison struct {
	real     Real
	emulated Emulated
	watch    zevent.Device  // of the real queue
	seen     []zevent.Event // by the watch, since begin
	lastEID  uint64         // of the event that the watch read last, or passed in begin
	pairs    []pair
}

// pair is the same descriptor on both sides.
type pair struct{ real, emulated Descriptor }

// begin empties both queues and makes them equally long.
func (c *comparison) begin() error {
	watch, err := c.real.Open()
	if err != nil {
		return err
	}
	c.watch = watch
	other, err := c.emulated.Open()
	if err != nil {
		return err
	}
	_, clearing := other.Clear()
	if err := errors.Join(clearing, other.Close()); err != nil {
		return fmt.Errorf("clearing the emulated queue: %w", err)
	}
	if _, err := c.watch.Clear(); err != nil {
		return err
	}
	return c.setQueueEvents(maxQueueEvents)
}

func (c *comparison) setQueueEvents(n int) error {
	_, real := c.real.SetQueueEvents(n)
	_, emulated := c.emulated.SetQueueEvents(n)
	return errors.Join(real, emulated)
}

func (c *comparison) end() error {
	var errs []error
	for _, p := range c.pairs {
		errs = append(errs, p.real.Close(), p.emulated.Close())
	}
	if c.watch != nil {
		errs = append(errs, c.watch.Close())
	}
	return errors.Join(errs...)
}

// repeat has the emulated queue post what was posted in the real one since the
// last call, and returns how many that were. An event that the watch did not see
// was evicted before anybody could, and has changed nothing that it did not
// change by the event that came after it; a queue of 0 events that is empty
// shows none at all.
func (c *comparison) repeat() (events int, err error) {
	client := zevent.NewClient(c.watch)
	for {
		e, err := client.Next()
		if errors.Is(err, zevent.ErrEmpty) {
			return events, nil
		}
		if err != nil {
			return events, fmt.Errorf("watching the module: %w", err)
		}
		if e.EID <= c.lastEID {
			continue // the watch's own event was evicted, so it begins at the oldest again
		}
		if err := c.emulated.PostRecorded(e); err != nil {
			return events, err
		}
		c.seen, c.lastEID = append(c.seen, e), e.EID
		events++
	}
}

// do runs an operation on both sides, the real one first.
func (c *comparison) do(ctx context.Context, o Operation) (real, emulated Outcome, err error) {
	if o.Kind == Post {
		if err := c.real.Post(ctx); err != nil {
			return real, emulated, err
		}
		_, err := c.repeat()
		return real, emulated, err
	}
	if o.Kind == SetQueueEvents {
		return real, emulated, c.setQueueEvents(o.Argument)
	}
	before, err := c.repeat()
	if err != nil {
		return real, emulated, err
	}
	real, emulated, err = c.call(o)
	if err != nil {
		return real, emulated, err
	}
	after, err := c.repeat()
	if err == nil && before+after > 0 {
		err = ErrDisturbed
	}
	return real, emulated, err
}

func (c *comparison) call(o Operation) (real, emulated Outcome, err error) {
	if o.Kind == Open {
		return real, emulated, c.open()
	}
	if len(c.pairs) == 0 {
		return real, emulated, nil
	}
	at := o.Descriptor % len(c.pairs)
	p := c.pairs[at]
	switch o.Kind {
	case Dup:
		return real, emulated, c.dup(p)
	case Close:
		c.pairs = slices.Delete(c.pairs, at, at+1)
		return failed(p.real.Close()), failed(p.emulated.Close()), nil
	}
	return c.on(p.real, o), c.on(p.emulated, o), nil
}

func (c *comparison) open() error {
	if len(c.pairs) == maxDescriptors {
		return nil
	}
	real, err := c.real.Open()
	if err != nil {
		return err
	}
	emulated, err := c.emulated.Open()
	if err != nil {
		return errors.Join(err, real.Close())
	}
	c.pairs = append(c.pairs, pair{real, emulated})
	return nil
}

func (c *comparison) dup(p pair) error {
	if len(c.pairs) == maxDescriptors {
		return nil
	}
	real, err := duplicate(p.real)
	if err != nil {
		return err
	}
	emulated, err := duplicate(p.emulated)
	if err != nil {
		return errors.Join(err, real.Close())
	}
	c.pairs = append(c.pairs, pair{real, emulated})
	return nil
}

func duplicate(d Descriptor) (Descriptor, error) {
	second, err := d.Dup()
	if err != nil {
		return nil, err
	}
	twin, ok := second.(Descriptor)
	if !ok {
		return nil, errors.Join(fmt.Errorf("a duplicate of a %T is a %T, which cannot wait or be duplicated", d, second), second.Close())
	}
	return twin, nil
}

// neverEID is an EID that no module reaches; the highest one means the end.
const neverEID = math.MaxUint64 - 1

// on calls one side.
func (c *comparison) on(d Descriptor, o Operation) Outcome {
	switch o.Kind {
	case Next, NextWait:
		return c.next(d, o)
	case SeekStart:
		return failed(d.Seek(zevent.SeekStart))
	case SeekEnd:
		return failed(d.Seek(zevent.SeekEnd))
	case SeekUnknown:
		return failed(d.Seek(neverEID))
	case SeekEvent:
		eid := uint64(neverEID)
		if len(c.seen) > 0 {
			eid = c.seen[o.Argument%len(c.seen)].EID
		}
		return failed(d.Seek(eid))
	case Clear:
		cleared, err := d.Clear()
		outcome := failed(err)
		outcome.Cleared = cleared
		return outcome
	}
	return Outcome{Err: fmt.Errorf("unknown operation %d", o.Kind)}
}

func (c *comparison) next(d Descriptor, o Operation) Outcome {
	last := 0
	if len(c.seen) > 0 {
		last = len(c.seen[len(c.seen)-1].Raw)
	}
	buf := make([]byte, o.Size.bytes(last))
	read := func() (int, uint64, error) { return d.Next(buf, zevent.Nonblock) }
	if o.Kind == NextWait {
		read = func() (int, uint64, error) { return d.NextWait(ended(), buf) }
	}
	n, dropped, err := read()
	outcome := failed(err)
	outcome.Dropped = dropped
	if err == nil {
		outcome.Bytes = buf[:n]
	}
	return outcome
}

// ended interrupts a wait at once.
var ended = sync.OnceValue(func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
})
