package prototype

import (
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/object"
	"github.com/kmodaudit/kmodaudit/stackcheck/x86"
)

// step is one instruction.
type step struct {
	*flow
	*state
	span *object.Span
	at   int
	i    x86.Instruction
	code []byte
}

// do changes the state as the instruction does, and reports whether the next one follows.
func (s *step) do() bool {
	i := &s.i
	switch {
	case i.IsRelative():
		return s.branch()
	case i.IsPlain(0xff) && (i.Reg == 2 || i.Reg == 4):
		s.through(s.operand())
		return i.Reg == 2
	case i.IsPlain(0xc3), i.IsPlain(0xc2), i.IsPlain(0xcb), i.IsPlain(0xcf), i.IsPlain(0xcc), i.IsPlain(0xf4), i.Map == 1 && !i.Vector && i.Opcode == 0x0b:
		return false // RET, IRET, INT3, HLT, UD2
	case i.Vector:
	case i.Map == 0:
		s.plain()
	case i.Map == 1:
		s.second()
	default:
		s.forget()
	}
	return true
}

// branch does a call or a jump whose target the instruction has.
func (s *step) branch() bool {
	i := &s.i
	t := s.span.Target(s.at, *i, i.Immediate, i.ImmediateBytes)
	isCall := i.IsPlain(0xe8)
	if register, ok := s.file.Thunk(t); ok {
		v := value{}
		if register >= 0 {
			v = s.registers[register]
		}
		s.through(v)
		return isCall || !s.isJump()
	}
	if isCall {
		if p, ok := s.placeOf(t); ok && p != (place{}) { // a call of the next instruction, to know where it is
			s.forget()
			return true
		}
		if s.isTracing(t) {
			return true
		}
		s.call()
		if fn := s.types.function(t); fn != nil {
			s.registers[rax] = pointerValue(fn.complete().elem)
		}
		return true
	}
	if p, ok := s.placeOf(t); ok {
		s.arrive(p, s.state)
	}
	return !s.isJump()
}

// isJump reports whether a jump is always taken.
func (s *step) isJump() bool { return s.i.IsPlain(0xe9) || s.i.IsPlain(0xeb) }

// isTracing tells what a function calls at its begin: it changes no register, and is mostly patched out.
func (s *step) isTracing(t object.Target) bool {
	name := t.Symbol
	if i, ok := s.file.Index(t.Address); ok && name == "" {
		name = s.file.Functions()[i].Symbol
	}
	return name == "__fentry__" || strings.HasSuffix(name, "mcount")
}

// through notes a call or a jump through a pointer, and does the call.
func (s *step) through(v value) {
	at := object.Address{Section: s.span.Start.Section, Offset: s.span.Start.Offset + uint64(s.at)}
	fn := (*ctype)(nil)
	if v.to != nil && v.to.kind == function && v.offset == 0 {
		fn = v.to
	}
	s.pointer[at] = fn
	s.call()
	if fn != nil {
		s.registers[rax] = pointerValue(fn.complete().elem)
	}
}

// wide reports whether the operands have 64 bits.
func (s *step) wide() bool { return s.i.REX&x86.REXW != 0 }

// rm is the register that rm of ModRM names, and opcodeRegister that in the opcode.
func (s *step) rm() int { return int(s.i.RM) | int(s.i.REX&x86.REXB)<<3 }

func (s *step) opcodeRegister() int { return int(s.i.Opcode&7) | int(s.i.REX&x86.REXB)<<3 }

func (s *step) set(register int, v value) { s.registers[register] = v }

// copy is set for a value that is somewhere else too: if it is an address in the frame, that is known from then on, but for the
// frame pointer's.
func (s *step) copy(register int, v value) {
	if v.frame && register != rbp && register != rsp {
		s.escape(v.offset)
	}
	s.set(register, v)
}

