package headerinstall

import (
	"errors"
	"fmt"
	"strings"
)

// Reason says what kind of problem a Problem is.
type Reason string

// The reasons why a plan cannot be made.
const (
	BadPattern    Reason = "bad-pattern"    // a source pattern that cannot be understood
	MissingSource Reason = "missing-source" // nothing is there
	NoHeader      Reason = "no-header"      // a pattern that leads to no header
	Unreadable    Reason = "unreadable"     // a source or destination that cannot be read
	NotRegular    Reason = "not-regular"    // a link out of the source or to a directory, a fifo, socket or device in it
	UnsafeName    Reason = "unsafe-name"    // a name that breaks line-based tools or leads astray
	OverStripped  Reason = "over-stripped"  // nothing is left after stripping
	Collision     Reason = "collision"      // two contents for one destination
	FileVersusDir Reason = "file-vs-dir"    // a file where a directory must be, or the reverse
	Foreign       Reason = "foreign"        // a file that was there, differs, and is not ours
)

// advice is what to do next, for each reason.
var advice = map[Reason]string{
	BadPattern:    "write a directory or glob, such as ./zfs/include or ./*/include",
	MissingSource: "check the spelling, and that the root directory is the right one",
	NoHeader:      "check the directory, or say by an include glob what counts as a header",
	Unreadable:    "make it readable, or leave it out",
	NotRegular:    "put a regular file or directory there, or name its target as a source",
	UnsafeName:    "rename it",
	OverStripped:  "strip fewer components; the ./ that a source may begin with is one",
	Collision:     "leave one of them out, or strip fewer components",
	FileVersusDir: "remove or rename one of them",
	Foreign:       "move it away, or force its replacement",
}

// A Problem is one reason why a plan cannot be made. NewPlan reports all that it finds, joined.
type Problem struct {
	Reason  Reason
	Path    string   // the source or pattern as written, or the destination
	Sources []string // the sources that meet at Path, in the order given; for Collision and FileVersusDir
	Detail  string   // what is wrong, as a clause
}

// Error names the path, what is wrong with it and what to do. Names are quoted: they come from
// the file system and may hold anything.
func (p *Problem) Error() string {
	text := fmt.Sprintf("%q %s", p.Path, p.Detail)
	if len(p.Sources) > 0 {
		quoted := make([]string, len(p.Sources))
		for i, source := range p.Sources {
			quoted[i] = fmt.Sprintf("%q", source)
		}
		text += " (from " + strings.Join(quoted, ", ") + ")"
	}
	return text + "; " + advice[p.Reason]
}

// Problems returns what err, the error of NewPlan, says is wrong, sorted by path; nil if err is
// of another kind.
func Problems(err error) []*Problem {
	problems, _ := errors.AsType[problemList](err)
	return problems
}

// problemList is problems as one error, a line each.
type problemList []*Problem

func (l problemList) Error() string { return errors.Join(l.Unwrap()...).Error() }

func (l problemList) Unwrap() []error {
	errs := make([]error, len(l))
	for i, p := range l {
		errs[i] = p
	}
	return errs
}

// errChanging is a file that another program writes.
var errChanging = errors.New("changed while it was read; wait for what writes it, then try again")
