package observe

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ErrNoTracer is the error of a machine whose kernel offers no stack tracer.
var ErrNoTracer = errors.New("there is no stack tracer")

// A Tracer is the stack tracer of the running kernel, through its files.
type Tracer struct {
	Directory string // of tracefs: stack_trace, stack_max_size, stack_trace_filter, available_filter_functions
	Switch    string // the sysctl's file, 1 while the tracer is on
}

// Where tracefs is mounted since Linux 4.1, and where the same files were before.
var tracingDirectories = []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}

const switchFile = "/proc/sys/kernel/stack_tracer_enabled"

// FindTracer finds the stack tracer of this machine. The error says what to do; it is ErrNoTracer, or fs.ErrPermission.
func FindTracer() (Tracer, error) { return findTracer(tracingDirectories, switchFile) }

func findTracer(directories []string, sysctl string) (Tracer, error) {
	for _, dir := range directories {
		_, err := os.Stat(filepath.Join(dir, "stack_trace"))
		switch {
		case err == nil:
			return Tracer{Directory: dir, Switch: sysctl}, nil
		case errors.Is(err, fs.ErrPermission):
			return Tracer{}, failed("looking for it", err)
		}
	}
	if _, err := os.Stat(sysctl); err != nil {
		return Tracer{}, fmt.Errorf("using the stack tracer: %w in this kernel; boot one with CONFIG_STACK_TRACER, such as Debian's", ErrNoTracer)
	}
	return Tracer{}, fmt.Errorf("using the stack tracer: %w in %s; run: mount -t tracefs tracefs %s", ErrNoTracer, strings.Join(directories, ", "), directories[0])
}

// Text returns what the tracer has recorded since it was reset, as the kernel prints it.
func (t Tracer) Text() ([]byte, error) {
	text, err := os.ReadFile(t.file("stack_trace"))
	if err != nil {
		return nil, failed("reading what it recorded", err)
	}
	return text, nil
}

// Read returns the same as ReadTrace reads it.
func (t Tracer) Read() (Trace, error) {
	text, err := t.Text()
	if err != nil {
		return Trace{}, err
	}
	return ReadTrace(bytes.NewReader(text), t.file("stack_trace"))
}

// Reset has the tracer forget the deepest stack, so that the next function that it sees is that.
func (t Tracer) Reset() error {
	if err := write(t.file("stack_max_size"), "0"); err != nil {
		return failed("resetting it", err)
	}
	return nil
}

// Start resets the tracer and turns it on. Where modules are named, it looks at their functions alone: the deepest stack is
// then one with such a function at its end, and it takes a tenth of the time to turn on, since there are so many functions less
// to patch. Stop puts back what was: on or off, and which functions it looks at. What it had recorded is lost.
func (t Tracer) Start(modules ...string) (stop func() error, err error) {
	was, err := os.ReadFile(t.Switch)
	if err != nil {
		return nil, failed("asking whether it is on", err)
	}
	unfilter := func() error { return nil }
	if len(modules) > 0 {
		if unfilter, err = t.filter(modules); err != nil {
			return nil, err
		}
	}
	if err := t.Reset(); err != nil {
		return nil, errors.Join(err, unfilter())
	}
	if err := write(t.Switch, "1"); err != nil {
		return nil, errors.Join(failed("turning it on", err), unfilter())
	}
	return func() error {
		err := write(t.Switch, strings.TrimSpace(string(was)))
		if err != nil {
			err = failed("putting its switch back", err)
		}
		return errors.Join(err, unfilter())
	}, nil
}

// filter has the tracer look at functions of modules alone.
func (t Tracer) filter(modules []string) (undo func() error, err error) {
	numbers, err := t.numbersOf(modules)
	if err != nil {
		return nil, failed("listing the functions that it can look at", err)
	}
	if len(numbers) == 0 {
		return nil, fmt.Errorf("using the stack tracer: it can look at no function of %s; load the module first", strings.Join(modules, ", "))
	}
	file := t.file("stack_trace_filter")
	was, err := os.ReadFile(file)
	if err != nil {
		return nil, failed("reading its filter", err)
	}
	if err := write(file, strings.Join(numbers, " ")); err != nil {
		return nil, failed("setting its filter", err)
	}
	return func() error {
		if err := write(file, filtered(string(was))); err != nil {
			return failed("putting its filter back", err)
		}
		return nil
	}, nil
}

// numbersOf returns the numbers of modules' functions in the list of all that can be traced, from 1. A filter takes numbers since
// Linux 5.1, and finds them at once; it looks for a name among all functions, and "*:mod:NAME" is refused in this filter.
func (t Tracer) numbersOf(modules []string) ([]string, error) {
	list, err := os.Open(t.file("available_filter_functions"))
	if err != nil {
		return nil, err
	}
	defer list.Close()
	var numbers []string
	lines := bufio.NewScanner(list)
	for n := 1; lines.Scan(); n++ {
		_, module, _ := strings.Cut(lines.Text(), " [")
		if module, ok := strings.CutSuffix(module, "]"); ok && slices.Contains(modules, module) {
			numbers = append(numbers, strconv.Itoa(n))
		}
	}
	return numbers, lines.Err()
}

// filtered returns the functions that a filter's text names, to be written again. "#### all functions enabled ####" names none.
func filtered(text string) string {
	var names []string
	for line := range strings.Lines(text) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), " "); !strings.HasPrefix(name, "#") {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

func (t Tracer) file(name string) string { return filepath.Join(t.Directory, name) }

// write gives a control file another content.
func write(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text + "\n")
	return errors.Join(err, f.Close())
}

func failed(what string, err error) error {
	remedy := ""
	if errors.Is(err, fs.ErrPermission) {
		remedy = "; run as root"
	}
	return fmt.Errorf("using the stack tracer: %s: %w%s", what, err, remedy)
}
