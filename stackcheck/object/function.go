package object

import (
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Function is a piece of code with a symbol.
type Function struct {
	Symbol  string
	Aliases []string // its other symbols
	Public  []string // of all, those that other objects can refer to; a weak one too, unless the object has a global one
	Weak    bool     // no public symbol is global
	File    string   // that a local symbol was compiled from, without directory; stripped modules do not tell
	Local   bool
	Start   Address
	Size    uint64 // in bytes; up to the next function for a symbol without size
	Cold    []Extent

	number int // of the symbol
}

// An Extent is a piece of code.
type Extent struct {
	Start Address
	Size  uint64 // in bytes
}

// Functions returns the object's functions, in the order of their addresses. A cold part whose function is not there is a
// function too. What lies before a function for the kernel's
// own use (__pfx_, __cfi_) is none.
func (f *File) Functions() []Function {
	f.finding.Wait()
	return f.functions
}

// Index returns which of the functions begins at an address.
func (f *File) Index(a Address) (i int, ok bool) {
	return slices.BinarySearchFunc(f.Functions(), a, func(fn Function, a Address) int { return fn.Start.Compare(a) })
}

// Compare orders addresses.
func (a Address) Compare(b Address) int {
	if a.Section != b.Section {
		return cmp.Compare(a.Section, b.Section)
	}
	return cmp.Compare(a.Offset, b.Offset)
}

// ErrNoSymbols is the error of an object whose symbol table was removed.
var ErrNoSymbols = errors.New("no symbol table, so that no function has a name; give the file before it was stripped")

func (f *File) readSymbols() error {
	table := slices.IndexFunc(f.Sections, func(s Section) bool { return elf.SectionType(s.Type) == elf.SHT_SYMTAB })
	if table < 0 {
		return ErrNoSymbols
	}
	var err error
	if f.symbols, err = f.data(&f.Sections[table]); err != nil {
		return fmt.Errorf("the symbol table: %w", err)
	}
	if f.names, err = f.strings(f.Sections[table].Link); err != nil {
		return fmt.Errorf("the names of symbols: %w", err)
	}
	return nil
}

func (f *File) findFunctions() {
	f.functions = f.joinAliases(f.places())
	f.closeGaps()
	f.functions = joinColdParts(f.functions)
	f.cold = coldPartsOf(f.functions)
}

// A place is the symbol of a function, which is many times as large, and where it is. It is small, to be sorted.
type place struct {
	offset  uint64
	section uint32
	number  uint32 // of the symbol
	file    uint32 // the name of that which a local symbol was compiled from
}

// places returns those of all functions, sorted by address, and at one address by number: local symbols come first in a
// symbol table.
func (f *File) places() []place {
	all := make([]place, 0, f.countFunctions())
	file := ^uint32(0) // of no name
	for i := range uint32(len(f.symbols) / symbolBytes) {
		s := f.symbol(i)
		if elf.ST_TYPE(s.Info) == elf.STT_FILE {
			file = s.Name
		} else if f.isFunction(s) && f.names.has(s.Name) && !f.names.isPadding(s.Name) {
			at := f.address(s)
			all = append(all, place{at.Offset, uint32(at.Section), i, file})
		}
	}
	slices.SortFunc(all, func(a, b place) int {
		switch {
		case a.section != b.section:
			return cmp.Compare(a.section, b.section)
		case a.offset != b.offset:
			return cmp.Compare(a.offset, b.offset)
		}
		return cmp.Compare(a.number, b.number)
	})
	return all
}

func (f *File) countFunctions() (n int) {
	for i := range len(f.symbols) / symbolBytes {
		if f.isFunction(f.symbol(uint32(i))) {
			n++
		}
	}
	return n
}

// function is that of a symbol.
func (f *File) function(p place) Function {
	s := f.symbol(p.number)
	bind := elf.ST_BIND(s.Info)
	fn := Function{
		Symbol: f.names.at(s.Name), Start: Address{int(p.section), p.offset}, Size: s.Size, Local: bind == elf.STB_LOCAL, number: int(p.number),
	}
	if fn.Local {
		fn.File = f.names.at(p.file)
	} else {
		fn.Public, fn.Weak = []string{fn.Symbol}, bind == elf.STB_WEAK
	}
	return fn
}

func (f *File) symbol(i uint32) elf.Sym64 {
	raw := f.symbols[i*symbolBytes:]
	return elf.Sym64{
		Name: f.order.Uint32(raw), Info: raw[4], Other: raw[5], Shndx: f.order.Uint16(raw[6:]),
		Value: f.order.Uint64(raw[8:]), Size: f.order.Uint64(raw[16:]),
	}
}

// isFunction tells functions from other symbols. Assembly has some without type but with a size (SYM_CODE_START in
// include/linux/linkage.h), in sections of code.
func (f *File) isFunction(s elf.Sym64) bool {
	if int(s.Shndx) >= len(f.Sections) || elf.SectionIndex(s.Shndx) == elf.SHN_UNDEF {
		return false
	}
	switch elf.ST_TYPE(s.Info) {
	case elf.STT_FUNC:
		return true
	case elf.STT_NOTYPE:
		return s.Size > 0 && elf.SectionFlag(f.Sections[s.Shndx].Flags)&elf.SHF_EXECINSTR != 0
	}
	return false
}

// isPadding tells the symbols of what -fpatchable-function-entry and kernel CFI put before functions.
func (t stringTable) isPadding(symbol uint32) bool {
	return strings.HasPrefix(string(t[symbol:]), "__pfx_") || strings.HasPrefix(string(t[symbol:]), "__cfi_")
}

func (f *File) address(s elf.Sym64) Address {
	if f.Linked {
		return Address{Offset: s.Value}
	}
	return Address{Section: int(s.Shndx), Offset: s.Value}
}

// joinAliases makes one function of those at the same address. Its name is that of the local symbol if there is one: that
// is what the source calls it.
func (f *File) joinAliases(places []place) []Function {
	joined := make([]Function, 0, len(places))
	for _, p := range places {
		fn := f.function(p)
		if last := len(joined) - 1; last >= 0 && joined[last].Start == fn.Start {
			if joined[last].Symbol != fn.Symbol {
				joined[last].Aliases = append(joined[last].Aliases, fn.Symbol)
			}
			joined[last].Size = max(joined[last].Size, fn.Size)
			joined[last].addPublic(fn)
			continue
		}
		joined = append(joined, fn)
	}
	return joined
}

// addPublic takes the public symbol of an alias. A global one stands for all weak ones.
func (fn *Function) addPublic(alias Function) {
	switch {
	case len(alias.Public) == 0 || len(fn.Public) > 0 && alias.Weak && !fn.Weak:
	case len(fn.Public) > 0 && !alias.Weak && fn.Weak, len(fn.Public) == 0:
		fn.Public, fn.Weak = alias.Public, alias.Weak
	default:
		fn.Public = append(fn.Public, alias.Public...)
	}
}

// closeGaps gives a size to functions whose symbol has none.
func (f *File) closeGaps() {
	for i := range f.functions {
		fn := &f.functions[i]
		if fn.Size > 0 {
			continue
		}
		if i+1 < len(f.functions) && f.functions[i+1].Start.Section == fn.Start.Section {
			fn.Size = f.functions[i+1].Start.Offset - fn.Start.Offset
		} else if size := f.Sections[fn.Start.Section].Size; !f.Linked && size > fn.Start.Offset {
			fn.Size = size - fn.Start.Offset
		}
	}
}
