package orc

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// patches is what tables say of code: where it goes on other than by what stands there, and what the kernel puts in its place when it starts.
type patches struct {
	branches     map[object.Address]object.Address // from instructions that are patched into jumps, and from those that may fault
	alternatives map[object.Address][]alternative
	places       []object.Address // of both, in order
	others       []object.Extent  // code that is none of functions: what replaces some, and detours
	detours      []object.Extent  // of this, that which functions jump to and that jumps back to them
}

// An alternative is code that may take the place of other code.
type alternative struct {
	code   object.Extent
	places int // bytes of code that it may replace
}

// A shape is that of the entries of a table. They begin with the place of one piece of code, and have that of another second bytes on.
type shape struct{ bytes, second int }

var (
	jumpShapes      = []shape{{16, 4}, {24, 8}} // struct jump_entry as Linux 5.4 and later have it, and as 4.15 does
	exceptionShapes = []shape{{12, 4}, {8, 4}}  // struct exception_table_entry as Linux 4.15 and later have it, and as 4.4 does

	// struct alt_instr as Linux 6.1 has it, as 6.12 and later do, and as 4.4 to 5.10 do, with the length of the padding at its end
	// (arch/x86/include/asm/alternative.h). The byte at lengths is that of the code, and the next that of what may replace it.
	alternativeShapes = []struct {
		shape
		lengths int
	}{{shape{12, 4}, 10}, {shape{14, 4}, 12}, {shape{13, 4}, 10}}
)

// readPatches reads what these tables say of some parts of the code. Where branches are of no known shape, the code that only they lead to is taken for code that
// is not reached.
func readPatches(f *object.File, parts []object.Extent) (*patches, error) {
	p := &patches{branches: make(map[object.Address]object.Address), alternatives: make(map[object.Address][]alternative)}
	parts = slices.SortedFunc(slices.Values(parts), func(a, b object.Extent) int { return a.Start.Compare(b.Start) })
	for name, shapes := range map[string][]shape{"__jump_table": jumpShapes, "__ex_table": exceptionShapes} {
		for _, t := range tablesOf(f, name) {
			for _, sh := range shapes {
				found := make(map[object.Address]object.Address)
				err := t.each(f, sh, func(from, to object.Address, isKnown bool, _ []byte) bool {
					if holding(parts, from) {
						found[from] = to
					}
					return isKnown
				})
				if err == nil {
					maps.Copy(p.branches, found)
					break
				}
			}
		}
	}
	for _, s := range f.Find(".altinstr_aux") { // arch/x86/include/asm/cpufeature.h
		p.detours = append(p.detours, object.Extent{Start: startOf(f, s), Size: s.Size})
	}
	err := p.readAlternatives(f, parts)
	p.others = append(p.others, p.detours...)
	p.places = slices.AppendSeq(slices.Collect(maps.Keys(p.branches)), maps.Keys(p.alternatives))
	slices.SortFunc(p.places, object.Address.Compare)
	return p, err
}

// mark marks the places of a function's code.
func (p *patches) mark(code *piece) {
	first, _ := slices.BinarySearchFunc(p.places, code.Start, object.Address.Compare)
	for _, at := range p.places[first:] {
		if !code.Holds(at) {
			break
		}
		code.reached[at.Offset-code.Start.Offset].patched = true
	}
}

