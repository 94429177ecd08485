// Package x86 takes instructions of x86-64 apart, as far as the stack and calls are concerned: how long they are, where their
// operands are in the code, and what they do to the stack pointer.
//
// Its tables are those of the Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, appendix A.
package x86

import "encoding/binary"

// Bits of a REX prefix.
const (
	REXB = 1 << 0 // extends rm, or the register of an opcode
	REXR = 1 << 2 // extends reg
	REXW = 1 << 3 // makes operands 64 bits wide
)

// Longest is how many bytes an instruction has at most.
const Longest = 15

// An Instruction is one taken apart.
type Instruction struct {
	Size    int  // in bytes
	Map     int  // of opcodes: 0 those of one byte, 1 after 0F, 2 after 0F 38, 3 after 0F 3A
	Vector  bool // has a VEX or EVEX prefix
	Opcode  byte
	REX     byte // prefix, see REXB and those after it; 0 for none
	Word    bool // has an operand size prefix
	NoTrack bool // has the prefix 3E, which marks jumps by a table
	HasRM   bool // has a ModRM byte
	Mode    byte // of ModRM, shifted down
	Reg, RM byte // of ModRM, without their bits in REX
	SIB     byte // if Mode and RM say so

	Displacement, DisplacementBytes int // where it is in the code, and how long
	Immediate, ImmediateBytes       int
}

// Decode takes the first instruction apart, if it is whole and known.
func Decode(code []byte) (i Instruction, ok bool) {
	code = code[:min(len(code), Longest)]
	at, ok := i.prefixes(code)
	if !ok {
		return i, false
	}
	if at, ok = i.readOpcode(code, at); !ok {
		return i, false
	}
	what := opcodeMaps[i.Map][i.Opcode]
	if what == 0 {
		return i, false
	}
	if i.Vector && !(i.Map == 1 && i.Opcode == 0x77) {
		what |= modRM
	}
	if what&modRM != 0 {
		if at, ok = i.operand(code, at); !ok {
			return i, false
		}
	}
	i.Immediate, i.ImmediateBytes = at, i.operandBytes(what)
	i.Size = at + i.ImmediateBytes
	return i, i.Size <= len(code)
}

func (i *Instruction) prefixes(code []byte) (at int, ok bool) {
	for ; at < len(code); at++ {
		switch code[at] {
		case 0x26, 0x2e, 0x36, 0x64, 0x65, 0x67, 0xf0, 0xf2, 0xf3:
		case 0x3e:
			i.NoTrack = true
		case 0x66:
			i.Word = true
		default:
			if code[at]>>4 == 4 {
				i.REX = code[at]
				at++
			}
			return at, at < len(code)
		}
	}
	return at, false
}

// readOpcode reads the opcode, and the VEX or EVEX prefix that it may have.
func (i *Instruction) readOpcode(code []byte, at int) (next int, ok bool) {
	escaped := func(n int) bool { return at+n < len(code) }
	switch b := code[at]; {
	case b == 0xc5 && escaped(2):
		i.Vector, i.Map = true, 1
		at += 2
	case b == 0xc4 && escaped(3):
		i.Vector, i.Map = true, int(code[at+1]&0x1f)
		at += 3
	case b == 0x62 && escaped(4):
		i.Vector, i.Map = true, int(code[at+1]&7)
		at += 4
	case b == 0x0f && escaped(2) && (code[at+1] == 0x38 || code[at+1] == 0x3a):
		i.Map = 2 + int(code[at+1]>>1&1)
		at += 2
	case b == 0x0f && escaped(1):
		i.Map = 1
		at++
	case b == 0x0f || b == 0xc4 || b == 0xc5 || b == 0x62:
		return at, false
	}
	if i.Vector && (i.Map < 1 || i.Map > 3) {
		return at, false
	}
	i.Opcode = code[at]
	return at + 1, true
}

// operand reads a ModRM byte and what belongs to it.
func (i *Instruction) operand(code []byte, at int) (next int, ok bool) {
	if at >= len(code) {
		return at, false
	}
	i.HasRM = true
	i.Mode, i.Reg, i.RM = code[at]>>6, code[at]>>3&7, code[at]&7
	at++
	if i.Mode == 3 || i.Map == 1 && !i.Vector && i.Opcode&^3 == 0x20 { // MOV of control registers has no other operands
		i.Mode = 3
		return at, true
	}
	base := i.RM
	if base == 4 {
		if at >= len(code) {
			return at, false
		}
		i.SIB = code[at]
		base = i.SIB & 7
		at++
	}
	i.Displacement = at
	switch {
	case i.Mode == 1:
		i.DisplacementBytes = 1
	case i.Mode == 2, base == 5:
		i.DisplacementBytes = 4
	}
	return at + i.DisplacementBytes, true
}

func (i *Instruction) operandBytes(what uint16) int {
	z := 4
	if i.Word && i.REX&REXW == 0 {
		z = 2
	}
	bytes := 0
	if what&imm8 != 0 {
		bytes++
	}
	if what&imm16 != 0 {
		bytes += 2
	}
	switch {
	case what&offset != 0, what&immV != 0 && i.REX&REXW != 0:
		bytes += 8
	case what&immZ != 0 && i.IsRelative():
		bytes += 4
	case what&(immZ|immV) != 0:
		bytes += z
	case what&group3 != 0 && i.Reg < 2 && i.Opcode == 0xf6:
		bytes++
	case what&group3 != 0 && i.Reg < 2:
		bytes += z
	}
	return bytes
}

// IsRelative reports whether the immediate operand is the distance to where a jump or call goes.
func (i *Instruction) IsRelative() bool {
	switch {
	case i.Vector:
		return false
	case i.Map == 1:
		return i.Opcode>>4 == 8
	}
	return i.Map == 0 && (i.Opcode>>4 == 7 || i.Opcode>>2 == 0xe0>>2 || i.Opcode == 0xe8 || i.Opcode == 0xe9 || i.Opcode == 0xeb)
}

// IsPlain reports whether the opcode is that of one byte.
func (i *Instruction) IsPlain(opcode byte) bool {
	return i.Map == 0 && !i.Vector && i.Opcode == opcode
}

// IsOfPC reports whether the operand in memory is told by its distance from the next instruction.
func (i *Instruction) IsOfPC() bool { return i.HasRM && i.Mode == 0 && i.RM == 5 }

// Register returns the register that the reg of ModRM names, from 0 to 15.
func (i *Instruction) Register() int { return int(i.Reg) | int(i.REX&REXR)<<1 }

// Signed returns a little endian number of 0, 1, 2, 4 or 8 bytes, such as a displacement.
func Signed(raw []byte) int64 {
	switch len(raw) {
	case 1:
		return int64(int8(raw[0]))
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(raw)))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(raw)))
	case 8:
		return int64(binary.LittleEndian.Uint64(raw))
	}
	return 0
}
