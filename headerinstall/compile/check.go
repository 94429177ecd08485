package compile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kmodaudit/kmodaudit/progress"
)

// A Language is what headers are compiled as, in the words of gcc's and clang's -x.
type Language string

const (
	C   Language = "c"
	CXX Language = "c++"
)

// Config says what to compile, and how. Dir is needed; the zero value of every other field is its default. To check headers as C and
// as C++, check twice: each has its own excuses.
type Config struct {
	Dir      string        // the installed directory, as a consumer names it with -I
	Headers  []string      // to check, slash-separated, below Dir; nil is every one below Dir
	Language Language      // empty is C
	Compiler string        // gcc or clang, a name or path; empty is cc, or c++ for C++
	Flags    []string      // a consumer's; relative paths in them are relative to the current directory
	Excuses  []Excuse      // for this language
	Parallel int           // compilers at once; 0 is one for each processor
	Progress progress.Func // may be nil
}

// A Result says of each header whether it compiles. Every list is sorted by header.
type Result struct {
	Language   Language     `json:"language"`
	Command    []string     `json:"command"`            // what each translation unit was given to, as standard input
	Compiled   int          `json:"compiled"`           // headers that compile
	Failures   []Failure    `json:"failures,omitempty"` // without excuse
	Excused    []Failure    `json:"excused,omitempty"`  // with one
	Unneeded   []Unneeded   `json:"unneeded,omitempty"` // excuses that excuse nothing: failures as well
	NotChecked []NotChecked `json:"not_checked,omitempty"`
}

// A Failure is a header that does not compile.
type Failure struct {
	Header string     `json:"header"`
	Class  Class      `json:"class"`
	First  Diagnostic `json:"first"` // its first error
	Excuse *Excuse    `json:"excuse,omitempty"`
}

// Unneeded is an excuse to remove.
type Unneeded struct {
	Excuse
	Why string `json:"why"` // as a clause: "the header compiles"
}

// NotChecked is a header of which nothing is known.
type NotChecked struct {
	Header        string `json:"header"`
	Reason        string `json:"reason"`
	OtherLanguage bool   `json:"other_language,omitempty"` // it is for another language, and need not be checked as this one
}

// Check compiles every header. An error means that the check was not finished: the directory cannot be read, there is no compiler, it
// fails with these flags whatever it is given, or ctx was cancelled. The result holds even then, and lists what was not checked.
func Check(ctx context.Context, c Config) (Result, error) {
	c.complete()
	r := Result{Language: c.Language, Command: c.command()}
	headers, others, err := c.headers()
	if err != nil {
		return r, fmt.Errorf("listing the installed headers: %w; check that it is the right directory", err)
	}
	var outcomes []outcome
	err = c.Progress.Step("compile headers", func(report func(progress.Event)) error {
		if err := c.tryCompiler(ctx); err != nil {
			outcomes = notChecked(headers, err)
			return err
		}
		outcomes = c.compileAll(ctx, headers, report)
		return context.Cause(ctx)
	})
	r.add(slices.Concat(outcomes, notChecked(others, errOtherLanguage)), c.Excuses)
	if err != nil {
		return r, fmt.Errorf("compiling the headers of %s as %s: %w", c.Dir, c.Language, err)
	}
	return r, nil
}

func (c *Config) complete() {
	if c.Language == "" {
		c.Language = C
	}
	if c.Compiler == "" {
		c.Compiler = map[Language]string{C: "cc", CXX: "c++"}[c.Language]
	}
	if c.Parallel <= 0 {
		c.Parallel = runtime.GOMAXPROCS(0)
	}
}

// command is the compiler with its flags.
func (c *Config) command() []string {
	command := append([]string{c.Compiler, "-I", c.Dir}, c.Flags...)
	if c.Language == C {
		// Since C99 a function has to be declared before it is called; gcc accepted others until release 14.
		command = append(command, "-Werror=implicit-function-declaration")
	}
	return append(command, "-x", string(c.Language), "-fsyntax-only", "-")
}

var errOtherLanguage = errors.New("by its name it is for C++ alone; check it as C++")