// setRM puts a value where rm says.
func (s *step) setRM(v value) {
	if s.i.Mode == 3 {
		s.set(s.rm(), v)
		return
	}
	switch at, scale := s.address(); {
	case at.frame && scale == 0:
		s.store(at.offset, s.operandBytes(), v)
	case at.frame: // anywhere from there on
		s.slots = slices.DeleteFunc(s.slots, func(each slot) bool { return each.offset >= at.offset })
	}
}

// operandBytes is how wide an operand in memory is, of an instruction of one byte that has one.
func (s *step) operandBytes() int64 {
	switch {
	case s.i.Map == 0 && s.i.Opcode&1 == 0:
		return 1
	case s.wide():
		return pointerBytes
	case s.i.Word:
		return 2
	case s.i.Map == 0:
		return 4
	}
	return pointerBytes
}

// operand is the value of 64 bits that rm tells.
func (s *step) operand() value {
	if s.i.Mode == 3 {
		return s.registers[s.rm()]
	}
	at, scale := s.address()
	if at.frame {
		if scale > 0 {
			return value{}
		}
		if v := s.read(at.offset); v.isKnown() {
			return v
		}
		return pointerValue(s.frame[at.offset])
	}
	return at.load(scale)
}

// address is where an operand in memory lies, but for an index, and by what that is multiplied; 0 for no index.
func (s *step) address() (at value, scale int) {
	i := &s.i
	displacement := x86.Signed(s.code[i.Displacement:][:i.DisplacementBytes])
	if i.IsOfPC() {
		return s.placed(s.span.Target(s.at, *i, i.Displacement, i.DisplacementBytes)), 0
	}
	base := s.rm()
	if i.RM == 4 {
		const rexX = 1 << 1
		base = int(i.SIB&7) | int(i.REX&x86.REXB)<<3
		if i.SIB>>3&7 != 4 || i.REX&rexX != 0 {
			scale = 1 << (i.SIB >> 6)
		}
		if i.Mode == 0 && i.SIB&7 == 5 { // no base
			t, _ := s.span.Named(s.at, i.Displacement, i.DisplacementBytes)
			return s.placed(t), scale
		}
	}
	if i.DisplacementBytes == 4 {
		if t, ok := s.span.Named(s.at, i.Displacement, 0); ok { // an array by its address, and a register with the index
			return s.placed(t), max(scale, 1)
		}
	}
	return s.registers[base].plus(displacement), scale
}

// placed is the address of a variable or a function.
func (s *step) placed(t object.Target) value {
	if fn := s.types.function(t); fn != nil {
		return value{to: fn}
	}
	if of, offset := s.types.variable(t); of != nil {
		return value{to: of, offset: offset}
	}
	return value{}
}

