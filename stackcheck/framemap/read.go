package framemap

import (
	"debug/dwarf"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// Bounds on what is read of one object: attributes of entries, and bytes of what they refer to. A compiler's output takes about
// three for each byte of .debug_info.
const (
	leastWork   = 1 << 20
	workPerByte = 24
)

// errMostWork is the error of debug information that refers to itself more than any that a compiler writes.
var errMostWork = errors.New("there is more of it than a compiler writes; the file is damaged")

// Read reads the maps of an object's functions, from the units that have any function that is wanted: those of all
// functions of these units, in their order. The object is read from r, where it was opened. What is wrong with a unit is
// an error, and the other units are read all the same. ErrNone tells that there is no debug information.
func Read(r io.ReaderAt, f *object.File, wanted func(object.Function) bool) ([]*Map, error) {
	s, err := readSections(r, f)
	if err != nil {
		return nil, err
	}
	o := &reading{file: f, sections: s, work: leastWork + workPerByte*len(s.info), functions: make(map[uint64]*object.Function)}
	for i := range f.Functions() {
		fn := &f.Functions()[i]
		at := AddressOf(f, fn.Start)
		o.functions[at] = fn
		if wanted(*fn) {
			o.wanted = append(o.wanted, at)
		}
	}
	slices.Sort(o.wanted)
	if len(o.wanted) == 0 {
		return nil, nil
	}
	return o.readUnits()
}

func (o *reading) readUnits() (maps []*Map, err error) {
	err = o.eachUnit(func(h unitHeader) error {
		read, err := o.readUnit(h)
		maps = append(maps, read...)
		return err
	})
	return maps, err
}

// eachUnit calls read for each unit. debug/dwarf is not known to panic, but nobody promises that it does not.
func (o *reading) eachUnit(read func(unitHeader) error) error {
	safely := func(h unitHeader) (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("debug/dwarf: %v; the file is damaged", r)
			}
		}()
		return read(h)
	}
	var failed []error
	for at := uint64(0); at < uint64(len(o.sections.info)); {
		h, err := o.header(at)
		if err == nil && h.compiled {
			err = safely(h)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: debug information of the unit at byte %d: %w", o.file.Name, at, err))
		}
		if h.end <= at || len(failed) == mostErrors || o.work <= 0 {
			break
		}
		at = h.end
	}
	return errors.Join(failed...)
}

// mostErrors is how many units of an object may be wrong before the rest is left.
const mostErrors = 10

// reading is an object that is being read.
type reading struct {
	file      *object.File
	sections  *sections
	functions map[uint64]*object.Function // by address
	wanted    []uint64                    // of their addresses, in order
	work      int                         // that is left
}

// spend reports whether so much work may be done, and notes that it is.
func (o *reading) spend(n int) bool {
	o.work -= n
	return o.work > 0
}

// A unitHeader is what stands before a unit's entries.
type unitHeader struct {
	start, end    uint64 // in .debug_info
	version       int
	compiled      bool // has entries of code
	abbreviations uint64
}

// Types of units (DWARF 5, section 7.5.1).
const unitCompile = 1

func (o *reading) header(at uint64) (unitHeader, error) {
	h := unitHeader{start: at}
	b := cursor{data: o.sections.info[at:]}
	order := o.file.Order()
	length := b.fixed(4, order)
	if length >= 0xfffffff0 {
		return h, errors.New("it is DWARF of 64 bits, which no compiler writes unless told to (-gdwarf64)")
	}
	b.data = b.take(length)
	if b.failed {
		return h, errors.New("it is cut off")
	}
	h.end = at + 4 + length
	h.version = int(b.fixed(2, order))
	switch {
	case h.version == 5:
		h.compiled = b.byte() == unitCompile
		b.byte() // size of addresses
		h.abbreviations = b.fixed(4, order)
	case h.version >= 2 && h.version <= 4:
		h.abbreviations, h.compiled = b.fixed(4, order), true
	default:
		return h, fmt.Errorf("it is DWARF %d; 2 to 5 are read", h.version)
	}
	if b.failed {
		return h, errors.New("it is cut off")
	}
	return h, nil
}

// A Unit is the debug information of one unit, for other readers than that of maps. Addresses in it are those of AddressOf.
type Unit struct {
	*dwarf.Data
	Bytes int // of .debug_info
	lists locations
}

// Locations calls visit for each expression of where a variable lies, with the addresses from which on, and up to which, it holds: from 0 to the
// last of all for one that holds in all of the variable's scope, and none where that is not read.
func (u *Unit) Locations(f *dwarf.Field, visit func(from, to uint64, expression []byte)) {
	u.lists.each(f, visit)
}

// EachUnit calls visit for each unit of an object, which was opened on r. What is wrong with a unit, or what visit returns, is an error, and the other
// units are visited all the same. ErrNone tells that there is no debug information.
func EachUnit(r io.ReaderAt, f *object.File, visit func(*Unit) error) error {
	s, err := readSections(r, f)
	if err != nil {
		return err
	}
	o := &reading{file: f, sections: s, work: leastWork + workPerByte*len(s.info)}
	return o.eachUnit(func(h unitHeader) error {
		data, err := o.open(h)
		if err != nil {
			return err
		}
		u := &Unit{Data: data, Bytes: int(h.end - h.start), lists: locations{reading: o, version: h.version, order: f.Order()}}
		root, err := data.Reader().Next()
		if err != nil || root == nil {
			return err
		}
		u.lists.settle(root)
		return visit(u)
	})
}

// open returns the debug information of a unit.
func (o *reading) open(h unitHeader) (*dwarf.Data, error) {
	abbrev, err := abbreviations(o.sections.abbrev, h.abbreviations)
	if err != nil {
		return nil, err
	}
	if !o.spend(len(abbrev) - int(h.abbreviations)) {
		return nil, errMostWork
	}
	s := o.sections
	data, err := dwarf.New(abbrev, nil, nil, s.info[h.start:h.end], nil, nil, s.ranges, s.str)
	if err != nil {
		return nil, err
	}
	for name, content := range map[string][]byte{
		".debug_addr": s.addr, ".debug_line_str": s.lineStr, ".debug_str_offsets": s.strOffsets, ".debug_rnglists": s.rnglists,
	} {
		if err := data.AddSection(name, content); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// readUnit reads a unit.
func (o *reading) readUnit(h unitHeader) (maps []*Map, err error) {
	data, err := o.open(h)
	if err != nil {
		return nil, err
	}
	u := &unit{
		locations: locations{reading: o, version: h.version, order: o.file.Order()}, data: data, reader: data.Reader(), lookup: data.Reader(),
		types: make(map[dwarf.Offset]typeInfo), origins: make(map[dwarf.Offset]origin),
	}
	err = u.readEntries()
	return u.maps, err
}
