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
	raw     raw
}

// Address is where the code begins that the row tells of.
func (r Row) Address() object.Address {
	return object.Address{Section: int(r.section), Offset: r.offset}
}

func (r *Row) setAddress(a object.Address) { r.section, r.offset = uint16(a.Section), a.Offset }

// A Base is what the CFA is told by.
type Base uint8

const (
	Undefined Base = iota // nothing is known
	SP
	BP
	OtherBase // another register, or a word in memory
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
	case BP, OtherBase: // the stack pointer is not above the frame pointer
		bytes = int(r.Offset)
	}
	switch r.Kind {
	case Regs:
		bytes += regsBytes
	case RegsPartial:
		bytes += partialBytes
	}
	return max(bytes, 0), exact, true
}

// raw is what a row says of its kind, as it stands in the file: 4 bits ORC_REG_ and 3 bits ORC_TYPE_.
type raw struct{ register, types uint8 }

// noRegister is ORC_REG_UNDEFINED, and lastRegister the largest number that any kernel gave.
const (
	noRegister   = 0
	lastRegister = 10
)

// A layout is one of those that a row had, all of which begin with s16 offset, s16 offset of BP, 4 bits register, and 4 bits that of BP.
type layout struct {
	// Then there are 3 bits type (undefined, end of the stack, call, registers, part of them) and a flag. From Linux 4.14 to 6.3 there were 2 bits
	// type (call, registers, part of them) and flags.
	since64 bool
	// The registers have another order: 3 is SP, and was DI; 5 is DI, and was SP.
	since72 bool
}

// ORC_REG_SP, as it was and is, and ORC_REG_BP.
const (
	spUntil71 = 5
	spSince72 = 3
	bp        = 4
)

// A census tells the layout from the rows. Nearly every row is a call's, whose type was 0 and became 2; what has type 0 now tells no
// register. Every function begins with rows that tell by SP, while DI is one that only the kernel's entry code tells by.
type census struct{ types0, types2, register5, register3 int }

func (c *census) count(r raw) {
	switch {
	case r.register == noRegister:
	case r.types == 0:
		c.types0++
	case r.types == 2:
		c.types2++
	}
	switch r.register {
	case spUntil71:
		c.register5++
	case spSince72:
		c.register3++
	}
}

func (c *census) layout() layout {
	return layout{since64: c.types2 > c.types0, since72: c.register3 > c.register5}
}

func (l layout) kind(r raw) Kind {
	switch {
	case !l.since64:
		return Kind(r.types & 3) // 3 is none, and Unknown
	case r.types >= 2 && r.types <= 4:
		return Kind(r.types - 2)
	}
	return Unknown
}

func (l layout) base(r raw) Base {
	sp := uint8(spUntil71)
	if l.since72 {
		sp = spSince72
	}
	switch r.register {
	case noRegister:
		return Undefined
	case sp:
		return SP
	case bp:
		return BP
	}
	return OtherBase
}
