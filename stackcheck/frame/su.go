package frame

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/internal/lines"
)

const rebuild = "rebuild the object"

// A Reader reads the rows of one .su file, in the manner of bufio.Scanner:
//
//	r := frame.NewReader(file, "build/x.su")
//	for r.Scan() {
//		use(r.Frame())
//	}
//	report(r.SyntaxErrors(), r.Err())
//
// It reads every generation of the format, which has neither a version nor escaping:
//
//	file:line:col:function <TAB> bytes <TAB> kind               gcc, since 4.6
//	file:line:col:function <TAB> title <TAB> bytes <TAB> kind   gcc, since 17
//	file:line:function <TAB> bytes <TAB> kind                   clang
//	file:function <TAB> bytes <TAB> kind                        clang, functions that it made up
//
// The title is that of the function's node in a .ci file: its assembler name, behind "source:" if no other unit can call it, and
// behind "*" if the source tells the name. File names are printed raw, tabs and colons included, so that a row has to be taken apart from its right end.
// Two readings remain possible when a clang row's file name ends in a colon and a number; it is then taken for a gcc row.
type Reader struct {
	lines  *lines.Scanner
	name   string
	frame  Frame
	errors []*SyntaxError
	err    error
}

// NewReader returns a Reader of the .su file r. The name is what positions of errors begin with.
func NewReader(r io.Reader, name string) *Reader {
	return &Reader{lines: lines.NewScanner(r), name: name}
}

// Scan advances to the next row that can be understood. Others are kept as SyntaxErrors.
func (r *Reader) Scan() bool {
	for r.err == nil && r.lines.Scan() {
		frame, bad := r.row()
		if bad == nil {
			r.keep(frame)
			return true
		}
		if len(r.errors) == MaxSyntaxErrors {
			r.err = fmt.Errorf("%s: %w", r.name, ErrTooManySyntaxErrors)
			return false
		}
		bad.Path, bad.Line = r.name, r.lines.Number()
		r.errors = append(r.errors, bad)
	}
	return false
}

func (r *Reader) row() (Frame, *SyntaxError) {
	if fault := r.lines.Fault(); fault != lines.Whole {
		return Frame{}, &SyntaxError{Column: len(r.lines.Text()) + 1, What: string(fault) + "; " + rebuild}
	}
	return parseRow(r.lines.Text())
}

// keep takes a frame without holding on to the text of its row: a million of them have few files' names, mostly that of the
// row before.
func (r *Reader) keep(f Frame) {
	if f.File == r.frame.File {
		f.File = r.frame.File
	} else {
		f.File = strings.Clone(f.File)
	}
	f.Function, f.Symbol = strings.Clone(f.Function), strings.Clone(f.Symbol)
	r.frame = f
}

// Frame returns the row that the last Scan read. Its Object is empty: a .su file does not name it.
func (r *Reader) Frame() Frame { return r.frame }

// SyntaxErrors returns the lines that could not be understood so far, at most MaxSyntaxErrors, in the order of the file.
func (r *Reader) SyntaxErrors() []*SyntaxError { return r.errors }

// Err returns why reading ended before the end of the file, or nil. SyntaxErrors are not part of it.
func (r *Reader) Err() error {
	if r.err != nil {
		return r.err
	}
	if err := r.lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	return nil
}

func parseRow(row string) (Frame, *SyntaxError) {
	rest, kind, okKind := cutLast(row, '\t')
	place, size, okSize := cutLast(rest, '\t')
	if !okKind || !okSize {
		return Frame{}, &SyntaxError{Column: 1, What: fmt.Sprintf(
			`want "file:line:col:function<TAB>bytes<TAB>kind", got %s; %s`, fields(row), rebuild)}
	}
	k, ok := kindOf(kind)
	if !ok {
		return Frame{}, &SyntaxError{Column: len(rest) + 2, What: fmt.Sprintf(
			`want kind "static", "dynamic" or "dynamic,bounded", got %s; %s`, quote(kind), rebuild)}
	}
	bytes, err := ParseBytes(size)
	if err != nil {
		return Frame{}, &SyntaxError{Column: len(place) + 2, What: err.Error() + "; " + rebuild}
	}
	f := parsePlace(place)
	if f.Function == "" {
		return Frame{}, &SyntaxError{Column: 1, What: fmt.Sprintf(
			`want "file:line:col:function", got %s, without a function's name; %s`, quote(place), rebuild)}
	}
	f.Bytes, f.Kind, f.Source = bytes, k, SourceSU
	return f, nil
}

