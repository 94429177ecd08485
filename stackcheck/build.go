package stackcheck

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// A Build is what the compiler told about the stack of everything that it compiled.
type Build struct {
	Root    string           // of the build, as the compiler named it; empty when its names were relative or do not tell, or of several builds
	Objects int              // that have a .su file; many have no function
	Frames  []frame.Frame    // in the order of frame.Compare, File relative to Root; one for each row
	Graph   *callgraph.Graph // nil when there is no .ci file

	// WithoutGraph are the objects that have a .su but no .ci file: their calls are not in the Graph. Clang and gcc
	// before release 10 write no .ci.
	WithoutGraph []string

	CrossCheck CrossCheck // of the objects that have both
}

// ErrNoData is the error of a build that has no .su file, nor a .ci file.
var ErrNoData = errors.New("no stack usage (.su) here; build with make KCFLAGS='-fstack-usage -fcallgraph-info=su,da'" +
	" (gcc before 10 and clang: only -fstack-usage)")

// Read reads the builds in directories or archives, see Files, and joins them to one: all frames, and one call graph in
// which the calls from one to another are resolved. When parts cannot be read, the Build has all the others and the error
// joins what was wrong with each part: *frame.SyntaxError for a line of a .su or .ci file. A Build of .ci files alone has
// no Frames.
func Read(names ...string) (Build, error) {
	var (
		read   []evidence
		failed []error
	)
	for _, name := range names {
		e := evidence{}
		before := len(failed)
		for file, err := range Files(name) {
			if err == nil {
				err = e.add(file)
			}
			if err != nil {
				failed = append(failed, err)
			}
		}
		if len(e.objects) == 0 && len(e.units) == 0 && len(failed) == before {
			failed = append(failed, fmt.Errorf("%s: %w", name, ErrNoData))
		}
		read = append(read, e)
	}
	return join(read), wrap(failed)
}

// wrap says of each error what was being done, so that each line of the joined message can stand alone.
func wrap(failed []error) error {
	var all []error
	for _, err := range failed {
		for _, each := range split(err) {
			all = append(all, fmt.Errorf("reading stack usage: %w", each))
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
	objects []object
	units   []*callgraph.Unit
}

// An object is the content of one .su file.
type object struct {
	name   string
	frames []frame.Frame
}

func (e *evidence) add(file File) error {
	name := strings.TrimSuffix(file.Path, path.Ext(file.Path)) + ".o"
	if path.Ext(file.Path) == ".ci" {
		unit, err := callgraph.ReadUnit(bytes.NewReader(file.Data), file.Name)
		unit.Object = name
		e.units = append(e.units, unit)
		return err
	}
	o := object{name: name}
	r := frame.NewReader(bytes.NewReader(file.Data), file.Name)
	for r.Scan() {
		f := r.Frame()
		f.Object = name
		o.frames = append(o.frames, f)
	}
	e.objects = append(e.objects, o)
	var all []error
	for _, bad := range r.SyntaxErrors() {
		all = append(all, bad)
	}
	return errors.Join(append(all, r.Err())...)
}

func join(read []evidence) Build {
	var (
		b     Build
		units []*callgraph.Unit
	)
	for _, e := range read {
		root := inferRoot(e.objects)
		if len(read) == 1 {
			b.Root = root
		}
		e.makeRelative(root)
		b.add(e)
		units = append(units, e.units...)
	}
	slices.SortFunc(b.Frames, frame.Compare)
	b.WithoutGraph = withoutUnit(b.WithoutGraph, units)
	b.CrossCheck.sort()
	if len(units) > 0 {
		b.Graph = callgraph.Link(units)
	}
	return b
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
	for _, o := range e.objects {
		for i := range o.frames {
			o.frames[i].File = relative(o.frames[i].File)
		}
	}
}

// add takes the frames of one of the builds that were read.
func (b *Build) add(e evidence) {
	unitOf := make(map[string]*callgraph.Unit)
	for _, u := range e.units {
		unitOf[u.Object] = u
	}
	b.Objects += len(e.objects)
	for _, o := range e.objects {
		b.Frames = append(b.Frames, o.frames...)
		if unit := unitOf[o.name]; unit != nil {
			b.CrossCheck.add(o.frames, unit)
		} else {
			b.WithoutGraph = append(b.WithoutGraph, o.name)
		}
	}
}

// withoutUnit returns, sorted, the objects that no unit is about: x.su and x.ci may have been named one by one.
func withoutUnit(objects []string, units []*callgraph.Unit) []string {
	known := make(map[string]bool)
	for _, u := range units {
		known[u.Object] = true
	}
	objects = slices.DeleteFunc(objects, func(object string) bool { return known[object] })
	slices.Sort(objects)
	return objects
}

// Lookup returns the frames of a function, in the order of Frames: of that name, or a clone of that name.
func (b Build) Lookup(function string) []frame.Frame {
	var found []frame.Frame
	for _, f := range b.Frames {
		if isNamed(f, function) {
			found = append(found, f)
		}
	}
	return found
}

func isNamed(f frame.Frame, function string) bool {
	return f.Function == function || frame.BaseName(f.Function) == function
}
