package prototype

import (
	"cmp"
	"debug/elf"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/framemap"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// Prototypes are those of an object's functions, and of the pointers that its code calls.
type Prototypes struct {
	Functions []string                  // in the order of object.File.Functions; empty where it is not known
	Pointers  map[object.Address]string // of calls and jumps through pointers, by the address of the instruction
}

// ErrNone is the error of an object without types.
var ErrNone = errors.New("no debug information, and no BTF: the types of pointers are not known; build with -g, and give the object before it is stripped")

// Read reads the types of an object, which was opened on r, and follows them through its code: those of its debug information, or those of
// its BTF, if it has that and no other, or is a kernel. The kernel, which may be nil, is what a module's BTF builds on. Of what is wrong with
// the debug information of one unit, the error tells, and all others are read all the same. ErrNone tells that there is neither.
func Read(r io.ReaderAt, f *object.File, kernel *Kernel) (*Prototypes, error) {
	code, err := f.ReadCode()
	if err != nil {
		return nil, err
	}
	p := &Prototypes{Functions: make([]string, len(f.Functions())), Pointers: make(map[object.Address]string)}
	data := f.DataSymbols()
	if len(f.Find(".BTF")) > 0 && (f.Linked || len(f.Find(".debug_info")) == 0) {
		s := newScope(f, data)
		if err := s.readBTF(kernel); err != nil {
			return nil, err
		}
		p.readScope(code, s)
		return p, nil
	}
	starts := make(map[uint64]bool)
	for _, fn := range f.Functions() {
		starts[framemap.AddressOf(f, fn.Start)] = true
	}
	work := 0
	err = framemap.EachUnit(r, f, func(unit *framemap.Unit) error {
		work += unit.Bytes
		u := newUnitTypes(unit, f.Order(), func(at uint64) bool { return starts[at] }, &work)
		s := newScope(f, data)
		u.read(&s.declared)
		s.settle()
		p.readScope(code, s)
		return nil
	})
	if errors.Is(err, framemap.ErrNone) {
		err = ErrNone
	}
	return p, err
}

// scope is what one unit tells, or BTF.
type scope struct {
	declared
	file *object.File
	data object.DataSymbols
}

func newScope(f *object.File, data object.DataSymbols) *scope {
	return &scope{
		declared: declared{
			functions: make(map[uint64]*ctype), named: make(map[string]*ctype), externs: make(map[string]*ctype), locals: make(map[uint64][]local),
		},
		file: f, data: data,
	}
}

func (s *scope) settle() {
	slices.SortFunc(s.variables, func(a, b variable) int { return cmp.Compare(a.address, b.address) })
}

// function is the type of what begins at a place.
func (s *scope) function(t object.Target) *ctype {
	if t.Symbol != "" {
		return s.named[t.Symbol]
	}
	if fn := s.functions[framemap.AddressOf(s.file, t.Address)]; fn != nil {
		return fn
	}
	if i, ok := s.file.Index(t.Address); ok {
		return s.named[s.file.Functions()[i].Symbol]
	}
	return nil
}

// variable is the type of what lies at a place, and the offset of the place in it.
func (s *scope) variable(t object.Target) (*ctype, int64) {
	if t.Symbol != "" {
		return s.externs[t.Symbol], int64(t.Offset)
	}
	at := framemap.AddressOf(s.file, t.Address)
	i, ok := slices.BinarySearchFunc(s.variables, at, func(v variable, at uint64) int { return cmp.Compare(v.address, at) })
	if !ok {
		i--
	}
	if i >= 0 {
		if v := s.variables[i]; at-v.address < uint64(max(v.typ.size, 1)) {
			return v.typ, int64(at - v.address)
		}
	}
	if name, offset := s.data.At(t.Address); name != "" {
		return s.externs[name], int64(offset)
	}
	return nil, 0
}

// readScope follows the types through the functions of the scope.
func (p *Prototypes) readScope(code *object.Code, s *scope) {
	for i := range s.file.Functions() {
		fn := &s.file.Functions()[i]
		start := framemap.AddressOf(s.file, fn.Start)
		t := s.functions[start]
		if t == nil {
			continue
		}
		p.Functions[i] = t.text()
		if isChanged(fn.Symbol) {
			p.Functions[i], t = "", nil
		}
		if s.file.Machine != elf.EM_X86_64 {
			continue
		}
		for at, to := range follow(s.file, code.Spans(fn), t, s.locals[start], s) {
			if to != nil {
				p.Pointers[at] = to.text()
			}
		}
	}
}

// isChanged tells the clones of functions whose parameters the compiler may have changed.
func isChanged(symbol string) bool {
	return strings.Contains(symbol, ".isra.") || strings.Contains(symbol, ".constprop.") || strings.Contains(symbol, ".part.")
}