// readAlternatives takes the shape by which all entries are of code that lies among that which may replace other.
func (p *patches) readAlternatives(f *object.File, parts []object.Extent) error {
	var replacements []object.Extent
	for _, s := range f.Find(".altinstr_replacement") {
		replacements = append(replacements, object.Extent{Start: startOf(f, s), Size: s.Size})
	}
next:
	for _, t := range tablesOf(f, ".altinstructions") {
		for _, sh := range alternativeShapes {
			found := make(map[object.Address][]alternative)
			err := t.each(f, sh.shape, func(from, to object.Address, isKnown bool, entry []byte) bool {
				a := alternative{object.Extent{Start: to, Size: uint64(entry[sh.lengths+1])}, int(entry[sh.lengths])}
				if holding(parts, from) {
					found[from] = append(found[from], a)
				}
				switch {
				case a.code.Size == 0: // which has no place in Linux 4.15 and 5.4
					return true
				case f.Machine == elf.EM_AARCH64: // which has it behind the functions
					return isKnown && int(a.code.Size) == a.places
				}
				return isKnown && holding(replacements, to) && int(a.code.Size) <= a.places
			})
			switch {
			case err == nil:
				for from, all := range found {
					p.alternatives[from] = append(p.alternatives[from], all...)
					for _, a := range all {
						p.others = append(p.others, a.code)
					}
				}
				continue next
			case !errors.Is(err, errShape):
				return err
			}
		}
		return fmt.Errorf("%s: section %s: its entries are not those of Linux up to 7.3, so that code that the kernel replaces when it starts is not followed; "+
			"the file is damaged, or newer", f.Name, t.name)
	}
	return nil
}

func (p *patches) isDetour(a object.Address) bool { return holding(p.detours, a) }

// holding reports whether one of the extents, which are in order, holds an address.
func holding(extents []object.Extent, a object.Address) bool {
	i, found := slices.BinarySearchFunc(extents, a, func(e object.Extent, a object.Address) int { return e.Start.Compare(a) })
	if !found {
		i--
	}
	return i >= 0 && extents[i].Holds(a)
}

func startOf(f *object.File, s *object.Section) object.Address {
	if f.Linked {
		return object.Address{Offset: s.Addr}
	}
	return object.Address{Section: s.Index}
}

// A table has entries with places in code: distances from the fields that hold them, or addresses, if these have 64 bits.
type table struct {
	name    string
	section *object.Section // of an object that is not linked
	extent  object.Extent
}

// tablesOf returns those of a name. In a kernel one without a section of its own lies between two symbols.
func tablesOf(f *object.File, name string) (all []table) {
	for _, s := range f.Find(name) {
		all = append(all, table{name, s, object.Extent{Start: startOf(f, s), Size: s.Size}})
	}
	if len(all) > 0 || !f.Linked {
		return all
	}
	start, hasStart := f.Symbol("__start_" + name)
	stop, hasStop := f.Symbol("__stop_" + name)
	if hasStart && hasStop && stop.Offset > start.Offset {
		all = append(all, table{name: name, extent: object.Extent{Start: start, Size: stop.Offset - start.Offset}})
	}
	return all
}

// each calls visit for the entries of a shape, or returns that they are of another: that of the first place is not known, or visit says so.
func (t table) each(f *object.File, sh shape, visit func(first, second object.Address, isSecondKnown bool, entry []byte) (fits bool)) error {
	switch {
	case t.extent.Size == 0:
		return nil
	case t.extent.Size%uint64(sh.bytes) != 0:
		return errShape
	}
	content, err := f.Code(t.extent, t.extent.Size)
	if err != nil {
		return err
	}
	place := func(field int) (object.Address, bool) {
		if sh.second == 8 {
			return object.Address{Offset: binary.LittleEndian.Uint64(content[field:])}, true
		}
		distance := int32(binary.LittleEndian.Uint32(content[field:]))
		return object.Address{Offset: t.extent.Start.Offset + uint64(field) + uint64(int64(distance))}, true
	}
	if !f.Linked {
		targets := make(map[uint64]object.Address)
		if err := f.EachPointer(t.section, func(p object.Pointer) { targets[p.Field] = p.Target }); err != nil {
			return err
		}
		place = func(field int) (object.Address, bool) {
			to, ok := targets[uint64(field)]
			return to, ok
		}
	}
	for at := 0; at+sh.bytes <= len(content); at += sh.bytes {
		first, isFirstKnown := place(at)
		second, isSecondKnown := place(at + sh.second)
		if !isFirstKnown || !visit(first, second, isSecondKnown, content[at:at+sh.bytes]) {
			return errShape
		}
	}
	return nil
}

var errShape = errors.New("entries of another shape")
