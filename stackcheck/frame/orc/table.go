package orc

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
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
	rows   []Row        // by address
	source frame.Source // that its frames have
	entry  int          // what is taken of the stack when a function begins
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
	where, err := readAddresses(f, addresses[0])
	if err != nil {
		return nil, err
	}
	t := &Table{rows: where, source: frame.SourceORC, entry: f.ReturnAddressBytes()}
	if want := uint64(len(t.rows)) * rowBytes; rows[0].Size != want {
		return nil, fmt.Errorf("%s: section %s: %d bytes for %d rows of %d bytes; the file is damaged",
			f.Name, rowsSection, rows[0].Size, len(t.rows), rowBytes)
	}
	if err := f.Pieces(rows[0], rowBytes, t.decode); err != nil {
		return nil, err
	}
	t.classify()
	t.sort()
	return t, nil
}

// readAddresses returns rows that have their addresses alone.
func readAddresses(f *object.File, s *object.Section) ([]Row, error) {
	fail := func(format string, args ...any) ([]Row, error) {
		return nil, fmt.Errorf("%s: section %s: %s; the file is damaged", f.Name, s.Name, fmt.Sprintf(format, args...))
	}
	if err := f.Has(s); err != nil {
		return nil, err
	}
	rows := make([]Row, s.Size/addressBytes)
	if f.Linked {
		err := f.Pieces(s, addressBytes, func(first int, piece []byte) error {
			for i := 0; i < len(piece); i += addressBytes {
				field := first*addressBytes + i
				distance := int32(binary.LittleEndian.Uint32(piece[i:]))
				rows[field/addressBytes].offset = s.Addr + uint64(field) + uint64(int64(distance))
			}
			return nil
		})
		return rows, err
	}
	relocations := 0
	untouched := uint64(0) // this row and those after it: read first, they would be mapped to zeros, and copied when written
	var damaged error
	err := f.EachPointer(s, func(p object.Pointer) {
		relocations++
		i := p.Field / addressBytes
		switch {
		case damaged != nil:
		case p.Field%addressBytes != 0 || i >= uint64(len(rows)):
			_, damaged = fail("a relocation of byte %d, where no row is", p.Field)
		case i < untouched && rows[i] != (Row{}):
			_, damaged = fail("two relocations of row %d", i)
		default:
			rows[i].setAddress(p.Target)
			untouched = max(untouched, i+1)
		}
	})
	switch {
	case err != nil:
		return nil, err
	case relocations != len(rows):
		return fail("%d rows, but %d relocations", len(rows), relocations)
	case damaged != nil:
		return nil, damaged
	}
	return rows, nil
}

// decode reads what some rows say, as far as it does not take their layout to know.
func (t *Table) decode(first int, piece []byte) error {
	for i := 0; i < len(piece); i += rowBytes {
		said := raw{register: piece[i+4] & 0xf, types: piece[i+5] & 7}
		if said.register > lastRegister {
			return fmt.Errorf("row %d tells by register %d, which no kernel up to 7.3 has; the file is damaged, or newer", first+i/rowBytes, said.register)
		}
		row := &t.rows[first+i/rowBytes]
		row.Offset, row.raw = int16(binary.LittleEndian.Uint16(piece[i:])), said
	}
	return nil
}

// classify tells what the rows mean, which takes all of them to know.
func (t *Table) classify() {
	var c census
	for i := range t.rows {
		c.count(t.rows[i].raw)
	}
	l := c.layout()
	for i := range t.rows {
		row := &t.rows[i]
		row.Base, row.Kind = l.base(row.raw), l.kind(row.raw)
		if row.Base == OtherBase {
			row.Offset = 0 // it counts from what is not known
		}
		if row.Kind == Call && row.Base != Undefined {
			row.Offset = max(row.Offset, int16(t.entry)) // of SP, less is of a damaged table
		}
	}
}

// With returns a table that has the rows of another too, such as of functions that objtool was kept from. Both may be nil.
func (t *Table) With(other *Table) *Table {
	switch {
	case t == nil:
		return other
	case other == nil:
		return t
	}
	both := &Table{rows: slices.Concat(t.rows, other.rows), source: t.source, entry: t.entry}
	both.sort()
	return both
}

// sort brings the rows into the order of their code. Those of a module that was linked from several objects stand in the
// order of the objects, and within a section mostly in that of their code. Of two at one address the one that knows
// something counts, as in the kernel (orc_sort_cmp in arch/x86/kernel/unwind_orc.c): the other closes the object before.
func (t *Table) sort() {
	compare := func(a, b Row) int {
		if byAddress := a.Address().Compare(b.Address()); byAddress != 0 {
			return byAddress
		}
		return int(min(a.Base, 1)) - int(min(b.Base, 1))
	}
	if slices.IsSortedFunc(t.rows, compare) {
		return
	}
	sections := 0
	for _, r := range t.rows {
		sections = max(sections, int(r.section)+1)
	}
	ends := make([]int, sections+1) // of the section before
	for _, r := range t.rows {
		ends[r.section+1]++
	}
	for i := range sections {
		ends[i+1] += ends[i]
	}
	rows := make([]Row, len(t.rows))
	for _, r := range t.rows {
		rows[ends[r.section]] = r
		ends[r.section]++
	}
	first := 0
	for _, end := range ends[:sections] {
		if section := rows[first:end]; !slices.IsSortedFunc(section, compare) {
			slices.SortStableFunc(section, compare)
		}
		first = end
	}
	t.rows = rows
}

// Rows returns the rows that tell about n bytes of code, in the order of their addresses: the one that holds at the first
// byte, if there is any, and those inside.
func (t *Table) Rows(start object.Address, n uint64) []Row {
	rows, _ := t.rowsFrom(len(t.rows), start, n)
	return rows
}

// nearRows are looked at one by one, before any is searched for.
const nearRows = 16

// rowsFrom is Rows, of code that is expected near the row of an index; it returns too where code behind it is to be expected.
func (t *Table) rowsFrom(near int, start object.Address, n uint64) (rows []Row, next int) {
	after, limit := near, min(near+nearRows, len(t.rows))
	for after < limit && t.rows[after].Address().Compare(start) <= 0 {
		after++
	}
	if after == near || after == limit {
		after = t.after(start)
	}
	first := after - 1
	if first < 0 || int(t.rows[first].section) != start.Section {
		first++
	}
	end := object.Address{Section: start.Section, Offset: start.Offset + max(n, 1) - 1}
	if end.Offset < start.Offset {
		end.Offset = ^uint64(0)
	}
	last := first
	for last < len(t.rows) && t.rows[last].Address().Compare(end) <= 0 { // the caller looks at each
		last++
	}
	return t.rows[first:last], max(last-1, 0)
}

// At returns the row that holds at an address: a call site's depth is that of its row.
func (t *Table) At(a object.Address) (Row, bool) {
	i := t.after(a) - 1
	if i < 0 || int(t.rows[i].section) != a.Section {
		return Row{}, false
	}
	return t.rows[i], true
}

// after returns the index of the first row behind an address.
func (t *Table) after(a object.Address) int {
	i, _ := slices.BinarySearchFunc(t.rows, a, func(r Row, a object.Address) int {
		if r.Address().Compare(a) <= 0 {
			return -1
		}
		return 1
	})
	return i
}