// kindOf returns the constant, which holds on to no row.
func kindOf(s string) (Kind, bool) {
	for _, kind := range [...]Kind{Static, Dynamic, Bounded} {
		if s == string(kind) {
			return kind, true
		}
	}
	return "", false
}

// parsePlace reads everything before the size. The Frame has no Function when there is none.
func parsePlace(place string) Frame {
	for _, tab := range lastTabs(place) {
		// A tab before the position belongs to the file's name, and one behind a position without a column to clang, which prints no title.
		head, title := place[:tab], place[tab+1:]
		var f Frame
		if !cutPosition(head, &f) || f.Column == 0 {
			continue
		}
		local, ofFile := strings.CutPrefix(title, f.File)
		if ofFile && strings.HasPrefix(local, ":") || !cutPosition(title, new(Frame)) {
			f.Symbol, _ = SymbolOf(title)
			return f
		}
	}
	var f Frame
	if cutPosition(place, &f) {
		return f
	}
	if function, ok := strings.CutPrefix(place, "<built-in>:"); ok {
		return Frame{Function: function}
	}
	f.File, f.Function, _ = cutLast(place, ':')
	return f
}

// lastTabs returns where tabs are, from the left. A title repeats those of the file's name, which has few.
func lastTabs(s string) []int {
	const most = 9
	var tabs []int
	for end := len(s); len(tabs) < most; {
		end = strings.LastIndexByte(s[:end], '\t')
		if end < 0 {
			break
		}
		tabs = append(tabs, end)
	}
	slices.Reverse(tabs)
	return tabs
}

// SymbolOf returns the assembler name that gcc gives a function's node as its title, and whether it is local: other units cannot call it, or
// may find another by that name, and the title begins with the unit's source. A name that the source tells by asm is marked by a star.
func SymbolOf(title string) (name string, local bool) {
	if name, told := strings.CutPrefix(title, "*"); told {
		return name, false
	}
	if _, name, told := strings.Cut(title, ":*"); told {
		return name, true
	}
	_, name, local = cutLast(title, ':') // a source file may have one, an assembler name has not
	return name, local
}

// cutPosition splits "file:line:col:function" or "file:line:function" at the last position that it finds: the file's name
// may hold more of them, a function's name cannot (C++ prints only "::" and ": ").
func cutPosition(place string, f *Frame) bool {
	for end := strings.LastIndexByte(place, ':'); end > 0; end = strings.LastIndexByte(place[:end], ':') {
		head, last, ok := cutNumber(place[:end])
		if !ok {
			continue
		}
		f.File, f.Line, f.Function = head, last, place[end+1:]
		if file, line, ok := cutNumber(head); ok {
			f.File, f.Line, f.Column = file, line, last
		}
		return true
	}
	return false
}

// cutNumber splits "head:123".
func cutNumber(s string) (head string, n int, ok bool) {
	head, digits, ok := cutLast(s, ':')
	if !ok {
		return s, 0, false
	}
	n, ok = parseDigits(digits)
	return head, n, ok
}

// ParsePosition splits "file:line:col", as compilers print it, from the right.
func ParsePosition(s string) (file string, line, column int, ok bool) {
	head, column, ok := cutNumber(s)
	if !ok {
		return "", 0, 0, false
	}
	file, line, ok = cutNumber(head)
	return file, line, column, ok
}

// ParseBytes reads a frame's size in bytes.
func ParseBytes(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("want a size in bytes from 0 to %d, got %s", MaxBytes, quote(s))
	}
	return int(n), nil
}

// parseDigits accepts at most nine digits, more than any line or column has and less than an int32 holds.
func parseDigits(s string) (n int, ok bool) {
	if len(s) == 0 || len(s) > 9 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

func fields(row string) string {
	if n := strings.Count(row, "\t") + 1; n > 1 {
		return fmt.Sprintf("%d fields", n)
	}
	return "1 field"
}

// quote keeps a damaged file from flooding an error message.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}
