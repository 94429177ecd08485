package callgraph

// Options are what is known of a program beside its units, and what is to be made of what is not known.
type Options struct {
	NoReturn      []string       // symbols of functions that do not return, beside NoReturn
	External      map[string]int // bytes of what no unit defines, or only the kernel, by symbol: with all that it calls
	ExternalBytes int            // of all other external functions; 0 when nothing is assumed of them
	Turns         map[string]int // how often the cycle goes round that the function is in, by symbol, from 1
	Indirect      Policy         // what calls through pointers lead to
}

// A Policy says what a call through a pointer is taken to lead to.
type Policy string

const (
	// NoCallee: nothing. The path ends there and is a lower bound.
	NoCallee Policy = "none"

	// BySlot: the functions that data holds at the same offset, as far as the instructions before the call tell from
	// which offset of a structure the pointer was loaded; or that the very field holds, if they tell it. Functions that only code
	// puts into a structure, and structures within others, are not found, and functions of other kinds of structures are
	// among those found: the path stays a lower bound, of which the verdict says how many calls are matched.
	BySlot Policy = "slot"

	// ByPrototype: the functions of the units whose address is taken and that have the very prototype of the pointer, where
	// Unit.SetPrototypes has told both. The path is an upper bound as far as these calls go, if no pointer was cast and the units are all
	// that there is; what is not known of others keeps it a lower one, so that the verdict counts the calls as matched.
	ByPrototype Policy = "prototype"

	// AnyTaken: every function whose address is taken, by data or by code. The path is an upper bound as far as these
	// go, if the units are all that there is; all that calls through pointers becomes one cycle.
	AnyTaken Policy = "any"
)

// matches reports whether calls lead to some functions, by what is known of their pointers.
func (p Policy) matches() bool { return p == BySlot || p == ByPrototype }

// Policies are all.
var Policies = []Policy{NoCallee, BySlot, ByPrototype, AnyTaken}
