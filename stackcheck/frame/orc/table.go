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

// Sections and sizes (scripts/sorttable.h, include/asm-generic/vmlinux.lds.h).
const (
	rowsSection      = ".orc_unwind"
	addressesSection = ".orc_unwind_ip" // for each row a 32-bit distance from itself to the row's code
	rowBytes         = 6
	addressBytes     = 4
)

// ErrNone is the error of an object that has no ORC.
var ErrNone = errors.New("no ORC (.orc_unwind); a kernel with CONFIG_UNWINDER_ORC has it, in its modules and vmlinux")

// A Table is the ORC of an object.
type Table struct {
	rows []Row // by address
}

// Read reads the ORC of an object. A table that is damaged anywhere is an error as a whole: a row that is missing makes
// the one before it stand for code that it does not describe.
func Read(f *object.File) (*Table, error) {
	rows, addresses := f.Find(rowsSection), f.Find(addressesSection)
	if len(rows) == 0 || len(addresses) == 0 {
		return nil, fmt.Errorf("%s: %w", f.Name, ErrNone)
	}
	if f.Machine != elf.EM_X86_64 {
		return nil, fmt.Errorf("%s: ORC of %v; only that of x86-64 is read", f.Name, f.Machine)
	}
	content, err := f.Data(rows[0])
	if err != nil {
		return nil, err
	}
	where, err := readAddresses(f, addresses[0])
	if err != nil {
		return nil, err
	}
	if len(content) != len(where)*rowBytes {
		return nil, fmt.Errorf("%s: section %s: %d bytes for %d rows of %d bytes; the file is damaged",
			f.Name, rowsSection, len(content), len(where), rowBytes)
	}
	t, err := decode(content, where)
	if err != nil {
		return nil, fmt.Errorf("%s: section %s: %w", f.Name, rowsSection, err)
	}
	return t, nil
}

func readAddresses(f *object.File, s *object.Section) ([]object.Address, error) {
	fail := func(format string, args ...any) ([]object.Address, error) {
		return nil, fmt.Errorf("%s: section %s: %s; the file is damaged", f.Name, s.Name, fmt.Sprintf(format, args...))
	}
	content, err := f.Data(s)
	if err != nil {
		return nil, err
	}
	where := make([]object.Address, len(content)/addressBytes)
	if f.Linked {
		for i := range where {
			distance := int32(binary.LittleEndian.Uint32(content[i*addressBytes:]))
			where[i].Offset = s.Addr + uint64(i*addressBytes) + uint64(int64(distance))
		}
		return where, nil
	}
	relocations := 0
	var damaged error
	err = f.EachPointer(s, func(p object.Pointer) {
		relocations++
		i := p.Field / addressBytes
		switch {
		case damaged != nil:
		case p.Field%addressBytes != 0 || p.Field >= uint64(len(content)):
			_, damaged = fail("a relocation of byte %d, where no row is", p.Field)
		case where[i] != (object.Address{}):
			_, damaged = fail("two relocations of row %d", i)
		default:
			where[i] = p.Target
		}
	})
	switch {
	case err != nil:
		return nil, err
	case relocations != len(where):
		return fail("%d rows, but %d relocations", len(where), relocations)
	case damaged != nil:
		return nil, damaged
	}
	return where, nil
}

func decode(content []byte, where []object.Address) (*Table, error) {
	flags := func(i int) uint16 { return binary.LittleEndian.Uint16(content[i*rowBytes+4:]) }
	layout := layoutOf(func(yield func(uint16) bool) {
		for i := range where {
			if !yield(flags(i)) {
				return
			}
		}
	})
	t := &Table{rows: make([]Row, len(where))}
	for i := range where {
		base := Base(flags(i) & 0xf)
		if base > SPIndirect {
			return nil, fmt.Errorf("row %d tells by register %d, which no kernel up to 6.12 has; the file is damaged, or newer", i, base)
		}
		offset := int16(binary.LittleEndian.Uint16(content[i*rowBytes:]))
		t.rows[i] = Row{Address: where[i], Offset: offset, Base: base, Kind: layout.kind(flags(i))}
	}
	t.sort()
	return t, nil
}

// sort brings the rows into the order of their code. Those of a module that was linked from several objects stand in the
// order of the objects, and within a section mostly in that of their code. Of two at one address the one that knows
// something counts, as in the kernel (orc_sort_cmp in arch/x86/kernel/unwind_orc.c): the other closes the object before.
func (t *Table) sort() {
	compare := func(a, b Row) int {
		if byAddress := a.Address.Compare(b.Address); byAddress != 0 {
			return byAddress
		}
		return int(min(a.Base, 1)) - int(min(b.Base, 1))
	}
	if slices.IsSortedFunc(t.rows, compare) {
		return
	}
	counts := make(map[int]int)
	for _, r := range t.rows {
		counts[r.Address.Section]++
	}
	sections := make(map[int][]Row)
	for section, count := range counts {
		sections[section] = make([]Row, 0, count)
	}
	for _, r := range t.rows {
		sections[r.Address.Section] = append(sections[r.Address.Section], r)
	}
	t.rows = t.rows[:0]
	for _, section := range slices.Sorted(maps.Keys(sections)) {
		rows := sections[section]
		if !slices.IsSortedFunc(rows, compare) {
			slices.SortStableFunc(rows, compare)
		}
		t.rows = append(t.rows, rows...)
	}
}

// Rows returns the rows that tell about n bytes of code, in the order of their addresses: the one that holds at the first
// byte, if there is any, and those inside.
func (t *Table) Rows(start object.Address, n uint64) []Row {
	first := t.after(start) - 1
	if first < 0 || t.rows[first].Address.Section != start.Section {
		first++
	}
	end := object.Address{Section: start.Section, Offset: start.Offset + max(n, 1) - 1}
	if end.Offset < start.Offset {
		end.Offset = ^uint64(0)
	}
	return t.rows[first:max(first, t.after(end))]
}

// At returns the row that holds at an address: a call site's depth is that of its row.
func (t *Table) At(a object.Address) (Row, bool) {
	rows := t.Rows(a, 1)
	if len(rows) == 0 {
		return Row{}, false
	}
	return rows[len(rows)-1], true
}

// after returns the index of the first row behind an address.
func (t *Table) after(a object.Address) int {
	i, _ := slices.BinarySearchFunc(t.rows, a, func(r Row, a object.Address) int {
		if r.Address.Compare(a) <= 0 {
			return -1
		}
		return 1
	})
	return i
}
