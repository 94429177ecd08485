package stackcheck

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/kmodaudit/kmodaudit/kmod"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame/orc"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame/stacksizes"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// A binary is what an object tells of its functions.
type binary struct {
	name    string // as File.Path
	product bool   // linked from other objects
	machine elf.Machine
	built   Built
	entries []string // see Build.Entries
	claims  []claim
	unit    *callgraph.Unit // nil when its calls are not read, or told by another
}

// isSized reports whether a source tells of the object's functions.
func (b binary) isSized() bool {
	return slices.ContainsFunc(b.claims, func(c claim) bool { return len(c.frames) > 0 })
}

// readBinaries reads objects, some at once: to expand a module takes longer than to understand it.
func readBinaries(files []File, calls bool) ([]binary, []error) {
	binaries, errs := make([]binary, len(files)), make([]error, len(files))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, file := range files {
		group.Go(func() error {
			binaries[i], errs[i] = readBinary(file, calls)
			return nil
		})
	}
	group.Wait()
	return binaries, slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

// isBootImage tells the bzImage of x86, by the magic of its setup header (Documentation/arch/x86/boot.rst).
func isBootImage(input io.ReaderAt) bool {
	const magicAt, magic = 0x202, "HdrS"
	var found [len(magic)]byte
	_, err := input.ReadAt(found[:], magicAt)
	return err == nil && string(found[:]) == magic
}

// readBinary reads an object. What is below a directory only because it is called like one, or has no functions,
// gives nothing. With an error it returns what could be read. Calls, and where they begin, are read if asked for.
func readBinary(file File, calls bool) (binary, error) {
	b := binary{name: file.Path, product: isLinked(file.Path)}
	input, size, closeInput, err := kmod.Open(file.Name)
	if err != nil {
		return b, err
	}
	defer closeInput()
	f, err := object.Open(input, size, file.Name)
	if err != nil {
		b.machine = object.MachineOf(input)
		noModule := errors.Is(err, object.ErrNotELF) && !strings.Contains(path.Base(file.Path), ".ko")
		noCode := errors.Is(err, object.ErrNoSymbols) && !b.product
		if !file.named && (noModule || noCode) {
			return b, nil
		}
		switch {
		case errors.Is(err, object.ErrNotELF) && isBootImage(input):
			err = fmt.Errorf("%s: a kernel as it is booted, compressed and without symbols; want its vmlinux, which the package of its debug information has (Debian: linux-image-RELEASE-dbg)", file.Name)
		case errors.Is(err, object.ErrNotELF):
			err = fmt.Errorf("%w; want a directory, an archive (.tar, .tar.zst, .tar.xz, .tar.gz), a .su or .ci file, a module (.ko), vmlinux or another object", err)
		}
		return b, err
	}
	b.machine, b.built = f.Machine, builtOf(f)
	if len(b.built.Modules) == 0 && strings.Contains(path.Base(file.Path), ".ko") { // of a kernel before 4.16
		b.built.Modules = []string{kmod.NameOf(file.Path)}
	}
	sizes, sizesErr := stacksizes.Sizes(f)
	table, depthsErr := orc.Read(f)
	var depths []frame.Frame
	if table != nil {
		depths = table.Sizes(f)
	}
	b.claims = make([]claim, len(f.Functions()))
	for i := range f.Functions() {
		b.claims[i] = claim{object: b.name, symbol: &f.Functions()[i]}
	}
	b.tell(sizes)
	b.tell(depths)
	var code *orc.Table
	var codeErr error
	if b.product && isOfKernel(f) {
		code, codeErr = b.followCode(f, depths)
	}
	var entriesErr, callsErr error
	if calls {
		b.entries, entriesErr = pointedAt(f)
		callsErr = b.readCalls(f, table.With(code))
		if b.unit != nil {
			b.unit.File = file.Name
		}
	}
	return b, errors.Join(unlessNone(sizesErr, stacksizes.ErrNone), unlessNone(depthsErr, orc.ErrNone), unlessNone(codeErr, orc.ErrNone), entriesErr, unlessNone(callsErr, object.ErrMachine))
}

// followCode tells of the functions of which ORC does not, as depths show, and returns how deep the stack is in them.
func (b *binary) followCode(f *object.File, depths []frame.Frame) (*orc.Table, error) {
	var untold []int
	for i := range b.claims {
		if depths == nil || depths[i].Source == "" {
			untold = append(untold, i)
		}
	}
	if len(untold) == 0 {
		return nil, nil
	}
	code, err := orc.FromCode(f, untold, callgraph.ReturnsNever)
	if code == nil {
		return nil, err
	}
	sizes := code.SizesOf(f, untold)
	for n, i := range untold {
		b.claims[i].tell(sizes[n:n+1:n+1], b.name)
	}
	return code, err
}

// isOfKernel tells modules and kernels from programs.
func isOfKernel(f *object.File) bool { return !f.Linked || len(f.Find("__ksymtab")) > 0 }

// readCalls reads who calls whom from code. The unit's functions are those of the claims.
func (b *binary) readCalls(f *object.File, table *orc.Table) error {
	unit, err := callgraph.ReadObject(f, table)
	if err != nil {
		return err
	}
	unit.Object = b.name
	b.unit = unit
	for i := range b.claims {
		b.claims[i].code = []*callgraph.Function{unit.Functions[i]}
	}
	return nil
}

func unlessNone(err, none error) error {
	if errors.Is(err, none) {
		return nil
	}
	return err
}

// tell gives the claims what one more source tells of them, if it does of any.
func (b *binary) tell(frames []frame.Frame) {
	for i := range frames {
		b.claims[i].tell(frames[i:i+1:i+1], b.name)
	}
}

// tell gives a claim the one frame that a source tells, unless it is none.
func (c *claim) tell(one []frame.Frame, object string) {
	if one[0].Source == "" {
		return
	}
	one[0].Object = object
	if c.frames == nil {
		c.frames = one
	} else {
		c.frames = append(c.frames, one[0])
	}
}

// dropCopies removes the functions of modules that are copies of one before them in the same build, such as one that was
// installed beside where it was linked, and returns these modules' names.
func dropCopies(all []binary) (copies []string) {
	named := make(map[string][]*binary)
	for i := range all {
		b := &all[i]
		if !b.product {
			continue
		}
		name := kmod.NameOf(b.name)
		if slices.ContainsFunc(named[name], b.tellsTheSame) {
			copies = append(copies, b.name)
			b.claims, b.unit = nil, nil
			continue
		}
		named[name] = append(named[name], b)
	}
	return copies
}

func (b *binary) tellsTheSame(other *binary) bool {
	return slices.EqualFunc(b.claims, other.claims, func(a, b claim) bool {
		return a.symbol.Symbol == b.symbol.Symbol && slices.EqualFunc(a.frames, b.frames, func(a, b frame.Frame) bool {
			return a.Source == b.Source && a.Bytes == b.Bytes && a.Kind == b.Kind
		})
	})
}

// dropLinked removes from objects what is told of the products that they were linked into: by each source once.
func dropLinked(all []binary) {
	told := make(map[frame.Source]bool)
	products := false
	for _, b := range all {
		if !b.product {
			continue
		}
		products = true
		for _, c := range b.claims {
			for _, f := range c.frames {
				told[f.Source] = true
			}
		}
	}
	for i, b := range all {
		if b.product || !products {
			continue
		}
		var kept []claim
		for _, c := range b.claims {
			var frames []frame.Frame
			for _, f := range c.frames {
				if !told[f.Source] {
					frames = append(frames, f)
				}
			}
			if c.frames = frames; len(frames) > 0 {
				kept = append(kept, c)
			}
		}
		all[i].claims, all[i].unit = kept, nil
	}
}