// plain does an instruction of one byte.
func (s *step) plain() {
	i := &s.i
	switch op := i.Opcode; {
	case op == 0x8b && s.wide(): // MOV
		s.copy(i.Register(), s.operand())
	case op == 0x89 && s.wide() && i.Mode == 3:
		s.copy(s.rm(), s.registers[i.Register()])
	case op == 0x89 && s.wide():
		s.setRM(s.registers[i.Register()])
	case op == 0x8d && s.wide(): // LEA
		at, scale := s.address()
		if at.frame && scale > 0 {
			s.escape(at.offset)
			at = value{}
		}
		s.copy(i.Register(), at)
	case op>>3 == 0x50>>3: // PUSH
		v := s.registers[s.opcodeRegister()]
		s.push(v)
	case op == 0x68, op == 0x6a:
		s.push(value{})
	case op == 0xff && i.Reg == 6:
		s.push(s.operand())
	case op>>3 == 0x58>>3: // POP
		s.set(s.opcodeRegister(), s.pop())
	case op == 0xc9: // LEAVE
		s.set(rsp, s.registers[rbp])
		s.set(rbp, s.pop())
	case op>>3 == 0xb8>>3, op == 0xc7 && i.Reg == 0: // MOV of a number, which may be an address
		v := value{}
		if t, ok := s.span.Named(s.at, i.Immediate, i.ImmediateBytes); ok && i.ImmediateBytes >= 4 {
			v = s.placed(t)
		}
		if op == 0xc7 {
			s.setRM(v)
		} else {
			s.set(s.opcodeRegister(), v)
		}
	case (op == 0x81 || op == 0x83) && s.wide() && (i.Reg == 0 || i.Reg == 5): // ADD, SUB
		n := x86.Signed(s.code[i.Immediate:][:i.ImmediateBytes])
		if i.Reg == 5 {
			n = -n
		}
		if i.Mode == 3 {
			s.set(s.rm(), s.registers[s.rm()].plus(n))
		} else {
			s.setRM(value{})
		}
	case op == 0x01 && s.wide() && i.Mode == 3, op == 0x03 && s.wide(): // ADD of an index, which goes through an array
		to, from := s.rm(), s.registers[i.Register()]
		if op == 0x03 {
			to, from = i.Register(), s.operand()
		}
		if v := s.registers[to]; v.frame || from.frame || v.isKnown() && from.isKnown() {
			s.set(to, value{})
		} else if from.isKnown() {
			s.set(to, from)
		}
	case op == 0x38, op == 0x39, op == 0x3a, op == 0x3b, op == 0x3c, op == 0x3d, op == 0x84, op == 0x85, op == 0xa8, op == 0xa9, op == 0x90 && i.REX&x86.REXB == 0,
		(op == 0x80 || op == 0x81 || op == 0x83) && i.Reg == 7, (op == 0xf6 || op == 0xf7) && i.Reg < 2: // CMP, TEST, NOP
	case op == 0x98: // CDQE
		s.set(rax, value{})
	case op == 0x99: // CQO
		s.set(rdx, value{})
	case op == 0xf6 || op == 0xf7: // NOT, NEG, MUL, DIV
		s.set(rax, value{})
		s.set(rdx, value{})
		s.setRM(value{})
	case op == 0x86 || op == 0x87: // XCHG
		s.set(i.Register(), value{})
		s.setRM(value{})
	default:
		s.writes()
	}
}

// second does an instruction behind 0F.
func (s *step) second() {
	i := &s.i
	switch op := i.Opcode; {
	case op>>4 == 4: // CMOV
		if v := s.operand(); !s.wide() || !v.same(s.registers[i.Register()]) {
			s.set(i.Register(), value{})
		}
	case op == 0xb0 || op == 0xb1: // CMPXCHG
		s.set(rax, value{})
		s.setRM(value{})
	case op == 0xc0 || op == 0xc1: // XADD
		s.set(i.Register(), value{})
		s.setRM(value{})
	case op == 0xba && i.Reg == 4: // BT
	default:
		s.writes()
	}
}

// writes forgets what an instruction writes that does nothing else to values.
func (s *step) writes() {
	reg, rm, ok := s.i.Writes()
	if !ok {
		s.forget()
		return
	}
	if reg {
		s.set(s.i.Register(), value{})
	}
	if rm {
		s.setRM(value{})
	}
}

// forget does an instruction that is not known: it leaves the stack pointer, and what calls leave.
func (s *step) forget() {
	s.call()
	s.set(3, value{}) // CPUID and the like
	if s.i.HasRM {
		s.set(s.i.Register(), value{})
		if s.i.Mode == 3 {
			s.set(s.rm(), value{})
		}
	}
}

func (s *step) push(v value) {
	at := s.registers[rsp].plus(-8)
	s.set(rsp, at)
	if at.frame {
		s.store(at.offset, pointerBytes, v)
	}
}

func (s *step) pop() value {
	at := s.registers[rsp]
	s.set(rsp, at.plus(8))
	if !at.frame {
		return value{}
	}
	return s.read(at.offset)
}