// headers lists what to check, and headers for another language, both sorted.
func (c *Config) headers() (headers, others []string, err error) {
	if c.Headers != nil {
		headers := slices.Clone(c.Headers)
		slices.Sort(headers)
		return slices.Compact(headers), nil, nil
	}
	err = fs.WalkDir(os.DirFS(c.Dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		switch path.Ext(name) {
		case ".h":
			headers = append(headers, name)
		case ".hh", ".hpp", ".hxx":
			if c.Language == C {
				others = append(others, name)
			} else {
				headers = append(headers, name)
			}
		}
		return nil
	})
	if err == nil && len(headers)+len(others) == 0 {
		err = fmt.Errorf("%s holds no header", c.Dir)
	}
	return headers, others, err
}

// tryCompiler compiles nothing, to tell a compiler or flags that never work from headers that do not.
func (c *Config) tryCompiler(ctx context.Context) error {
	failed, err := run(ctx, c.command(), "")
	switch {
	case errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no compiler %s (%w); install it, or name another one", c.Compiler, err)
	case err != nil:
		return err
	case failed != nil:
		return fmt.Errorf("%s fails on an empty file with these flags: %v; correct the flags, or install what the compiler lacks", c.Compiler, failed)
	}
	return nil
}

// An outcome is what is known of one header: that it compiles, that it failed, or why neither is known.
type outcome struct {
	header string
	failed *Diagnostic
	err    error
}

func notChecked(headers []string, err error) []outcome {
	outcomes := make([]outcome, len(headers))
	for i, header := range headers {
		outcomes[i] = outcome{header: header, err: err}
	}
	return outcomes
}

func (c *Config) compileAll(ctx context.Context, headers []string, report func(progress.Event)) []outcome {
	outcomes := make([]outcome, len(headers))
	var mu sync.Mutex // keeps reports in the order of done
	done := 0
	var compilers errgroup.Group
	compilers.SetLimit(c.Parallel)
	for i, header := range headers {
		compilers.Go(func() error {
			outcomes[i] = c.compile(ctx, header)
			mu.Lock()
			defer mu.Unlock()
			done++
			report(progress.Event{Detail: header, Done: done, Total: len(headers), Unit: "headers"})
			return nil
		})
	}
	_ = compilers.Wait()
	return outcomes
}

func (c *Config) compile(ctx context.Context, header string) outcome {
	o := outcome{header: header, err: context.Cause(ctx)}
	if o.err != nil {
		return o
	}
	if strings.ContainsAny(header, ">\n") {
		o.err = errors.New("its name cannot be written in an #include; rename it")
		return o
	}
	// The compiler might find another header of that name, or wait for what a named pipe never gives.
	info, err := os.Stat(filepath.Join(c.Dir, filepath.FromSlash(header)))
	switch {
	case err != nil:
		o.err = err
	case !info.Mode().IsRegular():
		o.err = errors.New("it is not a regular file")
	default:
		o.failed, o.err = run(ctx, c.command(), unit(header))
	}
	return o
}

// add sorts outcomes into the result's lists.
func (r *Result) add(outcomes []outcome, excuses []Excuse) {
	byHeader := map[string]*Excuse{}
	for i := range excuses {
		byHeader[excuses[i].Header] = &excuses[i]
	}
	unneeded := func(e *Excuse, why string) { r.Unneeded = append(r.Unneeded, Unneeded{*e, why}) }
	for _, o := range outcomes {
		excuse := byHeader[o.header]
		delete(byHeader, o.header)
		switch {
		case o.err != nil:
			r.NotChecked = append(r.NotChecked, NotChecked{o.header, o.err.Error(), o.err == errOtherLanguage})
		case o.failed == nil:
			r.Compiled++
			if excuse != nil {
				unneeded(excuse, "the header compiles")
			}
		case excuse != nil:
			r.Excused = append(r.Excused, Failure{o.header, o.failed.class(), *o.failed, excuse})
		default:
			r.Failures = append(r.Failures, Failure{o.header, o.failed.class(), *o.failed, nil})
		}
	}
	for _, excuse := range byHeader {
		unneeded(excuse, "there is no such header")
	}
	slices.SortFunc(r.NotChecked, func(a, b NotChecked) int { return cmp.Compare(a.Header, b.Header) })
	slices.SortFunc(r.Unneeded, func(a, b Unneeded) int { return cmp.Compare(a.Header, b.Header) })
}
