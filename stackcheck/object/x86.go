package object

import (
	"debug/elf"

	"github.com/kmodaudit/kmodaudit/stackcheck/x86"
)

// recent is how many instructions after a pointer was loaded it is believed to be the one that is called.
const recent = 8

// loads remembers where registers were loaded from.
type loads struct {
	slots [16]Slot
	when  [16]int // number of the instruction, from 1
	now   int
}

// of returns where a register was loaded from, if that was just now.
func (l *loads) of(register int) Slot {
	if register < 0 || l.when[register] == 0 || l.now-l.when[register] > recent {
		return Slot{}
	}
	return l.slots[register]
}

// x86 goes through code of x86-64.
func (w *walk) x86(code []byte) (whole bool) {
	for at := 0; at < len(code); {
		i, ok := x86.Decode(code[at:])
		if !ok {
			return false
		}
		w.loads.now++
		w.x86Instruction(code, at, i)
		at += i.Size
	}
	return true
}

func (w *walk) x86Instruction(code []byte, at int, i x86.Instruction) {
	switch {
	case i.IsRelative():
		kind := Jump
		if i.IsPlain(0xe8) {
			kind = Call
		}
		w.branch(at, kind, w.x86Target(code, at, i.Immediate, i.ImmediateBytes, i.Size))
		if kind == Call { // no pointer stays in a register that a call may change
			w.loads = loads{}
		}
	case i.IsPlain(0xff) && i.Reg == 2:
		w.visit(Reference{At: w.address(at), Kind: CallPointer, Slot: w.pointerSlot(code, at, i)})
	case i.IsPlain(0xff) && i.Reg == 4:
		if !i.NoTrack && !isByIndex(i) { // of a switch
			w.visit(Reference{At: w.address(at), Kind: JumpPointer, Slot: w.pointerSlot(code, at, i)})
		}
	case i.IsPlain(0x8b) && i.Mode != 3 && i.REX&x86.REXW != 0: // MOV
		w.loads.slots[i.Register()], w.loads.when[i.Register()] = w.memorySlot(code, at, i), w.loads.now
	case i.IsPlain(0x8d) && i.IsOfPC(): // LEA
		w.take(at, w.x86Target(code, at, i.Displacement, i.DisplacementBytes, i.Size))
	case i.ImmediateBytes >= 4 && takesImmediate(i):
		if r := w.relocation(at + i.Immediate); r != nil {
			w.take(at, w.target(r, 0))
		} else if w.code.file.Linked {
			w.take(at, Target{Address: Address{Offset: uint64(x86.Signed(code[at+i.Immediate:][:i.ImmediateBytes]))}})
		}
	}
}

// takesImmediate reports whether an instruction puts its immediate operand somewhere: MOV or PUSH.
func takesImmediate(i x86.Instruction) bool {
	return !i.Vector && i.Map == 0 && (i.Opcode>>3 == 0xb8>>3 || i.Opcode == 0xc7 || i.Opcode == 0x68)
}

// take tells of an address of code. Others are not told: there are too many.
func (w *walk) take(at int, t Target) {
	if t.Symbol == "" {
		if _, ok := w.code.file.Index(t.Address); !ok {
			return
		}
	}
	w.visit(Reference{At: w.address(at), Kind: Take, Target: t})
}

// x86Target returns the place at a distance from the end of an instruction.
func (w *walk) x86Target(code []byte, at, field, bytes, size int) Target {
	if r := w.relocation(at + field); r != nil {
		offset := int64(0)
		if isRelativeToField(r.kind) {
			offset = int64(size - field) // the distance counts from the next instruction
		}
		return w.target(r, offset)
	}
	distance := x86.Signed(code[at+field:][:bytes])
	return Target{Address: Address{w.start.Section, w.start.Offset + uint64(at+size) + uint64(distance)}}
}

func isRelativeToField(kind uint32) bool {
	switch elf.R_X86_64(kind) {
	case elf.R_X86_64_PC8, elf.R_X86_64_PC16, elf.R_X86_64_PC32, elf.R_X86_64_PC64, elf.R_X86_64_PLT32:
		return true
	}
	return false
}

// isByIndex reports whether an operand in memory has no base but an index: an entry of a table.
func isByIndex(i x86.Instruction) bool {
	return i.Mode == 0 && i.RM == 4 && i.SIB&7 == 5 && i.SIB>>3&7 != 4
}

// pointerSlot returns where the pointer of a call or jump comes from.
func (w *walk) pointerSlot(code []byte, at int, i x86.Instruction) Slot {
	if i.Mode == 3 {
		return w.loads.of(int(i.RM | i.REX&x86.REXB<<3))
	}
	return w.memorySlot(code, at, i)
}

// memorySlot returns the place of an operand in memory.
func (w *walk) memorySlot(code []byte, at int, i x86.Instruction) Slot {
	switch {
	case i.IsOfPC():
		return Slot{Known: true, Fixed: true, Target: w.x86Target(code, at, i.Displacement, i.DisplacementBytes, i.Size)}
	case i.Mode == 0 && i.RM == 4 && i.SIB&7 == 5 && i.SIB>>3&7 == 4: // an absolute place
		if r := w.relocation(at + i.Displacement); r != nil {
			return Slot{Known: true, Fixed: true, Target: w.target(r, 0)}
		}
		return Slot{Known: true, Fixed: true, Target: Target{Address: Address{Offset: uint64(x86.Signed(code[at+i.Displacement:][:i.DisplacementBytes]))}}}
	case isByIndex(i), i.RM == 4 && i.SIB>>3&7 != 4: // an array's
		return Slot{}
	}
	if w.relocation(at+i.Displacement) != nil { // a table that is told by its address, with an index in the register
		return Slot{}
	}
	return Slot{Known: true, Offset: x86.Signed(code[at+i.Displacement:][:i.DisplacementBytes])}
}
