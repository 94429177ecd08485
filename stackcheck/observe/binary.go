package observe

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/kmodaudit/kmodaudit/kmod"
	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame/orc"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// Binaries are the modules, and perhaps the kernel, whose functions a trace names.
type Binaries struct {
	modules map[string]*machineCode // by name; the kernel's is empty
}

// ReadBinaries reads those binaries below paths that traces name. As all builds, they are directories or files, see
// stackcheck.Files. With an error, it returns what could be read.
func ReadBinaries(traces []Trace, paths ...string) (Binaries, error) {
	named := make(map[string]bool)
	for _, t := range traces {
		for _, e := range t.Entries {
			named[e.Module] = true
		}
	}
	b := Binaries{make(map[string]*machineCode)}
	var bad []error
	for _, p := range paths {
		for file, err := range stackcheck.Files(p) {
			module, ok := moduleOf(file)
			if err != nil || !ok || !named[module] || b.modules[module] != nil { // stackcheck.Read tells of the error
				continue
			}
			code, err := readCode(file.Name)
			if err != nil {
				bad = append(bad, fmt.Errorf("reading the code that the trace names: %w", err))
				continue
			}
			b.modules[module] = code
		}
	}
	return b, errors.Join(bad...)
}

// moduleOf tells modules and kernels from the other files of a build.
func moduleOf(file stackcheck.File) (name string, ok bool) {
	base := path.Base(file.Path)
	switch {
	case isKernel(base):
		return "", true
	case strings.Contains(base, ".ko"):
		return kmod.NameOf(base), true
	}
	return "", false
}

// machineCode is what an object tells of its functions at each of their instructions.
type machineCode struct {
	file    *object.File
	depths  *orc.Table // ORC, and what the code tells where there is none; nil of other machines
	hasORC  bool
	extents map[string][]part // by symbol
}

// A part is the code of a function, or of its cold part.
type part struct {
	function *object.Function
	object.Extent
}

func readCode(name string) (*machineCode, error) {
	data, err := kmod.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f, err := object.Open(bytes.NewReader(data), int64(len(data)), name)
	if err != nil {
		return nil, err
	}
	depths, err := orc.Read(f)
	hasORC := !errors.Is(err, orc.ErrNone)
	if err == nil || !hasORC {
		var code *orc.Table
		if code, err = orc.FromCode(f, depths.Untold(f), callgraph.ReturnsNever); errors.Is(err, orc.ErrNone) {
			err = nil
		}
		depths = depths.With(code)
	}
	c := &machineCode{file: f, depths: depths, hasORC: hasORC, extents: make(map[string][]part)}
	for i := range f.Functions() {
		fn := &f.Functions()[i]
		whole := part{fn, object.Extent{Start: fn.Start, Size: fn.Size}}
		for _, symbol := range append(fn.Aliases, fn.Symbol) {
			c.extents[symbol] = append(c.extents[symbol], whole)
		}
		for _, cold := range fn.Cold {
			c.extents[fn.Symbol+coldSuffix] = append(c.extents[fn.Symbol+coldSuffix], part{fn, cold})
		}
	}
	return c, err
}

const coldSuffix = ".cold"

// maxPaddingBytes is how much longer than its symbol the kernel takes a function to be: up to the next symbol.
const maxPaddingBytes = 64

// A match tells whether the code that a trace names is that of a binary.
type match int

const (
	unknown  match = iota // there is no binary that could tell, or no such symbol: the kernel also knows labels of assembly
	same                  // of the same length
	foreign               // of another length: the trace is of another build
	repeated              // several functions of that name and length
)

// find returns the code that an entry lies in.
func (c *machineCode) find(e Entry) (part, match) {
	if c == nil || e.Length == 0 {
		return part{}, unknown
	}
	name := e.Function
	if at := strings.Index(name, coldSuffix); at > 0 {
		name = name[:at+len(coldSuffix)] // gcc 8 numbers them
	}
	var found []part
	for _, p := range c.extents[name] {
		if p.Size <= e.Length && e.Length-p.Size < maxPaddingBytes {
			found = append(found, p)
		}
	}
	switch {
	case len(c.extents[name]) == 0:
		return part{}, unknown
	case len(found) == 0:
		return part{}, foreign
	case len(found) == 1:
		return found[0], same
	}
	return found[0], repeated
}

// copiedBelow returns how far below a return address the tracer found a copy of it. Where the kernel keeps frame pointers, so that its modules have no
// ORC, the trampoline that calls the tracer pushes the return address of the traced function's caller a second time, behind its own and a frame pointer
// (save_mcount_regs in arch/x86/kernel/ftrace_64.S); that is the second entry's.
func (c *machineCode) copiedBelow(entry int) int {
	if entry != 1 || c == nil || c.hasORC || c.file.Machine != elf.EM_X86_64 {
		return 0
	}
	return 3 * 8
}

// teller is what tells depths.
func (c *machineCode) teller() string {
	if c.hasORC {
		return "ORC"
	}
	return "its code"
}

// depthAtCall returns the depth at the call that pushed an entry's return address, or 0 when nothing tells it exactly.
func (c *machineCode) depthAtCall(p part, e Entry) int {
	if c.depths == nil || e.Offset == 0 || e.Offset > p.Size {
		return 0
	}
	at := p.Start
	at.Offset += e.Offset - 1
	row, ok := c.depths.At(at)
	if !ok || row.Kind != orc.Call {
		return 0
	}
	if bytes, exact, ok := row.Depth(); ok && exact {
		return bytes
	}
	return 0
}
