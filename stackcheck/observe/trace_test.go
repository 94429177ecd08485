package observe

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// Recorded in guests, see testdata/README.md.
const (
	oneTrace   = "../../testdata/openzfs-2.1.11/stack_trace.txt"
	manyTraces = "../../testdata/openzfs-2.1.11/stack_traces.txt"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestReadTrace(t *testing.T) {
	trace, err := ReadTrace(bytes.NewReader(readFile(t, oneTrace)), oneTrace)
	if err != nil {
		t.Fatal(err)
	}
	if trace.Bytes() != 4960 || len(trace.Entries) != 30 {
		t.Errorf("%d bytes in %d entries, want 4,960 in 30", trace.Bytes(), len(trace.Entries))
	}
	want := Entry{Depth: 4824, Size: 144, Function: "spl_kmem_cache_alloc", Offset: 0xa4, Length: 0x5c0, Module: "spl"}
	if diff := cmp.Diff(want, trace.Entries[4]); diff != "" {
		t.Errorf("entry 4 (-want +got):\n%s", diff)
	}
	want = Entry{Depth: 176, Size: 176, Function: "entry_SYSCALL_64_after_hwframe", Offset: 0x6e, Length: 0xd8}
	if diff := cmp.Diff(want, trace.Entries[29]); diff != "" {
		t.Errorf("entry 29 (-want +got):\n%s", diff)
	}
}

func TestReadTraces(t *testing.T) {
	traces, err := ReadTraces(bytes.NewReader(readFile(t, manyTraces)), manyTraces)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, trace := range traces {
		got[trace.Title] = trace.Bytes()
	}
	want := map[string]int{"creating a pool": 3992, "writing a file": 3592, "taking a snapshot": 3544, "sending a snapshot": 4584, "receiving a snapshot": 4208}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("depths (-want +got):\n%s", diff)
	}
}

const head = "        Depth    Size   Location    (2 entries)\n        -----    ----   --------\n"

// print_disabled of kernel/trace/trace_stack.c.
const disabledText = "        Depth    Size   Location    (0 entries)\n        -----    ----   --------\n" +
	"#\n#  Stack tracer disabled\n#\n# To enable the stack tracer, either add 'stacktrace' to the\n# kernel command line\n" +
	"# or 'echo 1 > /proc/sys/kernel/stack_tracer_enabled'\n#\n"

func TestReadTracesOfAllKinds(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []Entry
	}{
		{"with build IDs", head + "  0)       48      16   f.cold+0x5/0x40 [zfs 0123456789abcdef]\n  1)       32      32   __do_softirq+0xd/0x2f\n", []Entry{
			{Depth: 48, Size: 16, Function: "f.cold", Offset: 5, Length: 0x40, Module: "zfs"}, {Depth: 32, Size: 32, Function: "__do_softirq", Offset: 0xd, Length: 0x2f}}},
		{"without symbols", head + "  0)       48      16   0xffffffffc0a01234\n  1)       32      32   _RNvC3foo3bar+0xd/0x2f\n", []Entry{
			{Depth: 48, Size: 16, Function: "0xffffffffc0a01234"}, {Depth: 32, Size: 32, Function: "_RNvC3foo3bar", Offset: 0xd, Length: 0x2f}}},
		{"index of three digits", strings.Replace(head, "2 entries", "1 entries", 1) + "  0)       48      48   bpf_prog_6deef7357e7b4530+0x5/0x40 [bpf]\n", []Entry{
			{Depth: 48, Size: 48, Function: "bpf_prog_6deef7357e7b4530", Offset: 5, Length: 0x40, Module: "bpf"}}},
		{"nothing recorded yet", strings.Replace(head, "2 entries", "0 entries", 1), []Entry{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			trace, err := ReadTrace(strings.NewReader(test.text), "trace")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, trace.Entries); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadTracesErrors(t *testing.T) {
	const first, second = "  0)       48      16   f+0x5/0x40\n", "  1)       32      32   g+0xd/0x2f\n"
	for _, test := range []struct{ name, text, want string }{
		{"cut off", head + first, "trace:1:1: 2 entries announced, 1 read"},
		{"cut in a line", head + first + strings.TrimSuffix(second, "f\n"), "trace:4:1: the file ends in the middle of the line"},
		{"a line lost", head + second, "trace:3:1: entry 1, want 0"},
		{"sizes that do not add up", head + strings.Replace(first, "16", "24", 1) + second, "trace:1:1: entry 0: 24 bytes from depth 48 to 32"},
		{"no location", head + "  0)       48      16\n", "trace:3:1: want \"Depth Size Location\""},
		{"entries without heading", first, "trace:1:1: want \"Depth Size Location\""},
		{"a depth that no stack has", head + strings.Replace(first, "      48", "99999999", 1), "want from 0 to 1048576"},
		{"a line that is too long", strings.Repeat(" ", 1<<20) + "\n", "trace:1:1: a line of more than 2048 bytes"},
		{"another file", "lots of\ntext\n", `got "lots of"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ReadTraces(strings.NewReader(test.text), "trace")
			var bad *frame.SyntaxError
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want a syntax error with %q", err, test.want)
			}
		})
	}
	for _, test := range []struct {
		text string
		want error
	}{{"", ErrNoTrace}, {disabledText, ErrDisabled}, {strings.Repeat("x\n", 2000), frame.ErrTooManySyntaxErrors}} {
		if _, err := ReadTraces(strings.NewReader(test.text), "trace"); !errors.Is(err, test.want) {
			t.Errorf("%.30q: got %v, want %v", test.text, err, test.want)
		}
	}
}

func FuzzReadTraces(f *testing.F) {
	f.Add(readFile(f, oneTrace))
	f.Add(readFile(f, manyTraces))
	f.Add([]byte(disabledText))
	f.Add([]byte("# a\n" + head + "  0)  8  8  f\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		traces, err := ReadTraces(bytes.NewReader(text), "trace")
		if len(traces) == 0 && err == nil {
			t.Fatal("no trace and no error")
		}
		for _, trace := range traces {
			if err != nil {
				continue
			}
			sum := 0
			for _, e := range trace.Entries {
				sum += e.Size
			}
			if sum != trace.Bytes() {
				t.Fatalf("sizes of %d bytes in a stack of %d", sum, trace.Bytes())
			}
		}
	})
}

func BenchmarkReadTrace(b *testing.B) {
	text := readFile(b, oneTrace)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := ReadTrace(bytes.NewReader(text), oneTrace); err != nil {
			b.Fatal(err)
		}
	}
}
