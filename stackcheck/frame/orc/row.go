package orc

import (
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// A Row tells how to find the CFA for the code from its address on.
type Row struct {
	offset  uint64 // of the address
	section uint16 // of the address: object.Open reads no more than that many
	Offset  int16
	Base    Base
	Kind    Kind
	types   uint8 // as it stands in the file
}

// Address is where the code begins that the row tells of.
func (r Row) Address() object.Address {
	return object.Address{Section: int(r.section), Offset: r.offset}
}

func (r *Row) setAddress(a object.Address) { r.section, r.offset = uint16(a.Section), a.Offset }

// A Base is the register that the CFA is told by, ORC_REG_ in the kernel.
type Base uint8

const (
	Undefined  Base = 0 // nothing is known
	BP         Base = 4
	SP         Base = 5
	SPIndirect Base = 9 // the largest there is: the word at that place
)

// A Kind tells what lies at the place that a row tells, ORC_TYPE_ in the kernel.
type Kind uint8

const (
	Call        Kind = iota // the CFA
	Regs                    // struct pt_regs
	RegsPartial             // the part of it that the processor pushes
	Unknown                 // nothing: code that is not known, or the end of the stack
)

// Bytes of the registers that an interrupt leaves on the stack (arch/x86/include/asm/ptrace.h): 21 of 8 bytes, of which
// the processor pushes 5.
const (
	regsBytes    = 21 * 8
	partialBytes = 5 * 8
)

const returnAddressBytes = frame.ReturnAddressBytes

// Depth returns the bytes from the CFA down to the stack pointer. When it is not exact, they are at least so many: the row
// tells by another register. A row that knows nothing has no depth.
func (r Row) Depth() (bytes int, exact, ok bool) {
	if r.Kind == Unknown || r.Base == Undefined {
		return 0, false, false
	}
	switch r.Base {
	case SP:
		bytes, exact = int(r.Offset), true
	case BP: // the stack pointer is not above the frame pointer
		bytes = int(r.Offset)
	}
	switch r.Kind {
	case Regs:
		bytes += regsBytes
	case RegsPartial:
		bytes += partialBytes
	default:
		bytes = max(bytes, returnAddressBytes)
	}
	return max(bytes, 0), exact, true
}

// A layout is one of the structures that a row had.
type layout int

const (
	// Linux 4.14 to 6.3: s16 offset, s16 offset of BP, 4 bits register, 4 bits that of BP, 2 bits type (call, registers,
	// part of them), flags.
	until63 layout = iota
	// since Linux 6.4: 3 bits type (undefined, end of the stack, call, registers, part of them), a flag.
	since64
)

// typesMask are the bits of a row's type in the layout that has more of them.
const typesMask = 7

// A census tells the layout from the rows' types: nearly every row is a call's, whose type was 0 and became 2. What has
// type 0 now tells no register.
type census struct{ old, new int }

func (c *census) count(base Base, types uint8) {
	switch {
	case base == Undefined:
	case types == 0:
		c.old++
	case types == 2:
		c.new++
	}
}

func (c *census) layout() layout {
	if c.new > c.old {
		return since64
	}
	return until63
}

func (l layout) kind(types uint8) Kind {
	if l == until63 {
		return Kind(types & 3) // 3 is none, and Unknown
	}
	if types >= 2 && types <= 4 {
		return Kind(types - 2)
	}
	return Unknown
}
