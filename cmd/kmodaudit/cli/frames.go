package cli

import (
	"fmt"

	"github.com/kmodaudit/kmodaudit/report"
	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// What may be chosen beside the sources themselves.
const (
	BestSource frame.Source = "best" // of each function
	AllSources frame.Source = "all"  // side by side
)

// chosen returns the build with the functions that have what was chosen, with that first, the largest first.
func chosen(build stackcheck.Build, source frame.Source) (stackcheck.Build, error) {
	if source == AllSources || source == BestSource {
		return build, nil
	}
	told := build.From(source)
	if len(told.Functions) == 0 {
		return told, fmt.Errorf("listing frames: none comes from %s, %d from other sources; --source %s shows all",
			source, len(build.Functions), AllSources)
	}
	return told, nil
}

// tellHowCounted says what the sizes do not show.
func (o Output) tellHowCounted(build stackcheck.Build) {
	clang, corrected, alone, realigned, least, code := 0, 0, 0, 0, 0, 0
	for _, fn := range build.Functions {
		f := &fn.Frames[0]
		switch {
		case f.AddedBytes == 0:
		case f.IsGCC():
			realigned++
		default:
			clang++
			switch {
			case f.AddedBytes > frame.ReturnAddressBytes:
				corrected++
			case f.AddedBytes == frame.ReturnAddressBytes && fn.From(frame.SourceORC) == nil && fn.From(frame.SourceCode) == nil:
				alone++
			}
		}
		switch {
		case f.Source == frame.SourceORC && f.Kind == frame.Dynamic:
			least++
		case f.Source == frame.SourceCode:
			code++
		}
	}
	o.note(clang, "frames told by clang, which does not count the return address: it was added")
	o.note(corrected, "of them call with arguments pushed, or round the stack pointer down: what clang leaves out of that was added, as their code tells")
	o.note(alone, "of them may take more, since clang leaves out arguments that are pushed for calls: give the modules (.ko) too, whose code tells")
	o.note(realigned, "frames of functions that round the stack pointer down: what gcc leaves out of that was added, as their code tells")
	o.note(least, "frames of which ORC tells only the least, since they are addressed by a frame pointer: shown as %s", frame.Dynamic)
	o.note(code, "frames added up from code, since there is no ORC: those that it cannot tell to the end are shown as %s", frame.Dynamic)
	o.note(build.Repeated, "frames of one more copy of a function that is listed too, in another object or as a clone")
}

// note says something about n things that is no reason to worry.
func (o Output) note(n int, format string, args ...any) {
	if n > 0 {
		report.Message(o.Stderr, "kmodaudit: note", fmt.Sprintf("%d %s", n, fmt.Sprintf(format, args...)))
	}
}
