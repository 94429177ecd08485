package orc

import (
	"cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/x86"
)

// x86Instructions are those of x86-64.
type x86Instructions struct {
	x86.Instruction
	code []byte // of the instruction
}

func (i *x86Instructions) decode(code []byte) (size int, ok bool) {
	i.Instruction, ok = x86.Decode(code)
	i.code = code[:i.Size]
	return i.Size, ok
}

func (i *x86Instructions) goesOn(w *follower, s spot) bool {
	switch {
	case i.IsPlain(0xc3), i.IsPlain(0xc2), i.IsPlain(0xcb), i.IsPlain(0xcf), i.IsPlain(0xcc), i.IsPlain(0xf4): // RET, IRET, INT3, HLT
		return false
	case i.IsPlain(0xff) && (i.Reg == 4 || i.Reg == 5): // JMP by a pointer: out of the function, or by the table of a switch
		w.inexact = true
		return false
	case !i.IsRelative():
		return true
	}
	target := w.pieces[s.piece].Target(s.at, i.Instruction, i.Immediate, i.ImmediateBytes)
	if i.IsPlain(0xe8) { // CALL
		return w.comesBack(s, target)
	}
	if target.Symbol == "" {
		w.branch(target.Address, s.depth)
	}
	return !i.IsPlain(0xe9) && !i.IsPlain(0xeb) // JMP
}

// isFilling tells INT3, NOP, UD1, UD2, and RET behind a call that does not come back.
func (i *x86Instructions) isFilling() bool {
	return i.IsPlain(0xcc) || i.IsPlain(0x90) || i.IsPlain(0xc3) || i.Map == 1 && (i.Opcode == 0x1f || i.Opcode == 0xb9 || i.Opcode == 0x0b)
}

func (i *x86Instructions) after(w *follower, s spot) int {
	const sp, bp = 4, 5
	depth := s.depth
	registers := i.HasRM && i.Mode == 3 && i.REX&x86.REXW != 0 && i.REX&(x86.REXB|x86.REXR) == 0
	from, to := i.Reg, i.RM
	if i.IsPlain(0x8b) {
		from, to = i.RM, i.Reg
	}
	move := registers && (i.IsPlain(0x89) || i.IsPlain(0x8b))
	switch {
	case move && from == sp && to == bp:
		w.frame = cmp.Or(w.frame, depth)
		return depth
	case move && from == bp && to == sp && w.frame > 0:
		return w.frame
	case i.IsPlain(0xc9) && w.frame > 0: // LEAVE
		return w.frame - 8
	case i.IsPlain(0x8d) && i.Register() == sp && i.REX&x86.REXB == 0 && i.Mode != 0 && i.RM == bp && w.frame > 0: // LEA of the frame pointer
		return w.frame - int(x86.Signed(i.code[i.Displacement:][:i.DisplacementBytes]))
	case i.IsPlain(0x8d) && i.Register() == sp && i.REX&x86.REXB == 0 && i.Mode != 0 && i.RM == 4 && i.SIB == 0x24: // LEA of the stack pointer
		return depth - int(x86.Signed(i.code[i.Displacement:][:i.DisplacementBytes]))
	case i.IsPlain(0x9c): // PUSHF
		return depth + 8
	case i.IsPlain(0x9d): // POPF
		return depth - 8
	}
	pushed, ok := i.Pushed(i.code)
	if !ok && i.mayMove() || i.Alignment(i.code) > 0 {
		w.inexact = true
	}
	return depth + pushed
}

// mayMove reports whether an instruction of which it is not told moves the stack pointer to where only run time knows. Those that package x86 does not tell
// of work on vectors, on ports and on strings; of the others XCHG and ENTER could.
func (i *x86Instructions) mayMove() bool {
	if i.IsRelative() || i.Map == 0 && i.HasRM && i.Opcode&1 == 0 && i.Opcode < 0x8c { // the latter is of bytes, of which AH has the stack pointer's number
		return false
	}
	if _, _, told := i.Writes(); told {
		return i.Opcode != 0xf6 // TEST of a byte
	}
	const sp = 4
	exchange := i.IsPlain(0x87) && i.Mode == 3 && (i.Register() == sp || i.RM == sp && i.REX&x86.REXB == 0) || i.IsPlain(0x90+sp) && i.REX&x86.REXB == 0
	return exchange || i.IsPlain(0xc8)
}
