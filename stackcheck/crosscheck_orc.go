package stackcheck

import (
	"fmt"
	"maps"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// pushedByAssembly is what inline assembly pushes beside what compilers know of: flags, and a register.
const pushedByAssembly = 16

// A module's functions of which ORC may tell what no compiler would: in per cent, and so many of a small one. Those of OpenZFS have none.
const (
	mostOthersPercent = 3
	mostOthers        = 2
)

// otherBuilds returns an error for each module whose ORC is not of the functions that .su and .ci files tell of. In a build both tell the same, but for what
// ORC tells only the least of, and for what compilers do not count.
func (b *Build) otherBuilds() (failed []error) {
	type tally struct {
		functions, others int
		example           string
	}
	of := make(map[string]*tally)
	for _, fn := range b.Functions {
		if len(fn.Frames) < 2 || !fn.Frames[0].IsCompilers() {
			continue
		}
		told, code := fn.Frames[0], fn.From(frame.SourceORC)
		if code == nil || code.Kind == frame.Dynamic || told.Kind == frame.Dynamic {
			continue
		}
		module := of[code.Object]
		if module == nil {
			module = new(tally)
			of[code.Object] = module
		}
		module.functions++
		if least, most := couldTake(told); code.Bytes < least || code.Bytes > most {
			if module.others++; module.example == "" {
				module.example = fmt.Sprintf("%s (%d bytes by %s, and %d by ORC)", told.Function, least, told.Source, code.Bytes)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if module := of[name]; module.others > max(mostOthers, module.functions*mostOthersPercent/100) {
			failed = append(failed, fmt.Errorf("%s: not of the build that the .su and .ci files are of: of %d functions %d have another size, such as %s; give files of one build",
				name, module.functions, module.others, module.example))
		}
	}
	return failed
}

// couldTake returns what code may take of which a compiler has written a frame. What clang does not count has no bound.
func couldTake(told frame.Frame) (least, most int) {
	printed := told.Bytes - told.AddedBytes
	if told.IsClang() {
		return printed + frame.ReturnAddressBytes, frame.MaxBytes
	}
	return printed, printed + pushedByAssembly
}
