package orc

import (
	"encoding/binary"

	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// arm64Instructions are those of aarch64 (Arm Architecture Reference Manual for A-profile, C4.1).
type arm64Instructions struct{ word uint32 }

const arm64Bytes = 4

func (i *arm64Instructions) decode(code []byte) (size int, ok bool) {
	if len(code) < arm64Bytes {
		return 0, false
	}
	i.word = binary.LittleEndian.Uint32(code)
	return arm64Bytes, true
}

func (i *arm64Instructions) goesOn(w *follower, s spot) bool {
	if branch, target, ok := w.pieces[s.piece].TargetARM64(s.at); ok {
		if branch == object.BranchWithLink {
			return w.comesBack(s, target)
		}
		if target.Symbol == "" {
			w.branch(target.Address, s.depth)
		}
		return branch == object.BranchIf
	}
	switch {
	case i.word>>16 == 0: // UDF: this is no code
		w.inexact = true
		return false
	case i.word>>25 != 0x6b: // branches to registers
		return true
	}
	switch operation := i.word >> 21 & 15; operation {
	case 1, 9: // BLR
		return true
	case 0, 8: // BR: by the table of a switch, or out of the function
		w.inexact = w.inexact || s.depth != w.file.ReturnAddressBytes()
	}
	return false // RET, ERET too
}

// isFilling tells NOP, UDF, BRK, and RET behind a call that does not come back.
func (i *arm64Instructions) isFilling() bool {
	const nop, ret = 0xd503201f, 0xd65f03c0
	return i.word == nop || i.word == ret || i.word>>16 == 0 || i.word&0xffe0001f == 0xd4200000
}

func (i *arm64Instructions) after(w *follower, s spot) int {
	const sp, fp = 31, 29
	word, depth := i.word, s.depth
	to, base := word&31, word>>5&31
	switch {
	case word&0x7f800000 == 0x11000000 || word&0x7f800000 == 0x51000000: // ADD, SUB of a number
		if to != sp && (to != fp || base != sp) {
			break
		}
		grows := -int(word >> 10 & 0xfff)
		if word>>22&1 != 0 {
			grows <<= 12
		}
		if word>>30&1 != 0 {
			grows = -grows
		}
		switch {
		case to == fp:
			if w.frame == 0 {
				w.frame = depth + grows
			}
		case base == sp:
			return depth + grows
		case base == fp && w.frame > 0:
			return w.frame + grows
		default:
			w.inexact = true
		}
	case word&0x7fe00000 == 0x0b200000 || word&0x7fe00000 == 0x4b200000: // ADD, SUB of a register
		if to != sp {
			break
		}
		number, ok := constant(w.pieces[s.piece].Code[:s.at], word>>16&31)
		if !ok || base != sp {
			w.inexact = true
			break
		}
		if word>>30&1 != 0 {
			return depth + number
		}
		return depth - number
	case word&0x1f800000 == 0x12000000 && word>>29&3 != 3 && to == sp: // AND, ORR, EOR of a number: rounds
		w.inexact = true
	case base != sp:
	case word&0x3a000000 == 0x28000000 && word>>23&1 != 0: // LDP, STP that move their base
		scale := 4 << (word >> 31)
		if word>>26&1 != 0 {
			scale = 4 << (word >> 30)
		}
		return depth - scale*int(int32(word<<10)>>25)
	case word&0x3b200400 == 0x38000400: // LDR, STR that move their base
		return depth - int(int32(word<<11)>>23)
	case word&0xbe800000 == 0x0c800000: // LD1, ST1 and others that move their base
		w.inexact = true
	}
	return depth
}

// constant returns the number that the instructions right before put into a register: MOVZ, and up to one MOVK.
func constant(code []byte, register uint32) (number int, ok bool) {
	const recent = 8
	high := 0
	for at, n := len(code)-arm64Bytes, 0; at >= 0 && n < recent; at, n = at-arm64Bytes, n+1 {
		word := binary.LittleEndian.Uint32(code[at:])
		value := int(word>>5&0xffff) << (word >> 21 & 3 * 16)
		switch {
		case word&31 != register:
		case word&0xff800000 == 0xf2800000: // MOVK
			high |= value
		case word&0xff800000 == 0xd2800000, word&0xff800000 == 0x52800000: // MOVZ
			return value | high, value|high <= mostDepth
		default: // what else it may be
			return 0, false
		}
	}
	return 0, false
}
