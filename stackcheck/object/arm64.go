package object

import (
	"debug/elf"
	"encoding/binary"
)

// arm64 goes through code of aarch64, whose instructions have 4 bytes (Arm Architecture Reference Manual for A-profile, C4.1).
func (w *walk) arm64(code []byte) (whole bool) {
	for at := 0; at+4 <= len(code); at += 4 {
		word := binary.LittleEndian.Uint32(code[at:])
		if branch, target, ok := w.arm64Branch(at, word); ok {
			kind := Jump
			if branch == BranchWithLink {
				kind = Call
			}
			w.branch(at, kind, target)
			continue
		}
		switch {
		case word&0xfffffc1f == 0xd63f0000, word&0xfffff81f == 0xd63f081f, word&0xfffff800 == 0xd73f0800: // BLR, with authentication too
			w.visit(Reference{At: w.address(at), Kind: CallPointer})
		case word&0xfffffc1f == 0xd61f0000, word&0xfffff81f == 0xd61f081f, word&0xfffff800 == 0xd71f0800: // BR
			w.visit(Reference{At: w.address(at), Kind: JumpPointer})
		default:
			if r := w.relocation(at); r != nil && elf.R_AARCH64(r.kind) == elf.R_AARCH64_ADD_ABS_LO12_NC {
				w.take(at, w.target(r, 0))
			}
		}
	}
	return len(code)%4 == 0
}

// arm64Branch returns where an instruction leads, if it names that.
func (w *walk) arm64Branch(at int, word uint32) (Branch, Target, bool) {
	switch {
	case word>>26 == 0x25: // BL
		return BranchWithLink, w.arm64Target(at, word, 0, 26), true
	case word>>26 == 0x05: // B
		return BranchAlways, w.arm64Target(at, word, 0, 26), true
	case word>>24 == 0x54, word>>25&0x3f == 0x1a: // B.cond, CBZ, CBNZ
		return BranchIf, w.arm64Target(at, word, 5, 19), true
	case word>>25&0x3f == 0x1b: // TBZ, TBNZ
		return BranchIf, w.arm64Target(at, word, 5, 14), true
	}
	return 0, Target{}, false
}

// arm64Target returns where a branch goes whose distance, in instructions, is in bits of the word.
func (w *walk) arm64Target(at int, word uint32, first, bits int) Target {
	if r := w.relocation(at); r != nil {
		return w.target(r, 0)
	}
	distance := int64(int32(word<<(32-first-bits))>>(32-bits)) * 4
	return Target{Address: Address{w.start.Section, w.start.Offset + uint64(at) + uint64(distance)}}
}
