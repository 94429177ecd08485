package stackcheck

import (
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// dataSections begin the names of sections that hold what the source says, such as tables of operations and exports. Other
// sections point at functions for the kernel's own use: its unwinder, its tracers, and those that patch code.
var dataSections = []string{
	".data", ".rodata", ".ref.data", ".init.data", ".init.rodata", ".exit.data",
	".gnu.linkonce.this_module", "__ksymtab", "___ksymtab",
}

// pointedAt returns the symbols of the functions whose address an object's data holds, sorted. It is less than what can be
// called from outside: an address can also be taken in code.
func pointedAt(f *object.File) ([]string, error) {
	var symbols []string
	for i := range f.Sections {
		s := &f.Sections[i]
		if !slices.ContainsFunc(dataSections, func(prefix string) bool { return strings.HasPrefix(s.Name, prefix) }) {
			continue
		}
		pointers, err := f.Pointers(s)
		if err != nil {
			return nil, err
		}
		for _, p := range pointers {
			if at, ok := f.Index(p.Target); ok {
				fn := f.Functions()[at]
				symbols = append(append(symbols, fn.Symbol), fn.Aliases...)
			}
		}
	}
	slices.Sort(symbols)
	return slices.Compact(symbols), nil
}
