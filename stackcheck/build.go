package stackcheck

import (
	"debug/elf"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kmodaudit/kmodaudit/chunks"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/internal/lines"
)

// A Build is what is known about the stack of everything that was compiled.
type Build struct {
	Built   Built
	Root    string // of the build, as the compiler named it; empty when its names were relative or do not tell, or of several builds
	Objects int    // that have a .su file, or were read themselves; many have no function

	// Functions are all that have a frame, each once, with what every source tells of it, in the order of frame.Compare of their best frames,
	// and with File relative to Root. Functions of a header are one in each object that has them.
	Functions []Function
	Repeated  int           // of Functions, whose best frame is at a place in the source where another's is: further copies in other objects, and clones
	Unsized   []frame.Frame // of functions of objects whose size nothing tells; without Bytes and Source

	Copies []string // modules that are left out, because they are in the same directory once more

	Graph *callgraph.Graph  // nil when neither .ci files nor objects tell of calls
	Units []*callgraph.Unit // that it was linked from

	// Entries are the symbols of functions whose address the data of objects holds, sorted: what is exported, and what tables
	// of operations call. None when no object was read.
	Entries []string

	// WithoutGraph are the objects that have a .su but no .ci file, and of whose code nothing was read: their calls are not in
	// the Graph. Clang and gcc before release 10 write no .ci.
	WithoutGraph []string

	CrossChecked int // functions of which .su and .ci files tell the same
}

// ErrNoData is the error of a build in which nothing tells of the stack.
var ErrNoData = errors.New("no stack usage here (.su, .ci, .stack_sizes or ORC)" +
	"; build with make KCFLAGS='-fstack-usage -fcallgraph-info=su,da' (gcc before 10 and clang: only -fstack-usage)" +
	", or give modules of x86-64 or aarch64")

// Read reads the builds in directories or archives, see Files, and joins them to one: all frames, and one call graph in
// which the calls from one to another are resolved. When parts cannot be read, the Build has all the others and the error
// joins what was wrong with each part: *frame.SyntaxError for a line of a .su or .ci file.
//
// In a directory, modules and vmlinux stand for the objects that they were linked from: a .o file counts only as far as
// none of them has its kind of data. A snapshot stands for what it was made of. All sizes count the return address: it is added to clang's.
//
// Who calls whom is read from .ci files, and from the code of objects, see callgraph.ReadObject.
func Read(names ...string) (Build, error) { return read(true, names) }

// ReadFrames reads builds as Read does, but not the calls in objects, nor their Entries.
func ReadFrames(names ...string) (Build, error) { return read(false, names) }

func read(calls bool, names []string) (Build, error) {
	var (
		read   []evidence
		failed []error
	)
	for _, name := range names {
		e, errs := readEvidence(calls, name)
		if e.isEmpty() && len(errs) == 0 && !(e.hasCode() && len(names) > 1) { // of which others tell the sizes
			errs = append(errs, fmt.Errorf("%s: %w", name, ErrNoData))
		}
		read, failed = append(read, e), append(failed, errs...)
	}
	b := join(read)
	return b, wrap(append(failed, b.otherBuilds()...))
}

// readEvidence reads all files of one build. Text is read and understood by several goroutines.
func readEvidence(calls bool, name string) (evidence, []error) {
	var (
		e     evidence
		texts []*text
		group errgroup.Group
	)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for file, err := range Files(name) {
		t := &text{name: file.Name, err: err}
		texts = append(texts, t)
		switch {
		case err != nil:
		case IsText(file.Path):
			group.Go(func() error {
				t.read(file)
				return nil
			})
		default:
			t.err = e.add(file)
		}
	}
	group.Wait()
	var failed []error
	for _, t := range texts {
		if t.object != nil {
			e.objects = append(e.objects, *t.object)
		}
		if t.unit != nil {
			e.units = append(e.units, t.unit)
		}
		if t.err != nil {
			failed = append(failed, t.err)
		}
	}
	checked, mixed := crossCheckTexts(texts)
	e.crossChecked = checked
	binaries, errs := readBinaries(e.files, calls)
	e.binaries = binaries
	return e, slices.Concat(failed, mixed, errs)
}

