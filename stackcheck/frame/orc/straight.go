package orc

import (
	"encoding/binary"
	"strings"
)

// straightBytes bounds the code that is followed for one function: frames are made at its beginning.
const straightBytes = 1 << 10

// straight returns how deep x86-64 code takes the stack when it runs from its first byte, where the depth is 8, takes no
// conditional jump, and comes back from each call. It goes on until an instruction that ends this, that moves the stack
// pointer by what only run time knows, or that it does not know. What realignment may add is not counted: the result is
// what the code takes at least.
func straight(code []byte) (deepest int) {
	const most = 1 << 16 // more than any kernel's stack
	depth := returnAddressBytes
	for {
		i, ok := decode86(code)
		if !ok {
			return deepest
		}
		pushed, ok := i.pushed()
		if !ok || depth+pushed > most {
			return deepest
		}
		depth += pushed
		deepest = max(deepest, depth)
		code = code[i.size:]
	}
}

// Of an opcode: what follows it, in the order of the encoding. Intel 64 and IA-32 Architectures Software Developer's Manual,
// volume 2, appendix A. Opcodes without any of these, such as returns and jumps, end the straight line.
const (
	known  = 1 << iota
	modRM  // a byte that tells the operands, and their displacement
	imm8   // an immediate operand of 1 byte
	imm32  // of 4, or 2 with an operand size prefix
	toReg  // the register that the ModRM byte names is written
	toRM   // the operand that it names may be a register, and is written
	toTest // as toRM, for group 3: only TEST has an immediate operand
)

var oneByte, twoByte = opcodes()

func opcodes() (one, two [256]uint8) {
	set := func(table *[256]uint8, from, to int, what uint8) {
		for opcode := from; opcode <= to; opcode++ {
			table[opcode] = known | what
		}
	}
	for arithmetic := 0; arithmetic < 0x38; arithmetic += 8 { // ADD to XOR
		set(&one, arithmetic, arithmetic+1, modRM|toRM)
		set(&one, arithmetic+2, arithmetic+3, modRM|toReg)
		set(&one, arithmetic+4, arithmetic+4, imm8)
		set(&one, arithmetic+5, arithmetic+5, imm32)
	}
	set(&one, 0x38, 0x3b, modRM) // CMP
	set(&one, 0x3c, 0x3c, imm8)
	set(&one, 0x3d, 0x3d, imm32)
	set(&one, 0x50, 0x5f, 0) // PUSH, POP
	set(&one, 0x63, 0x63, modRM|toReg)
	set(&one, 0x68, 0x68, imm32)
	set(&one, 0x69, 0x69, modRM|imm32|toReg)
	set(&one, 0x6a, 0x6a, imm8)
	set(&one, 0x6b, 0x6b, modRM|imm8|toReg)
	set(&one, 0x70, 0x7f, imm8) // conditional jumps
	set(&one, 0x80, 0x80, modRM|imm8|toRM)
	set(&one, 0x81, 0x81, modRM|imm32|toRM)
	set(&one, 0x83, 0x83, modRM|imm8|toRM)
	set(&one, 0x84, 0x85, modRM) // TEST
	set(&one, 0x86, 0x89, modRM|toRM)
	set(&one, 0x8a, 0x8b, modRM|toReg)
	set(&one, 0x8d, 0x8d, modRM|toReg) // LEA
	set(&one, 0x90, 0x90, 0)
	set(&one, 0x98, 0x99, 0)
	set(&one, 0xa8, 0xa8, imm8)
	set(&one, 0xa9, 0xa9, imm32)
	set(&one, 0xb0, 0xb7, imm8) // MOV
	set(&one, 0xb8, 0xbf, imm32)
	set(&one, 0xc0, 0xc1, modRM|imm8|toRM)
	set(&one, 0xc6, 0xc6, modRM|imm8|toRM)
	set(&one, 0xc7, 0xc7, modRM|imm32|toRM)
	set(&one, 0xd0, 0xd3, modRM|toRM)
	set(&one, 0xe8, 0xe8, imm32) // CALL
	set(&one, 0xf6, 0xf7, modRM|toTest)
	set(&one, 0xfe, 0xff, modRM|toRM)

	set(&two, 0x1e, 0x1f, modRM)       // ENDBR64, NOP
	set(&two, 0x40, 0x4f, modRM|toReg) // CMOV
	set(&two, 0x80, 0x8f, imm32)       // conditional jumps
	set(&two, 0x90, 0x9f, modRM|toRM)  // SET
	set(&two, 0xa3, 0xa3, modRM)       // BT
	set(&two, 0xaf, 0xaf, modRM|toReg)
	set(&two, 0xb0, 0xb1, modRM|toRM)
	set(&two, 0xb6, 0xb7, modRM|toReg)
	set(&two, 0xba, 0xba, modRM|imm8|toRM)
	set(&two, 0xbe, 0xbf, modRM|toReg)
	set(&two, 0xc0, 0xc1, modRM|toRM)
	return one, two
}

