package stackcheck

import (
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// pointedAt returns the symbols of the functions whose address an object's data holds, sorted. It is less than what can be
// called from outside: an address can also be taken in code. Of a linked object it returns none.
func pointedAt(f *object.File) ([]string, error) {
	if f.Linked {
		return nil, nil
	}
	pointers, err := f.FunctionPointers()
	if err != nil {
		return nil, err
	}
	var symbols []string
	for _, p := range pointers {
		fn := f.Functions()[p.Function]
		symbols = append(append(symbols, fn.Symbol), fn.Aliases...)
	}
	slices.Sort(symbols)
	return slices.Compact(symbols), nil
}
