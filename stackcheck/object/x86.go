package object

import "encoding/binary"

// What follows an opcode of x86-64, in the order of the encoding. Intel 64 and IA-32 Architectures Software Developer's
// Manual, volume 2, appendix A; in 64-bit mode. An opcode without any of these does not exist.
const (
	known  = 1 << iota
	modRM  // a byte that tells the operands, and what belongs to it
	imm8   // an immediate operand of 1 byte
	imm16  // of 2 bytes
	immZ   // of 4 bytes, or of 2 with an operand size prefix
	immV   // as immZ, or of 8 bytes with REX.W
	offset // an address of 8 bytes
	group3 // an immediate operand if ModRM says TEST
)

// opcodeMaps are the opcodes of one byte, those after 0F, after 0F 38, and after 0F 3A.
var opcodeMaps = [4][256]uint8{opcodesOfOneByte(), opcodesOfTwoBytes(), opcodesOfThreeBytes(0), opcodesOfThreeBytes(imm8)}

type opcodeTable [256]uint8

func (t *opcodeTable) set(what uint8, ranges ...int) {
	for i := 0; i < len(ranges); i += 2 {
		for opcode := ranges[i]; opcode <= ranges[i+1]; opcode++ {
			t[opcode] = known | what
		}
	}
}

func opcodesOfOneByte() [256]uint8 {
	var t opcodeTable
	for arithmetic := 0; arithmetic < 0x40; arithmetic += 8 {
		t.set(modRM, arithmetic, arithmetic+3)
		t.set(imm8, arithmetic+4, arithmetic+4)
		t.set(immZ, arithmetic+5, arithmetic+5)
	}
	t.set(0, 0x50, 0x5f, 0x6c, 0x6f, 0x90, 0x99, 0x9b, 0x9f, 0xa4, 0xa7, 0xaa, 0xaf, 0xc3, 0xc3, 0xc9, 0xc9, 0xcb, 0xcc, 0xcf, 0xcf,
		0xd7, 0xd7, 0xec, 0xef, 0xf1, 0xf1, 0xf4, 0xf5, 0xf8, 0xfd)
	t.set(modRM, 0x63, 0x63, 0x84, 0x8f, 0xd0, 0xd3, 0xd8, 0xdf, 0xfe, 0xff)
	t.set(modRM|imm8, 0x6b, 0x6b, 0x80, 0x80, 0x83, 0x83, 0xc0, 0xc1, 0xc6, 0xc6)
	t.set(modRM|immZ, 0x69, 0x69, 0x81, 0x81, 0xc7, 0xc7)
	t.set(modRM|group3, 0xf6, 0xf7)
	t.set(imm8, 0x6a, 0x6a, 0x70, 0x7f, 0xa8, 0xa8, 0xb0, 0xb7, 0xcd, 0xcd, 0xe0, 0xe7, 0xeb, 0xeb)
	t.set(imm16, 0xc2, 0xc2, 0xca, 0xca)
	t.set(imm16|imm8, 0xc8, 0xc8)
	t.set(immZ, 0x68, 0x68, 0xa9, 0xa9, 0xe8, 0xe9)
	t.set(immV, 0xb8, 0xbf)
	t.set(offset, 0xa0, 0xa3)
	return t
}

func opcodesOfTwoBytes() [256]uint8 {
	var t opcodeTable
	t.set(0, 0x05, 0x09, 0x0b, 0x0b, 0x0e, 0x0e, 0x30, 0x35, 0x37, 0x37, 0x77, 0x77, 0xa0, 0xa2, 0xa8, 0xaa, 0xc8, 0xcf)
	t.set(modRM, 0x00, 0x03, 0x0d, 0x0d, 0x10, 0x23, 0x28, 0x2f, 0x40, 0x6f, 0x74, 0x76, 0x78, 0x7f, 0x90, 0x9f, 0xa3, 0xa3,
		0xa5, 0xa7, 0xab, 0xab, 0xad, 0xb9, 0xbb, 0xc1, 0xc3, 0xc3, 0xc7, 0xc7, 0xd0, 0xff)
	t.set(modRM|imm8, 0x0f, 0x0f, 0x70, 0x73, 0xa4, 0xa4, 0xac, 0xac, 0xba, 0xba, 0xc2, 0xc2, 0xc4, 0xc6)
	t.set(immZ, 0x80, 0x8f)
	return t
}

func opcodesOfThreeBytes(operand uint8) [256]uint8 {
	var t opcodeTable
	t.set(modRM|operand, 0x00, 0xff)
	return t
}

// Bits of a REX prefix.
const (
	rexB = 1 << 0 // extends rm, or the register of an opcode
	rexR = 1 << 2 // extends reg
	rexW = 1 << 3 // makes operands 64 bits wide
)

const longestX86 = 15 // bytes of an instruction

// An x86Instruction is one taken apart.
type x86Instruction struct {
	size    int
	table   int  // 0 to 3, see opcodeMaps
	vector  bool // has a VEX or EVEX prefix
	opcode  byte
	rex     byte
	notrack bool // has the prefix 3E, which marks jumps by a table
	hasRM   bool
	mode    byte // of ModRM, shifted down
	reg, rm byte // of ModRM, without their bits in REX
	sib     byte // if mode and rm say so

	displacement, displacementBytes int // where it is in the code, and how long
	immediate, immediateBytes       int
}

