package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"zevents": main})
}

func TestScripts(t *testing.T) {
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("RECORDED", filepath.Join(repository, "testdata/openzfs-2.1.11"))
			env.Setenv("TZ", "UTC")
			return nil
		},
		RequireExplicitExec: true,
	})
}

const recordedDir = "../../testdata/openzfs-2.1.11/"

func readFile(tb testing.TB, name string) []byte {
	tb.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// emulated is a system whose module is the queue.
func emulated(q *emulator.Queue) system {
	return system{
		open:     func() (zevent.Device, error) { return q.Open(), nil },
		module:   func() (string, error) { return "2.1.11-1+deb12u1", nil },
		kernel:   func() (string, error) { return "6.1.0-56-amd64", nil },
		location: time.UTC,
	}
}

func newQueue() *emulator.Queue { return emulator.New(emulator.DefaultMaxEvents, time.Now) }

// played is a queue with the events of the real module.
func played(tb testing.TB) *emulator.Queue {
	tb.Helper()
	r, err := zevent.NewRecordingReader(bytes.NewReader(readFile(tb, recordedDir+"events.zevents")), "events.zevents")
	if err != nil {
		tb.Fatal(err)
	}
	q := newQueue()
	if _, err := q.Play(r); err != nil {
		tb.Fatal(err)
	}
	return q
}

// post queues an event of a class and further pairs.
func post(tb testing.TB, q *emulator.Queue, class string, pairs ...nvlist.Pair) {
	tb.Helper()
	pairs = append([]nvlist.Pair{{Name: "class", Type: nvlist.String, Value: class}}, pairs...)
	if _, err := q.Post(nvlist.New(pairs...)); err != nil {
		tb.Fatal(err)
	}
}

func ofPool(name string) nvlist.Pair {
	return nvlist.Pair{Name: "pool", Type: nvlist.String, Value: name}
}

// output is a stream that a command writes while a test reads it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// take returns what was written since the last call.
func (o *output) take() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer o.text.Reset()
	return o.text.String()
}

// do runs a command to its end and wants its exit status.
func do(tb testing.TB, s system, want int, args ...string) (stdout, stderr string) {
	tb.Helper()
	var out, errs strings.Builder
	if got := run(tb.Context(), s, args, &out, &errs); got != want {
		tb.Errorf("%q: exit status %d, want %d\n%s%s", args, got, want, &out, &errs)
	}
	return out.String(), errs.String()
}

// The text of the emulated module is that which zpool printed of the real one.
func TestPrintsTheQueueAsZpool(t *testing.T) {
	s := emulated(played(t))
	for _, test := range []struct{ flags, file string }{{"-v", "zpool-events-v.txt"}, {"-H", "zpool-events-H.txt"}} {
		stdout, stderr := do(t, s, 0, test.flags)
		if diff := cmp.Diff(string(readFile(t, recordedDir+test.file)), stdout); diff != "" || stderr != "" {
			t.Errorf("zevents %s (-want +got):\n%s%s", test.flags, diff, stderr)
		}
	}
}

