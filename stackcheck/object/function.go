package object

import (
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/chunks"
)

// A Function is a piece of code with a symbol.
type Function struct {
	Symbol  string
	Aliases []string // its other symbols
	Public  []string // of all, those that other objects can refer to; a weak one too, unless the object has a global one
	File    string   // that a local symbol was compiled from, without directory; stripped modules do not tell
	Start   Address
	Size    uint64 // in bytes; up to the next function for a symbol without size
	Cold    []Extent
	Weak    bool // no public symbol is global
	Local   bool
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

// findFunctions makes a function of all symbols at one address, save for those of cold parts, which their functions have.
func (f *File) findFunctions() {
	places := f.places()
	starts := startsOf(places)
	f.measureNames(places)
	parts := f.coldParts(places, starts)
	f.functions = make([]Function, len(starts)-1-len(parts))
	chunks.Each(len(starts)-1, func(first, last int) {
		next, _ := slices.BinarySearchFunc(parts, first, part.compare)
		for i := first; i < last; i++ {
			if next < len(parts) && parts[next].at == i {
				next++
				continue
			}
			f.join(&f.functions[i-next], places[starts[i]:starts[i+1]])
			f.functions[i-next].Size = f.sizeOf(places, starts, i)
		}
	})
	f.cold = make([]coldPart, len(parts))
	for i, p := range parts {
		before, _ := slices.BinarySearchFunc(parts, p.owner, part.compare)
		owner, extent := p.owner-before, Extent{places[starts[p.at]].address(), f.sizeOf(places, starts, p.at)}
		f.functions[owner].Cold = append(f.functions[owner].Cold, extent)
		f.cold[i] = coldPart{extent, owner}
	}
}

// A place is the symbol of a function, which is many times as large, and where it is. It is small, to be sorted.
type place struct {
	offset  uint64
	section uint32
	number  uint32 // of the symbol
	file    uint32 // the name of that which a local symbol was compiled from
	name    uint32 // its length
}

// places returns those of all functions, sorted by address, and at one address by number: local symbols come first in a
// symbol table.
func (f *File) places() []place {
	all := chunks.Collect(len(f.symbols)/symbolBytes, f.placesAmong) // by number
	all = sortByDigits(all, func(p *place) uint64 { return p.offset })
	return sortByDigits(all, func(p *place) uint64 { return uint64(p.section) })
}

// sortByDigits sorts places by a key, and leaves those of one key in their order. It deals them by each digit in which keys differ, the least
// significant first: kernels have their functions within 26 bits, and global symbols in no order, so that comparing them takes several times
// as long.
func sortByDigits(all []place, key func(*place) uint64) []place {
	const bits = 11
	differ := uint64(0)
	for i := range all {
		differ |= key(&all[i]) ^ key(&all[0])
	}
	var dealt []place
	for shift := 0; differ>>shift != 0; shift += bits {
		const mask = 1<<bits - 1
		if differ>>shift&mask == 0 {
			continue
		}
		var starts [mask + 2]int
		for i := range all {
			starts[key(&all[i])>>shift&mask+1]++
		}
		for i := range mask {
			starts[i+1] += starts[i]
		}
		if dealt == nil {
			dealt = make([]place, len(all))
		}
		for i := range all {
			at := &starts[key(&all[i])>>shift&mask]
			dealt[*at] = all[i]
			*at++
		}
		all, dealt = dealt, all
	}
	return all
}

// placesAmong returns those of some of the symbols.
func (f *File) placesAmong(first, last int) []place {
	all := make([]place, 0, (last-first)/2)
	file, isKnown := uint32(0), false
	for i := uint32(first); i < uint32(last); i++ {
		s := f.symbol(i)
		if elf.ST_TYPE(s.Info) == elf.STT_FILE {
			file, isKnown = s.Name, true
		} else if f.isFunction(s) && f.names.has(s.Name) && !f.names.isPadding(s.Name) {
			if !isKnown && elf.ST_BIND(s.Info) == elf.STB_LOCAL {
				file, isKnown = f.fileBefore(i), true
			}
			at := f.address(s)
			all = append(all, place{offset: at.Offset, section: uint32(at.Section), number: i, file: file})
		}
	}
	return all
}

// fileBefore returns the name of the file that stands before a symbol, or that of none.
func (f *File) fileBefore(symbol uint32) (name uint32) {
	for i := symbol; i > 0; i-- {
		if s := f.symbol(i - 1); elf.ST_TYPE(s.Info) == elf.STT_FILE {
			return s.Name
		}
	}
	return ^uint32(0)
}

// startsOf returns the indexes of places that are the first at their address, and the number of all.
func startsOf(places []place) []int {
	starts := make([]int, 0, len(places)+1)
	for i := range places {
		if i == 0 || places[i].offset != places[i-1].offset || places[i].section != places[i-1].section {
			starts = append(starts, i)
		}
	}
	return append(starts, len(places))
}

// measureNames finds out how long the names of symbols are.
func (f *File) measureNames(places []place) {
	chunks.Each(len(places), func(first, last int) {
		for i := first; i < last; i++ {
			places[i].name = uint32(len(f.names.at(f.symbol(places[i].number).Name)))
		}
	})
}

// join makes a function of the places at one address. Its name is that of the local symbol if there is one: that
// is what the source calls it.
func (f *File) join(fn *Function, places []place) {
	*fn = f.function(places[0])
	for _, p := range places[1:] {
		alias := f.function(p)
		if fn.Symbol != alias.Symbol {
			fn.Aliases = append(fn.Aliases, alias.Symbol)
		}
		fn.addPublic(alias)
	}
}

// sizeOf returns that of the function at one address: of symbols without one, it reaches to the next function.
func (f *File) sizeOf(places []place, starts []int, i int) (size uint64) {
	for _, p := range places[starts[i]:starts[i+1]] {
		size = max(size, f.symbol(p.number).Size)
	}
	if size > 0 {
		return size
	}
	p := places[starts[i]]
	if next := starts[i+1]; next < len(places) && places[next].section == p.section {
		return places[next].offset - p.offset
	}
	if end := f.Sections[p.section].Size; !f.Linked && end > p.offset {
		return end - p.offset
	}
	return 0
}

// function is that of one symbol.
func (f *File) function(p place) Function {
	bind := elf.ST_BIND(f.symbol(p.number).Info)
	fn := Function{Symbol: f.nameOf(p), Start: p.address(), Local: bind == elf.STB_LOCAL}
	if fn.Local {
		fn.File = f.names.at(p.file)
	} else {
		fn.Public, fn.Weak = []string{fn.Symbol}, bind == elf.STB_WEAK
	}
	return fn
}

func (f *File) nameOf(p place) string {
	name := f.symbol(p.number).Name
	return string(f.names[name : name+p.name])
}

func (f *File) isLocal(p place) bool { return elf.ST_BIND(f.symbol(p.number).Info) == elf.STB_LOCAL }

func (p place) address() Address { return Address{int(p.section), p.offset} }

func (f *File) symbol(i uint32) elf.Sym64 {
	raw := f.symbols[i*symbolBytes:][:symbolBytes]
	return elf.Sym64{
		Name: f.uint32(raw), Info: raw[4], Other: raw[5], Shndx: f.uint16(raw[6:]), Value: f.uint64(raw[8:]), Size: f.uint64(raw[16:]),
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
