package object

import (
	"debug/elf"
	"fmt"
	"slices"
)

// A Pointer is what a relocation makes of a field of a section.
type Pointer struct {
	Field  uint64 // its offset in the section
	Target Address
}

// Pointers returns what the fields of a section point at, in the order of the relocations, which no linker
// promises to sort. A linked object has none: its fields hold their values. The relocations' types are not looked at: the
// caller knows how wide its fields are, and that they stand for addresses of code.
func (f *File) Pointers(s *Section) ([]Pointer, error) {
	if f.Linked {
		return nil, nil
	}
	var all []Pointer
	bytes := 0
	for i := range f.Sections {
		r := &f.Sections[i]
		if elf.SectionType(r.Type) != elf.SHT_RELA || r.Info != uint32(s.Index) {
			continue
		}
		raw, err := f.Data(r)
		if err != nil {
			return nil, err
		}
		// Many sections may be about one, and share their bytes in the file.
		if bytes += len(raw); bytes > MaxSectionBytes {
			return nil, fmt.Errorf("%s: section %s: its relocations are longer than %d bytes; the file is damaged", f.Name, s.Name, MaxSectionBytes)
		}
		all = slices.Grow(all, len(raw)/relocationBytes)
		for at := 0; at+relocationBytes <= len(raw); at += relocationBytes {
			p, err := f.pointer(raw[at:])
			if err != nil {
				return nil, fmt.Errorf("%s: section %s: relocation %d: %w", f.Name, r.Name, at/relocationBytes, err)
			}
			all = append(all, p)
		}
	}
	return all, nil
}

func (f *File) pointer(raw []byte) (Pointer, error) {
	field, info, addend := f.order.Uint64(raw), f.order.Uint64(raw[8:]), f.order.Uint64(raw[16:])
	symbol := elf.R_SYM64(info)
	if count := len(f.symbols) / symbolBytes; uint64(symbol) >= uint64(count) {
		return Pointer{}, fmt.Errorf("symbol %d of %d; the file is damaged", symbol, count)
	}
	s := f.symbol(symbol)
	target := f.address(s)
	target.Offset += addend
	return Pointer{Field: field, Target: target}, nil
}