// decodeX86 takes the first instruction apart, if it is whole and known.
func decodeX86(code []byte) (i x86Instruction, ok bool) {
	code = code[:min(len(code), longestX86)]
	at, word, ok := i.prefixes(code)
	if !ok {
		return i, false
	}
	if at, ok = i.readOpcode(code, at); !ok {
		return i, false
	}
	what := opcodeMaps[i.table][i.opcode]
	if what == 0 {
		return i, false
	}
	if i.vector && !(i.table == 1 && i.opcode == 0x77) {
		what |= modRM
	}
	if what&modRM != 0 {
		if at, ok = i.operand(code, at); !ok {
			return i, false
		}
	}
	i.immediate, i.immediateBytes = at, i.operandBytes(what, word)
	i.size = at + i.immediateBytes
	return i, i.size <= len(code)
}

func (i *x86Instruction) prefixes(code []byte) (at int, word, ok bool) {
	for ; at < len(code); at++ {
		switch code[at] {
		case 0x26, 0x2e, 0x36, 0x64, 0x65, 0x67, 0xf0, 0xf2, 0xf3:
		case 0x3e:
			i.notrack = true
		case 0x66:
			word = true
		default:
			if code[at]>>4 == 4 {
				i.rex = code[at]
				at++
			}
			return at, word, at < len(code)
		}
	}
	return at, word, false
}

// readOpcode reads the opcode, and the VEX or EVEX prefix that it may have.
func (i *x86Instruction) readOpcode(code []byte, at int) (next int, ok bool) {
	escaped := func(n int) bool { return at+n < len(code) }
	switch b := code[at]; {
	case b == 0xc5 && escaped(2):
		i.vector, i.table = true, 1
		at += 2
	case b == 0xc4 && escaped(3):
		i.vector, i.table = true, int(code[at+1]&0x1f)
		at += 3
	case b == 0x62 && escaped(4):
		i.vector, i.table = true, int(code[at+1]&7)
		at += 4
	case b == 0x0f && escaped(2) && (code[at+1] == 0x38 || code[at+1] == 0x3a):
		i.table = 2 + int(code[at+1]>>1&1)
		at += 2
	case b == 0x0f && escaped(1):
		i.table = 1
		at++
	case b == 0x0f || b == 0xc4 || b == 0xc5 || b == 0x62:
		return at, false
	}
	if i.vector && (i.table < 1 || i.table > 3) {
		return at, false
	}
	i.opcode = code[at]
	return at + 1, true
}

// operand reads a ModRM byte and what belongs to it.
func (i *x86Instruction) operand(code []byte, at int) (next int, ok bool) {
	if at >= len(code) {
		return at, false
	}
	i.hasRM = true
	i.mode, i.reg, i.rm = code[at]>>6, code[at]>>3&7, code[at]&7
	at++
	if i.mode == 3 || i.table == 1 && !i.vector && i.opcode&^3 == 0x20 { // MOV of control registers has no other operands
		i.mode = 3
		return at, true
	}
	base := i.rm
	if base == 4 {
		if at >= len(code) {
			return at, false
		}
		i.sib = code[at]
		base = i.sib & 7
		at++
	}
	i.displacement = at
	switch {
	case i.mode == 1:
		i.displacementBytes = 1
	case i.mode == 2, base == 5:
		i.displacementBytes = 4
	}
	return at + i.displacementBytes, true
}

func (i *x86Instruction) operandBytes(what uint8, word bool) int {
	z := 4
	if word && i.rex&rexW == 0 {
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
	case what&offset != 0, what&immV != 0 && i.rex&rexW != 0:
		bytes += 8
	case what&immZ != 0 && i.isRelative():
		bytes += 4
	case what&(immZ|immV) != 0:
		bytes += z
	case what&group3 != 0 && i.reg < 2 && i.opcode == 0xf6:
		bytes++
	case what&group3 != 0 && i.reg < 2:
		bytes += z
	}
	return bytes
}

// isRelative reports whether the immediate operand is the distance to where a jump or call goes.
func (i *x86Instruction) isRelative() bool {
	switch {
	case i.vector:
		return false
	case i.table == 1:
		return i.opcode>>4 == 8
	}
	return i.table == 0 && (i.opcode>>4 == 7 || i.opcode>>2 == 0xe0>>2 || i.opcode == 0xe8 || i.opcode == 0xe9 || i.opcode == 0xeb)
}

// isPlain reports whether the opcode is that of one byte.
func (i *x86Instruction) isPlain(opcode byte) bool {
	return i.table == 0 && !i.vector && i.opcode == opcode
}

// isOfPC reports whether the operand in memory is told by its distance from the next instruction.
func (i *x86Instruction) isOfPC() bool { return i.hasRM && i.mode == 0 && i.rm == 5 }

// register returns the register that the reg of ModRM names, from 0 to 15.
func (i *x86Instruction) register() int { return int(i.reg) | int(i.rex&rexR)<<1 }

// signed returns a little endian number of 0, 1, 4 or 8 bytes.
func signed(raw []byte) int64 {
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
