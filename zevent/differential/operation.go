package differential

import (
	"fmt"
	"math/rand/v2"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// Kind is what an operation does.
type Kind int

// The kinds. Those that need a descriptor are no operation where none is open.
const (
	Open           Kind = iota
	Dup                 // of a descriptor
	Close               // a descriptor
	Next                // with Nonblock, into a buffer of the Size
	NextWait            // the same without Nonblock, by a caller that is interrupted as soon as it sleeps
	SeekStart           // of the cursor of a descriptor
	SeekEnd             // of the cursor of a descriptor
	SeekEvent           // to the EID of the Argument-th event of the sequence, which may be gone
	SeekUnknown         // to an EID that was never posted
	Clear               // by a descriptor
	Post                // an event
	SetQueueEvents      // zfs_zevent_len_max to Argument
)

// weights are how often each kind is drawn.
var weights = [...]int{
	Open: 4, Dup: 2, Close: 2, Next: 34, NextWait: 6, SeekStart: 4, SeekEnd: 4, SeekEvent: 6, SeekUnknown: 1,
	Clear: 2, Post: 30, SetQueueEvents: 5,
}

// Size is that of the buffer of a Next.
type Size int

// The sizes, in terms of the event that was posted last.
const (
	Whole    Size = iota // as long as any event
	Exact                // as long as that event
	OneShort             // a byte less
	Tiny                 // 16 bytes, which hold no event
	Nothing              // no buffer
)

// Operation is one call.
type Operation struct {
	Kind       Kind
	Descriptor int // of those open, in the order of their opening, modulo their number
	Argument   int // see Kind
	Size       Size
}

var (
	kindNames = [...]string{"open", "dup", "close", "next", "next that waits", "seek to the start", "seek to the end", "seek to event", "seek to an unknown EID", "clear", "post", "set zfs_zevent_len_max to"}
	sizeNames = [...]string{"a buffer for any event", "a buffer for the last event", "a byte less than the last event", "16 bytes", "no buffer"}
)

func (o Operation) String() string {
	switch text := kindNames[o.Kind]; o.Kind {
	case Open, Post:
		return text
	case SetQueueEvents:
		return fmt.Sprintf("%s %d", text, o.Argument)
	case SeekEvent:
		return fmt.Sprintf("%s %d of the sequence, by descriptor %d", text, o.Argument, o.Descriptor)
	case Next, NextWait:
		return fmt.Sprintf("%s into %s, by descriptor %d", text, sizeNames[o.Size], o.Descriptor)
	default:
		return fmt.Sprintf("%s, by descriptor %d", text, o.Descriptor)
	}
}

const (
	maxDescriptors = 4
	maxQueueEvents = 6 // a queue that short evicts often
	maxSeekEvents  = 24
)

// draw returns a sequence of n operations.
func draw(random *rand.Rand, n int) []Operation {
	sequence := make([]Operation, n)
	for i := range sequence {
		sequence[i] = Operation{
			Kind:       drawKind(random),
			Descriptor: random.IntN(maxDescriptors),
			Size:       Size(random.IntN(2 * len(sizeNames))),
		}
		switch o := &sequence[i]; o.Kind {
		case SeekEvent:
			o.Argument = random.IntN(maxSeekEvents)
		case SetQueueEvents:
			o.Argument = random.IntN(maxQueueEvents + 1)
		}
		if int(sequence[i].Size) >= len(sizeNames) { // half of the reads are to succeed
			sequence[i].Size = Whole
		}
	}
	if n > 0 {
		sequence[0] = Operation{Kind: Open}
	}
	return sequence
}

func drawKind(random *rand.Rand) Kind {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	at := random.IntN(sum)
	for kind, w := range weights {
		if at -= w; at < 0 {
			return Kind(kind)
		}
	}
	return Next
}

// bytes is the size of a buffer, beside a last event of so many bytes.
func (s Size) bytes(last int) int {
	switch s {
	case Exact:
		return last
	case OneShort:
		return max(last-1, 0)
	case Tiny:
		return 16
	case Nothing:
		return 0
	}
	return zevent.MaxEventBytes
}