func TestClear(t *testing.T) {
	s := emulated(played(t))
	for _, want := range []string{"cleared 252 events\n", "cleared 0 events\n"} {
		if got, _ := do(t, s, 0, "-c"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	stdout, _ := do(t, s, 0)
	if want := "TIME                           CLASS\n"; stdout != want {
		t.Errorf("an empty queue prints %q, want the header %q", stdout, want)
	}
}

func TestUsageErrors(t *testing.T) {
	for _, args := range [][]string{
		{"a", "b"}, {"--unknown"}, {"-x"}, {"0tank"}, {"a/b"}, {""}, {"--pool", "a@b"}, {"tank", "--pool", "tank"},
		{"-c", "-v"}, {"-c", "tank"}, {"-cf"}, {"-c", "--from", "x"},
		{"--json", "-v"}, {"--json", "-H"}, {"-f", "--from", "x"}, {"--class", "["}, {"--since", "today"},
		{"record"}, {"record", "-o", "x", "y"}, {"record", "-v"}, {"--color=no"},
	} {
		stdout, stderr := do(t, emulated(newQueue()), 2, args...)
		if stdout != "" || !strings.Contains(stderr, "\nusage: zevents") {
			t.Errorf("%q: printed %q, and on standard error\n%s", args, stdout, stderr)
		}
	}
}

func TestNoModule(t *testing.T) {
	s := emulated(newQueue())
	s.open = func() (zevent.Device, error) { return nil, errors.New("no device") }
	s.module = func() (string, error) { return "", errors.New("no version") }
	name := filepath.Join(t.TempDir(), "new.zevents")
	for _, args := range [][]string{nil, {"-f"}, {"-c"}, {"record", "-o", name}} {
		if stdout, stderr := do(t, s, 2, args...); stdout != "" || !strings.Contains(stderr, "zevents: ") {
			t.Errorf("%q: printed %q and %q", args, stdout, stderr)
		}
	}
	if _, err := os.Stat(name); err == nil {
		t.Error("a recording was made without a module")
	}
}

// An event that cannot be decoded costs no other. Only a broken module posts one.
func TestUnreadableEvent(t *testing.T) {
	s := emulated(newQueue())
	q := newQueue()
	post(t, q, "one")
	post(t, q, "two")
	s.open = func() (zevent.Device, error) { return &breaking{Descriptor: q.Open()}, nil }
	stdout, stderr := do(t, s, 2, "-H")
	if strings.Contains(stdout, "one") || !strings.Contains(stdout, "dropped 7 events\n") || !strings.Contains(stdout, "\ttwo\n") {
		t.Errorf("printed\n%s", stdout)
	}
	if !strings.Contains(stderr, "decoding event") || !strings.Contains(stderr, "zevents: 1 events could not be read") {
		t.Errorf("standard error is\n%s", stderr)
	}
	name := filepath.Join(t.TempDir(), "x.zevents")
	if stdout, _ := do(t, s, 2, "record", "-o", name); stdout != "recorded 1 events\n" {
		t.Errorf("record printed %q", stdout)
	}
	if text := string(readFile(t, name)); !strings.Contains(text, `"eid":2,`) || !strings.Contains(text, `"dropped":7,`) {
		t.Errorf("recorded\n%s", text)
	}
}

// breaking spoils the first event that it delivers.
type breaking struct {
	*emulator.Descriptor
	broke bool
}

func (b *breaking) Next(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
	n, dropped, err := b.Descriptor.Next(buf, flags)
	if !b.broke && err == nil {
		b.broke = true
		return n - 4, 7, nil // no terminator
	}
	return n, dropped, err
}

// Strings are harmless on a terminal, and zpool's bytes in a pipe.
func TestTerminal(t *testing.T) {
	q := newQueue()
	post(t, q, "c\x1b[2J", ofPool("a\nb\u009b\u202e\xff é"))
	s := emulated(q)
	for terminal, want := range map[bool]string{
		false: "pool = \"a\nb\u009b\u202e\xff é\"",
		true:  `pool = "a\nb\u009b\u202e\xff é"`,
	} {
		s.terminal = terminal
		if stdout, _ := do(t, s, 0, "-v"); !strings.Contains(stdout, want) || strings.Contains(stdout, "\x1b") == terminal {
			t.Errorf("terminal %t: printed %q, want %q in it", terminal, stdout, want)
		}
		if stdout, _ := do(t, s, 0, "--json"); strings.ContainsAny(stdout, "\x1b\u009b\u202e") || strings.Count(stdout, "\n") != 1 {
			t.Errorf("JSON: printed %q", stdout)
		}
	}
}

// Colours are for a terminal, or for who asks for them; what they stand beside is harmless.
func TestColor(t *testing.T) {
	q := newQueue()
	post(t, q, "ereport.fs.zfs.io", ofPool("a\x1b[2J"))
	s := emulated(q)
	const red = "\x1b[31mereport.fs.zfs.io\x1b[m\n"
	for _, test := range []struct {
		args     []string
		terminal bool
		want     bool
	}{
		{[]string{"-v"}, false, false}, {[]string{"-v"}, true, true},
		{[]string{"-v", "--color=always"}, false, true}, {[]string{"-v", "--color"}, false, true},
		{[]string{"-v", "--color=never"}, true, false}, {[]string{"-v", "--color=auto"}, false, false},
		{[]string{"--json"}, true, false}, {[]string{"--json", "--color"}, true, false},
	} {
		s.terminal, s.colors = test.terminal, test.terminal
		stdout, _ := do(t, s, 0, test.args...)
		if got := strings.Contains(stdout, red); got != test.want {
			t.Errorf("%q on a terminal %t: coloured %t, printed %q", test.args, test.terminal, got, stdout)
		}
		if escaped := !strings.Contains(stdout, "\x1b[2J"); !escaped && (test.terminal || test.want) {
			t.Errorf("%q on a terminal %t: printed %q", test.args, test.terminal, stdout)
		}
	}
}

func TestWantsColors(t *testing.T) {
	for _, test := range []struct {
		noColor, term string
		want          bool
	}{{"", "xterm", true}, {"1", "xterm", false}, {"", "dumb", false}, {"", "", false}} {
		env := map[string]string{"NO_COLOR": test.noColor, "TERM": test.term}
		if got := wantsColors(func(name string) string { return env[name] }); got != test.want {
			t.Errorf("%v: got %t", env, got)
		}
	}
}

// The examples of every help run as printed.
func TestExamples(t *testing.T) {
	text, q := readFile(t, recordedDir+"events.zevents"), played(t)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("events.zevents", text, 0o600); err != nil {
		t.Fatal(err)
	}
	var examples []string
	root := rootCommand(emulated(q))
	for _, cmd := range append([]*cobra.Command{root}, root.Commands()...) {
		if cmd.Name() != "completion" && cmd.Example != "" {
			examples = append(examples, strings.Split(cmd.Example, "\n")...)
		}
	}
	if len(examples) < 6 {
		t.Errorf("only %d examples", len(examples))
	}
	for _, example := range examples {
		args := strings.Fields(strings.ReplaceAll(example, "'", ""))[1:]
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // ends a follower
			defer cancel()
			var stdout, stderr strings.Builder
			if got := run(ctx, emulated(q), args, &stdout, &stderr); got != 0 || strings.Count(stdout.String(), "\n") < 1 {
				t.Errorf("%s: exit status %d, printed\n%s%s", example, got, &stdout, &stderr)
			}
		})
	}
}
