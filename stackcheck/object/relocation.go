package object

import (
	"debug/elf"
	"fmt"
)

// A Pointer is what a relocation makes of a field of a section.
type Pointer struct {
	Field  uint64 // its offset in the section
	Target Address
}

// Pointers returns what EachPointer finds.
func (f *File) Pointers(s *Section) ([]Pointer, error) {
	var all []Pointer
	err := f.EachPointer(s, func(p Pointer) { all = append(all, p) })
	return all, err
}

// EachPointer calls visit with what each field of a section points at, in the order of the relocations, which no linker
// promises to sort. A linked object has none: its fields hold their values. The relocations' types are not looked at: the
// caller knows how wide its fields are, and that they stand for addresses of code.
func (f *File) EachPointer(s *Section, visit func(Pointer)) error {
	if f.Linked {
		return nil
	}
	last, at := ^uint32(0), Address{} // many in a row are of one symbol, that of the section
	return f.relocationPieces(s, func(int) {}, func(first int, piece []byte) error {
		for i := 0; i < len(piece); i += relocationBytes {
			r, err := f.relocation(piece[i:])
			if err != nil {
				return fmt.Errorf("relocation %d: %w", first+i/relocationBytes, err)
			}
			if r.symbol != last {
				last, at = r.symbol, f.address(f.symbol(r.symbol))
			}
			visit(Pointer{Field: r.field, Target: Address{at.Section, at.Offset + uint64(r.addend)}})
		}
		return nil
	})
}

// A relocation is one as it stands in the file, of a symbol that there is.
type relocation struct {
	field  uint64
	kind   uint32 // R_X86_64_PC32 and others, by machine
	symbol uint32
	addend int64
}

// relocationPieces reads the relocations of a section, a piece at a time: those of ORC are as many as a module has bytes in its other sections. It
// announces how many are coming.
func (f *File) relocationPieces(s *Section, announce func(n int), do func(first int, piece []byte) error) error {
	var bytes int64
	for i := range f.Sections {
		r := &f.Sections[i]
		if elf.SectionType(r.Type) != elf.SHT_RELA || r.Info != uint32(s.Index) {
			continue
		}
		data, err := f.section(r)
		if err != nil {
			return f.inSection(r, err)
		}
		// Many sections may be about one, and share their bytes in the file.
		if bytes += data.Size(); bytes > MaxSectionBytes {
			return fmt.Errorf("%s: section %s: its relocations are longer than %d bytes; the file is damaged", f.Name, s.Name, MaxSectionBytes)
		}
		announce(int(data.Size() / relocationBytes))
		if err := eachPiece(data, relocationBytes, do); err != nil {
			return f.inSection(r, err)
		}
	}
	return nil
}

func (f *File) relocation(raw []byte) (relocation, error) {
	info := f.uint64(raw[8:])
	r := relocation{field: f.uint64(raw), kind: elf.R_TYPE64(info), symbol: elf.R_SYM64(info), addend: int64(f.uint64(raw[16:]))}
	if count := len(f.symbols) / symbolBytes; uint64(r.symbol) >= uint64(count) {
		return relocation{}, fmt.Errorf("symbol %d of %d; the file is damaged", r.symbol, count)
	}
	return r, nil
}
