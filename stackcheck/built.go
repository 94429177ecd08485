package stackcheck

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// Built says what a build is of. What is not known is empty, as is what the parts of a build differ in.
type Built struct {
	Modules  []string `json:"modules,omitempty"`  // by name
	Version  string   `json:"version,omitempty"`  // MODULE_VERSION
	Kernel   string   `json:"kernel,omitempty"`   // release
	Compiler string   `json:"compiler,omitempty"` // as it calls itself in objects
	Flags    string   `json:"flags,omitempty"`    // that were added to those of the kernel; no object tells them
}

// Over returns what b says, and base where b says nothing.
func (b Built) Over(base Built) Built {
	if len(b.Modules) == 0 {
		b.Modules = base.Modules
	}
	b.Version = cmp.Or(b.Version, base.Version)
	b.Kernel = cmp.Or(b.Kernel, base.Kernel)
	b.Compiler = cmp.Or(b.Compiler, base.Compiler)
	b.Flags = cmp.Or(b.Flags, base.Flags)
	return b
}

// String returns all in one line, or nothing.
func (b Built) String() string {
	var parts []string
	if name := strings.TrimSpace(b.name() + " " + b.Version); name != "" {
		parts = append(parts, name)
	}
	if b.Kernel != "" {
		parts = append(parts, "Linux "+b.Kernel)
	}
	for _, part := range []string{b.Compiler, b.Flags} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// name returns the modules' names, as long as they are few.
func (b Built) name() string {
	const few = 12
	if len(b.Modules) > few {
		return "many modules"
	}
	return strings.Join(b.Modules, " ")
}

// builtOf returns what modpost wrote into a module (scripts/mod/modpost.c), and the compiler into any object.
func builtOf(f *object.File) Built {
	var b Built
	for _, entry := range stringsOf(f, ".modinfo") {
		key, value, _ := strings.Cut(entry, "=")
		switch key {
		case "name":
			b.Modules = []string{value}
		case "version":
			b.Version = value
		case "vermagic":
			b.Kernel, _, _ = strings.Cut(value, " ")
		}
	}
	compilers := stringsOf(f, ".comment")
	slices.Sort(compilers)
	b.Compiler = strings.Join(slices.Compact(compilers), ", ")
	return b
}

// stringsOf returns the strings of a section. It is no reason to fail that they cannot be read: nothing is checked by them.
func stringsOf(f *object.File, name string) []string {
	var all []string
	for _, s := range f.Find(name) {
		data, err := f.Data(s)
		if err != nil {
			continue
		}
		for text := range strings.SplitSeq(string(data), "\x00") {
			if text != "" {
				all = append(all, text)
			}
		}
	}
	return all
}

// agreed returns what the parts of builds agree on.
func agreed(read []evidence) Built {
	var b Built
	var versions, kernels, compilers, flags agreement
	take := func(part Built) {
		b.Modules = append(b.Modules, part.Modules...)
		versions.add(part.Version)
		kernels.add(part.Kernel)
		compilers.add(part.Compiler)
		flags.add(part.Flags)
	}
	for _, e := range read {
		for _, binary := range e.binaries {
			if len(binary.claims) > 0 {
				take(binary.built)
			}
		}
		for _, shot := range e.shots {
			take(shot.Built)
		}
	}
	slices.Sort(b.Modules)
	b.Modules = slices.Compact(b.Modules)
	b.Version, b.Kernel, b.Compiler, b.Flags = versions.text, kernels.text, compilers.text, flags.text
	return b
}

// An agreement is what all say that say something.
type agreement struct {
	text   string
	differ bool
}

func (a *agreement) add(text string) {
	switch {
	case text == "" || a.differ:
	case a.text == "":
		a.text = text
	case a.text != text:
		a.text, a.differ = "", true
	}
}
