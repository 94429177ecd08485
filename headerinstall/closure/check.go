package closure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Config says what to check against what.
type Config struct {
	// Tree is the installed directory; every file below it that ends in .h, .hh, .hpp or .hxx is read.
	Tree fs.FS

	// System are the directories that are searched after Tree, in order. Without those of the compiler, the C library or the
	// kernel, whatever the tree includes of them is missing.
	System []Dir

	// Consumers are directories of source code that includes the tree. Of their files, .c, .S, .cc, .cpp, .cxx and headers, only what
	// they include counts; that is searched beside them, in Tree and in System.
	Consumers []Dir
}

// A Dir is a directory and what to call it.
type Dir struct {
	Name string
	FS   fs.FS
}

// Check reads the tree once and finds what is missing from it. An error means that the tree, a system directory or that of a
// consumer could not be read at all, or that ctx was cancelled.
func Check(ctx context.Context, c Config) (Result, error) {
	for _, dir := range c.System {
		if _, err := fs.ReadDir(dir.FS, "."); err != nil {
			return Result{}, fmt.Errorf("searching %s: %w; correct its name, or leave it out", dir.Name, cause(err))
		}
	}
	tree, err := readFiles(ctx, c.Tree, headerNames)
	if err != nil {
		return Result{}, fmt.Errorf("reading the installed headers: %w; name a directory of headers", cause(err))
	}
	if len(tree.read) == 0 {
		return Result{}, errors.New("reading the installed headers: the directory holds no header; check that it is the right one")
	}
	search := &searchPath{tree: c.Tree, installed: tree, system: c.System, known: map[string]bool{}, linkedTo: map[string]bool{}}
	k := collector{missing: map[string]*Missing{}, optional: map[string]*Missing{}}
	k.tree(tree)
	k.add(search, tree, "", true)
	for _, dir := range c.Consumers {
		consumer, err := readFiles(ctx, dir.FS, sourceNames)
		if err != nil {
			return Result{}, fmt.Errorf("reading the consumers in %s: %w; correct its name, or leave it out", dir.Name, cause(err))
		}
		k.add(search, consumer, dir.Name, false)
	}
	return k.result(tree), nil
}

// cause is an error without the path, which is the "." of a directory that the message names.
func cause(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// A collector puts what was found in single files together.
type collector struct {
	Result
	missing, optional map[string]*Missing
}

// tree collects what concerns only the headers of the tree.
func (k *collector) tree(found files) {
	k.Headers = len(found.read)
	k.NotHeaders = append(k.NotHeaders, found.others...)
	defined := map[string]bool{}
	for _, f := range found.read {
		k.Bytes += int64(f.bytes)
		if f.naked {
			k.Unguarded = append(k.Unguarded, f.name)
		}
		for _, macro := range f.defines {
			defined[macro] = true
		}
	}
	leaks := map[string]*ConfigLeak{}
	for _, f := range found.read {
		for _, use := range f.configs {
			if defined[use.macro] {
				continue
			}
			if leaks[use.macro] == nil {
				leaks[use.macro] = &ConfigLeak{Macro: use.macro}
			}
			leak := leaks[use.macro]
			leak.Uses = append(leak.Uses, Use{f.name, use.line, use.branch.conditions()})
		}
	}
	for _, macro := range slices.Sorted(maps.Keys(leaks)) {
		slices.SortFunc(leaks[macro].Uses, compareUses)
		k.ConfigLeaks = append(k.ConfigLeaks, *leaks[macro])
	}
}

// add collects where the files of one directory lead, and what was not understood of them.
func (k *collector) add(search *searchPath, found files, dir string, inTree bool) {
	for _, n := range found.notRead {
		k.NotRead = append(k.NotRead, NotRead{path.Join(dir, n.File), n.Reason})
	}
	for _, f := range found.read {
		for _, err := range f.errors {
			err.File = path.Join(dir, err.File)
			k.Errors = append(k.Errors, err)
		}
		k.Includes += len(f.includes)
		for _, i := range f.includes {
			if i.form != computed && search.finds(i, f.name, found, inTree) {
				continue
			}
			use := Use{path.Join(dir, f.name), i.line, i.branch.conditions()}
			switch {
			case i.form == computed:
				k.Computed = append(k.Computed, Computed{use, i.name})
			case i.asked:
				miss(k.optional, i.name, use)
			default:
				miss(k.missing, i.name, use)
			}
		}
	}
}

func miss(missing map[string]*Missing, name string, use Use) {
	if missing[name] == nil {
		missing[name] = &Missing{Include: name}
	}
	missing[name].Includers = append(missing[name].Includers, use)
}

// result sorts everything.
func (k *collector) result(tree files) Result {
	elsewhere := elsewhereOf(tree.exists, k.missing, k.optional)
	k.Missing, k.Optional = sorted(k.missing, elsewhere), sorted(k.optional, elsewhere)
	slices.Sort(k.Unguarded)
	slices.SortFunc(k.Computed, func(a, b Computed) int { return compareUses(a.Use, b.Use) })
	slices.Sort(k.NotHeaders)
	slices.SortFunc(k.NotRead, func(a, b NotRead) int { return cmp.Compare(a.File, b.File) })
	slices.SortFunc(k.Errors, func(a, b SyntaxError) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return k.Result
}

func sorted(missing map[string]*Missing, elsewhere map[string][]string) (all []Missing) {
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		m := missing[name]
		slices.SortFunc(m.Includers, compareUses)
		m.Elsewhere = elsewhere[name]
		all = append(all, *m)
	}
	return all
}

// elsewhereOf finds the files whose path ends in a name that is missing, sorted; the case of letters may differ.
func elsewhereOf(exists map[string]bool, missing ...map[string]*Missing) map[string][]string {
	byBase := map[string][]string{} // of the bases of names, in lower case
	for _, names := range missing {
		for name := range names {
			byBase[strings.ToLower(path.Base(name))] = nil
		}
	}
	for file := range exists {
		base := strings.ToLower(path.Base(file))
		if _, wanted := byBase[base]; wanted {
			byBase[base] = append(byBase[base], file)
		}
	}
	elsewhere := map[string][]string{}
	for _, names := range missing {
		for name := range names {
			end := "/" + strings.ToLower(name)
			for _, file := range byBase[path.Base(end)] {
				if file != name && strings.HasSuffix("/"+strings.ToLower(file), end) {
					elsewhere[name] = append(elsewhere[name], file)
				}
			}
			slices.Sort(elsewhere[name])
		}
	}
	return elsewhere
}

func compareUses(a, b Use) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
}