// wrap says of each error what was being done, so that each line of the joined message can stand alone. What was read twice is said once.
func wrap(failed []error) error {
	var all []error
	said := make(map[string]bool)
	for _, err := range failed {
		for _, each := range split(err) {
			if text := each.Error(); !said[text] {
				said[text] = true
				all = append(all, fmt.Errorf("reading stack usage: %w", each))
			}
		}
	}
	return errors.Join(all...)
}

func split(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// evidence collects the files of a build.
type evidence struct {
	objects  []compiled
	units    []*callgraph.Unit
	files    []File // objects, to be read
	binaries []binary
	shots    []Build // that were read from snapshots

	crossChecked int
}

// compiled is the content of one .su file.
type compiled struct {
	name    string // of the object
	frames  []frame.Frame
	root    string // that it votes for, see inferRoot
	votes   bool
	isClang bool // a frame is
}

func (e *evidence) isEmpty() bool {
	return len(e.objects) == 0 && len(e.units) == 0 && len(e.shots) == 0 &&
		!slices.ContainsFunc(e.binaries, func(b binary) bool { return b.isSized() })
}

func (e *evidence) hasCode() bool {
	return slices.ContainsFunc(e.binaries, func(b binary) bool { return b.unit != nil })
}

// add takes an object, which is yet to be read, or a snapshot.
func (e *evidence) add(file File) error {
	if !file.named || !isSnapshot(file.Name) {
		e.files = append(e.files, file)
		return nil
	}
	b, err := readSnapshotFile(file.Name)
	if err == nil {
		e.shots = append(e.shots, b)
	}
	return err
}

// A text is what a .su or .ci file tells.
type text struct {
	name   string // of the file
	object *compiled
	unit   *callgraph.Unit
	err    error
}

func (t *text) read(file File) {
	if err := file.use(func(data string) { t.parse(file, data) }); err != nil {
		t.err = err
	}
}

// parse keeps no part of the data.
func (t *text) parse(file File, data string) {
	name := strings.TrimSuffix(file.Path, path.Ext(file.Path)) + ".o"
	if path.Ext(file.Path) == ".ci" {
		t.unit, t.err = callgraph.ReadUnit(lines.NewText(data), file.Name)
		t.unit.Object = name
		return
	}
	t.object = &compiled{name: name, frames: make([]frame.Frame, 0, strings.Count(data, "\n"))}
	r := frame.NewReader(lines.NewText(data), file.Name)
	for r.Scan() {
		f := r.Frame()
		f.Object = name
		t.object.frames = append(t.object.frames, f)
		t.object.isClang = t.object.isClang || f.IsClang()
	}
	t.object.root, t.object.votes = t.object.vote()
	var all []error
	for _, bad := range r.SyntaxErrors() {
		all = append(all, bad)
	}
	t.err = errors.Join(append(all, r.Err())...)
}

// gather makes one build of all, of which it is yet to be told what is about the same function, and who calls whom. It
// reports whether objects are among them.
func gather(read []evidence) (b Build, units []*callgraph.Unit, objects bool) {
	for i := range read {
		e := &read[i]
		root := inferRoot(e.objects)
		if len(read) == 1 {
			b.Root = e.root(root)
		}
		e.makeRelative(root)
		e.countReturnAddresses()
		b.Copies = append(b.Copies, dropCopies(e.binaries)...)
		dropLinked(e.binaries)
		b.add(*e)
		units = append(units, e.units...)
		objects = objects || len(e.binaries) > 0
		for _, binary := range e.binaries {
			if binary.unit != nil {
				units = append(units, binary.unit)
			}
		}
		for _, shot := range e.shots {
			units = append(units, shot.Units...)
		}
	}
	return b, units, objects
}

// join makes one build of all. Calls are linked at the same time, unless objects are among them: describing these tells the units whose
// code is whose, and corrects the sizes that .ci files have.
func join(read []evidence) Build {
	b, units, objects := gather(read)
	var linking sync.WaitGroup
	if !objects {
		linking.Go(func() { b.link(units) })
	}
	b.describe(read, units)
	linking.Wait()
	if objects {
		b.link(units)
	}
	return b
}

// describe finds out what is told of each function.
func (b *Build) describe(read []evidence, units []*callgraph.Unit) {
	functions, unsized := group(read)
	b.Functions, b.Repeated, b.Unsized = functions, sortFunctions(functions), append(b.Unsized, unsized...)
	b.Built = agreed(read)
	slices.Sort(b.Entries)
	b.Entries = slices.Compact(b.Entries)
	b.WithoutGraph = withoutUnit(b.WithoutGraph, units)
}

func (b *Build) link(units []*callgraph.Unit) {
	if len(units) > 0 {
		b.Units, b.Graph = units, callgraph.Link(units)
	}
}

// root returns that of a snapshot, or the one that was inferred.
func (e *evidence) root(inferred string) string {
	if len(e.shots) > 0 {
		return e.shots[0].Root
	}
	return inferred
}

// makeRelative makes the files that the evidence names relative to root.
func (e *evidence) makeRelative(root string) {
	relative := relativeTo(root)
	for _, u := range e.units {
		for _, f := range u.Functions {
			f.Position.File = relative(f.Position.File)
		}
		for _, site := range u.CallSites {
			site.Position.File = relative(site.Position.File)
		}
	}
	chunks.Each(len(e.objects), func(first, last int) {
		relative := relativeTo(root)
		for _, o := range e.objects[first:last] {
			for i := range o.frames {
				o.frames[i].File = relative(o.frames[i].File)
			}
		}
	})
}

// countReturnAddresses adds the return address to what clang printed. Its rows do not tell for which machine they are:
// it is x86-64, unless the objects beside them are for another. Of these only i386 pushes it.
func (e *evidence) countReturnAddresses() {
	returnAddress := frame.ReturnAddressBytes
	for _, b := range e.binaries {
		switch b.machine {
		case elf.EM_NONE, elf.EM_X86_64:
		case elf.EM_386:
			returnAddress = 4
		default:
			return
		}
	}
	for _, o := range e.objects {
		if !o.isClang {
			continue
		}
		for i := range o.frames {
			if o.frames[i].IsClang() {
				o.frames[i].AddReturnAddress(returnAddress)
			}
		}
	}
}

// group finds out which files tell of the same functions, and returns these, in no order, and those that have no size.
func group(read []evidence) ([]Function, []frame.Frame) {
	if all, ok := onlyRows(read); ok {
		return all, nil
	}
	var (
		nodes             []claim
		objects, products [][]claim
	)
	rows := make([]claim, 0, countRows(read))
	for _, e := range read {
		for _, shot := range e.shots {
			for _, fn := range shot.Functions {
				rows = append(rows, claim{frames: fn.Frames, object: fn.Frames[0].Object, name: &fn.Frames[0]})
			}
		}
		for _, o := range e.objects {
			rows = appendClaims(rows, o.frames)
		}
		for _, u := range e.units {
			nodes = appendNodes(nodes, u)
		}
		for _, b := range e.binaries {
			if b.product {
				products = append(products, b.claims)
			} else {
				objects = append(objects, b.claims)
			}
		}
	}
	var g grouping
	g.add(rows)
	g.add(nodes, byDefinition)
	g.add(concat(objects), byUnit, byName)
	g.add(concat(products), byUnit, byName)
	sized, unsized := g.functions()
	g.tellCode()
	return sized, unsized
}

// onlyRows returns the functions of .su files where nothing else tells of functions, so that there is no one to compare them with. A kernel has a
// million rows: a claim for each would take as much memory as they do.
func onlyRows(read []evidence) (all []Function, ok bool) {
	for _, e := range read {
		if len(e.shots) > 0 || len(e.units) > 0 || len(e.binaries) > 0 {
			return nil, false
		}
	}
	all = make([]Function, countRows(read))
	rest := all
	for _, e := range read {
		rows := make([][]Function, len(e.objects))
		for i, o := range e.objects {
			rows[i], rest = rest[:len(o.frames)], rest[len(o.frames):]
		}
		chunks.Each(len(rows), func(first, last int) {
			for i := first; i < last; i++ {
				frames := e.objects[i].frames
				for j := range frames {
					rows[i][j] = Function{frames[j : j+1 : j+1]}
				}
			}
		})
	}
	return all, true
}

// concat copies only where there is more than one.
func concat(all [][]claim) []claim {
	if len(all) == 1 {
		return all[0]
	}
	return slices.Concat(all...)
}

func countRows(read []evidence) (n int) {
	for _, e := range read {
		for _, shot := range e.shots {
			n += len(shot.Functions)
		}
		for _, o := range e.objects {
			n += len(o.frames)
		}
	}
	return n
}

// add takes the frames of one of the builds that were read.
func (b *Build) add(e evidence) {
	unitOf := make(map[string]*callgraph.Unit)
	for _, u := range e.units {
		unitOf[u.Object] = u
	}
	b.Objects += len(e.objects)
	b.CrossChecked += e.crossChecked
	for _, binary := range e.binaries {
		if len(binary.claims) > 0 {
			b.Objects++
		}
		b.Entries = append(b.Entries, binary.entries...)
	}
	for _, shot := range e.shots {
		b.Objects += shot.Objects
		b.Unsized = append(b.Unsized, shot.Unsized...)
		b.Entries = append(b.Entries, shot.Entries...)
		b.WithoutGraph = append(b.WithoutGraph, shot.WithoutGraph...)
	}
	for _, o := range e.objects {
		if unitOf[o.name] == nil {
			b.WithoutGraph = append(b.WithoutGraph, o.name)
		}
	}
}

// withoutUnit returns, sorted, the objects that no unit is about: x.su and x.ci may have been named one by one, and
// objects that they were linked into tell of calls too.
func withoutUnit(objects []string, units []*callgraph.Unit) []string {
	known := make(map[string]bool)
	for _, u := range units {
		known[u.Object] = true
		for _, f := range u.Functions {
			if f.Frame != nil {
				known[f.Frame.Object] = true
			}
		}
	}
	objects = slices.DeleteFunc(objects, func(object string) bool { return known[object] })
	slices.Sort(objects)
	return objects
}

// Frames returns the best frame of each of the Functions.
func (b Build) Frames() []frame.Frame {
	frames := make([]frame.Frame, len(b.Functions))
	for i, fn := range b.Functions {
		frames[i] = fn.Frames[0]
	}
	return frames
}

// From returns the build with those functions that one source tells of, and with that alone.
func (b Build) From(source frame.Source) Build {
	var told []Function
	for _, fn := range b.Functions {
		for i := range fn.Frames {
			if fn.Frames[i].Source == source {
				told = append(told, Function{fn.Frames[i : i+1 : i+1]})
			}
		}
	}
	b.Functions, b.Repeated = told, sortFunctions(told)
	return b
}

// Lookup returns the best frames of functions of that name, or of clones of one of that name, in their order.
func (b Build) Lookup(function string) []frame.Frame {
	var found []frame.Frame
	for _, fn := range b.Functions {
		if isNamed(fn.Frames[0], function) {
			found = append(found, fn.Frames[0])
		}
	}
	return found
}

func isNamed(f frame.Frame, function string) bool {
	return f.Function == function || frame.BaseName(f.Function) == function
}