// An instruction86 is an instruction taken apart.
type instruction86 struct {
	size          int
	rex           byte
	word          bool // has an operand size prefix
	escape        bool // has an opcode of two bytes
	opcode        byte
	what          uint8 // see the constants
	mode, reg, rm byte
	immediate     []byte
}

// Bits of a REX prefix.
const (
	rexB = 1 << 0 // extends rm, or the register of an opcode
	rexR = 1 << 2 // extends reg
	rexW = 1 << 3 // makes operands 64 bits wide
)

// decode86 takes the first instruction apart, if it is whole and known.
func decode86(code []byte) (i instruction86, ok bool) {
	next := func() (b byte) {
		if i.size < len(code) {
			b = code[i.size]
		}
		i.size++
		return b
	}
	b := next()
	for ; strings.IndexByte("\x2e\x3e\x65\x66\xf2\xf3", b) >= 0; b = next() {
		i.word = i.word || b == 0x66
	}
	if b>>4 == 4 {
		i.rex, b = b, next()
	}
	table := &oneByte
	if b == 0x0f {
		table, i.escape, b = &twoByte, true, next()
	}
	i.opcode, i.what = b, table[b]
	if i.what&modRM != 0 && i.size < len(code) {
		m := code[i.size]
		i.mode, i.reg, i.rm = m>>6, m>>3&7, m&7
		i.size += operandBytes(code[i.size:])
	}
	start := i.size
	i.size += i.immediateBytes()
	if i.what == 0 || i.size > len(code) {
		return i, false
	}
	i.immediate = code[start:i.size]
	return i, true
}

// operandBytes returns the size of a ModRM byte and what belongs to it.
func operandBytes(code []byte) int {
	mode, rm := code[0]>>6, code[0]&7
	if mode == 3 {
		return 1
	}
	size := 1
	if rm == 4 { // an SIB byte follows
		size++
		if len(code) > 1 {
			rm = code[1] & 7
		}
	}
	switch {
	case mode == 1:
		size++
	case mode == 2, rm == 5:
		size += 4
	}
	return size
}

func (i instruction86) immediateBytes() int {
	isTest := i.what&toTest != 0 && i.reg < 2
	switch {
	case i.what&imm8 != 0, isTest && i.opcode == 0xf6:
		return 1
	case i.isLoad() && i.rex&rexW != 0:
		return 8
	case i.what&imm32 == 0 && !isTest:
		return 0
	case i.word && !i.isJumpOrCall():
		return 2
	}
	return 4
}

// isLoad reports whether the instruction moves an immediate operand into the register of its opcode.
func (i instruction86) isLoad() bool { return !i.escape && i.opcode >= 0xb8 && i.opcode <= 0xbf }

func (i instruction86) isJumpOrCall() bool { return i.escape && i.opcode>>4 == 8 || i.opcode == 0xe8 }

const stackPointer = 4 // the number of its register

// pushed returns by how many bytes the instruction makes the stack deeper, if that is known, and the next one follows.
func (i instruction86) pushed() (bytes int, ok bool) {
	switch {
	case i.escape:
		return 0, !i.writesStackPointer()
	case i.opcode>>3 == 0x50>>3, i.opcode == 0x68, i.opcode == 0x6a, i.opcode == 0xff && i.reg == 6:
		return 8, !i.word
	case i.opcode>>3 == 0x58>>3:
		return -8, !i.word && !i.isOfStackPointer(i.opcode)
	case i.isLoad():
		return 0, !i.isOfStackPointer(i.opcode)
	case i.opcode == 0xff && (i.reg == 4 || i.reg == 5): // JMP
		return 0, false
	case (i.opcode == 0x81 || i.opcode == 0x83) && i.writesStackPointer() && i.rex&rexW != 0 && !i.word:
		return i.arithmetic()
	}
	return 0, !i.writesStackPointer()
}

// isOfStackPointer reports whether the register that an opcode names is the stack pointer.
func (i instruction86) isOfStackPointer(opcode byte) bool {
	return opcode&7 == stackPointer && i.rex&rexB == 0
}

func (i instruction86) writesStackPointer() bool {
	toSP := i.mode == 3 && i.rm == stackPointer && i.rex&rexB == 0
	fromRM := i.reg == stackPointer && i.rex&rexR == 0
	return i.what&(toRM|toTest) != 0 && toSP || i.what&toReg != 0 && fromRM
}

// arithmetic is what an instruction of group 1 does to the stack pointer.
func (i instruction86) arithmetic() (bytes int, ok bool) {
	n := int(int8(i.immediate[0]))
	if i.opcode == 0x81 {
		n = int(int32(binary.LittleEndian.Uint32(i.immediate)))
	}
	switch i.reg {
	case 0: // ADD
		return -n, true
	case 5: // SUB
		return n, true
	}
	return 0, i.reg == 4 || i.reg == 7 // AND, CMP
}
