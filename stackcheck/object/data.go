package object

import (
	"debug/elf"
	"slices"
	"strings"
)

// dataSections begin the names of sections that hold what the source says, such as tables of operations and exports. Other
// sections point at functions for the kernel's own use: its unwinder, its tracers, and those that patch code.
var dataSections = []string{
	".data", ".rodata", ".ref.data", ".init.data", ".init.rodata", ".exit.data", ".initcall",
	".gnu.linkonce.this_module", "__ksymtab", "___ksymtab",
}

// A FunctionPointer is a field of an object's data that holds the address of a function.
type FunctionPointer struct {
	Function int    // index in Functions
	Section  string // that has the field
	Symbol   string // of the data that the field is in; empty if none tells
	Offset   uint64 // of the field in it, in bytes
}

// FunctionPointers returns the fields of data that hold a function's address. In a linked object every word that is such an
// address counts, whatever it is meant to be.
func (f *File) FunctionPointers() ([]FunctionPointer, error) {
	var all []FunctionPointer
	data := f.DataSymbols()
	for i := range f.Sections {
		s := &f.Sections[i]
		if !slices.ContainsFunc(dataSections, func(prefix string) bool { return strings.HasPrefix(s.Name, prefix) }) {
			continue
		}
		pointers, err := f.pointersIn(s)
		if err != nil {
			return nil, err
		}
		for _, p := range pointers {
			at, ok := f.Index(p.Target)
			if !ok {
				continue
			}
			field := Address{s.Index, p.Field}
			if f.Linked {
				field = Address{Offset: s.Addr + p.Field}
			}
			symbol, offset := data.At(field)
			all = append(all, FunctionPointer{at, s.Name, symbol, offset})
		}
	}
	return all, nil
}

const wordBytes = 8

// pointersIn returns what fields of data point at.
func (f *File) pointersIn(s *Section) ([]Pointer, error) {
	if !f.Linked || elf.SectionType(s.Type) != elf.SHT_PROGBITS || len(f.Functions()) == 0 {
		return f.Pointers(s)
	}
	content, err := f.Data(s)
	if err != nil {
		return nil, err
	}
	first, last := f.functions[0].Start.Offset, f.functions[len(f.functions)-1].Start.Offset
	var all []Pointer
	for at := 0; at+wordBytes <= len(content); at += wordBytes {
		if word := f.order.Uint64(content[at:]); word >= first && word <= last {
			all = append(all, Pointer{uint64(at), Address{Offset: word}})
		}
	}
	return all, nil
}

// A dataSymbol is one of data.
type dataSymbol struct {
	name  string
	start Address
	size  uint64
}

// DataSymbols are the symbols of an object's data, by address.
type DataSymbols []dataSymbol

// DataSymbols returns the symbols of data.
func (f *File) DataSymbols() DataSymbols {
	var all DataSymbols
	for i := range uint32(len(f.symbols) / symbolBytes) {
		s := f.symbol(i)
		if elf.ST_TYPE(s.Info) != elf.STT_OBJECT || int(s.Shndx) >= len(f.Sections) || s.Size == 0 {
			continue
		}
		all = append(all, dataSymbol{f.names.at(s.Name), f.address(s), s.Size})
	}
	slices.SortStableFunc(all, func(a, b dataSymbol) int { return a.start.Compare(b.start) })
	return all
}

// At returns the symbol that has an address, and the offset of the address in it; without symbol that in the section.
func (all DataSymbols) At(a Address) (name string, offset uint64) {
	i, found := slices.BinarySearchFunc(all, a, func(s dataSymbol, a Address) int { return s.start.Compare(a) })
	if !found {
		i--
	}
	if i >= 0 && all[i].start.Section == a.Section && a.Offset-all[i].start.Offset < all[i].size {
		return all[i].name, a.Offset - all[i].start.Offset
	}
	return "", a.Offset
}

// Symbol returns where the symbol of a name is, if the object defines one.
func (f *File) Symbol(name string) (Address, bool) {
	for i := range uint32(len(f.symbols) / symbolBytes) {
		if !f.names.is(f.uint32(f.symbols[i*symbolBytes:]), name) {
			continue
		}
		if s := f.symbol(i); int(s.Shndx) < len(f.Sections) && elf.SectionIndex(s.Shndx) != elf.SHN_UNDEF {
			return f.address(s), true
		}
	}
	return Address{}, false
}

// exportPrefix begins the names of the symbols of exports (include/linux/export.h).
const exportPrefix = "__ksymtab_"

// Exports returns the symbols that the object exports to modules.
func (f *File) Exports() map[string]bool {
	exports := make(map[string]bool)
	for i := range uint32(len(f.symbols) / symbolBytes) {
		if name, ok := strings.CutPrefix(f.names.at(f.symbol(i).Name), exportPrefix); ok {
			exports[name] = true
		}
	}
	return exports
}
