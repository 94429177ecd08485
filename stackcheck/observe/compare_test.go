package observe

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck"
)

const (
	openzfs = "../../testdata/openzfs-2.1.11/su-ci.tar.zst"
	small   = "../../testdata/small-module/gcc"
)

func compare(t *testing.T, traces []Trace, path string) []Observation {
	t.Helper()
	build, err := stackcheck.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	binaries, err := ReadBinaries(traces, path)
	if err != nil {
		t.Fatal(err)
	}
	return Compare(traces, build, binaries)
}

func readTraces(t *testing.T, name string) []Trace {
	t.Helper()
	traces, err := ReadTraces(bytes.NewReader(readFile(t, name)), name)
	if err != nil {
		t.Fatal(err)
	}
	return traces
}

// The trace of the module that the recorded build is of: no frame was above its bound, and most were just it.
func TestCompareOpenZFS(t *testing.T) {
	o := compare(t, readTraces(t, oneTrace), openzfs)[0]
	if len(o.Findings) > 0 {
		t.Errorf("findings: %+v", o.Findings)
	}
	compared, equal := 0, 0
	for _, s := range o.Steps {
		if s.BoundBytes > 0 {
			compared++
			if s.Slack() == 0 {
				equal++
			}
		}
	}
	if compared != 25 || equal != 19 {
		t.Errorf("%d frames compared, %d equal; want 25, 19", compared, equal)
	}
	worst := o.Run.Verdict
	if worst == nil || worst.Exact() || !o.Run.LowerBound {
		t.Errorf("verdict %v, want a lower bound", worst)
	}
	if o.Run.Worst.Bytes != o.Run.WorstBytes || o.Steps[o.Run.Above-1].Function != o.Run.WorstFrom {
		t.Errorf("the worst path has %d bytes and begins before entry %d", o.Run.Worst.Bytes, o.Run.Above)
	}
	o.Run.Verdict, o.Run.Worst, o.Run.Above = nil, nil, 0
	want := &Run{
		From: "zfsdev_ioctl", To: "aggsum_add", Calls: 25, ObservedBytes: 3824, FrameBytes: 3952,
		BetweenBytes: o.Run.BetweenBytes, WorstFrom: "zfs_ioc_recv", BelowBytes: 3632, WorstBytes: o.Run.WorstBytes, LowerBound: true,
	}
	if diff := cmp.Diff(want, o.Run); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
	if o.Run.BetweenBytes < o.Run.FrameBytes || o.Run.WorstBytes < o.Run.BetweenBytes {
		t.Errorf("frames %d, between %d, worst %d: want them to grow", o.Run.FrameBytes, o.Run.BetweenBytes, o.Run.WorstBytes)
	}
}

// gcc's size of a frame that is realigned is not always an upper bound, and the .su file does not tell: only the code does.
func TestCompareFindsWhatGCCLeavesOut(t *testing.T) {
	var found []string
	for _, o := range compare(t, readTraces(t, manyTraces), openzfs) {
		for _, f := range o.Findings {
			found = append(found, fmt.Sprintf("%s: %s %s %d > %d", o.Title, f.Kind, f.Function, f.ObservedBytes, f.BoundBytes))
		}
	}
	want := []string{"writing a file: frame-exceeded arc_wait_for_eviction 168 > 160"}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestRemarks(t *testing.T) {
	var remarks []string
	for _, s := range compare(t, readTraces(t, manyTraces), openzfs)[2].Steps {
		for _, r := range s.Remarks {
			remarks = append(remarks, s.Function+": "+r)
		}
	}
	want := []string{
		"cityhash4: was just entered; the bytes are the tracer's",
		"dnode_hold_impl: called by dnode_hold, which is gone: a tail call",
		"dsl_prop_get_ds: called by dsl_prop_get_int_ds, which is gone: a tail call",
		"dsl_dataset_snapshot_check: called through a pointer",
		"zfs_ioc_snapshot: called through a pointer",
		"do_syscall_64: with up to 1,023 random bytes (CONFIG_RANDOMIZE_KSTACK_OFFSET)",
		"entry_SYSCALL_64_after_hwframe: the registers that were saved on entry to the kernel",
	}
	if diff := cmp.Diff(want, remarks); diff != "" {
		t.Errorf("remarks (-want +got):\n%s", diff)
	}
}

// stack makes a trace of entries, the innermost first.
func stack(entries ...Entry) Trace {
	depth := 0
	for i := range slices.Backward(entries) {
		depth += entries[i].Size
		entries[i].Depth = depth
		if entries[i].Module == "" && entries[i].Length < 0x100 {
			entries[i].Module = "small"
		}
	}
	return Trace{Entries: entries}
}

// The module tells the depth at each call, the length of each function, and which realign their frames.
func TestCompareWithModule(t *testing.T) {
	kernel := Entry{Size: 40, Function: "sink", Offset: 5, Length: 0x100}
	fixed := Entry{Size: 312, Function: "fixed", Offset: 0xf, Length: 0x20}
	for _, test := range []struct {
		name     string
		trace    Trace
		findings []string
		remarks  []string // of the second entry
		foreign  int
	}{
		{"as it is", stack(kernel, fixed), nil, nil, 0},
		{"a cold part", stack(kernel, Entry{Size: 40, Function: "has_cold_part.cold", Offset: 6, Length: 0xc}, fixed), nil, []string{"its cold part", "called by assembly, by a static call, or through a pointer by a function that is gone"}, 0},
		{"too much", stack(kernel, Entry{Size: 320, Function: "fixed", Offset: 0xf, Length: 0x20}), []string{
			"call-differs: fixed had taken 320 bytes when it called at +0xf; ORC tells 312 there",
			"frame-exceeded: fixed took 320 bytes, and gcc (.su) says 312 (static)",
		}, nil, 0},
		{"too little at that call", stack(kernel, Entry{Size: 304, Function: "fixed", Offset: 0xf, Length: 0x20}), []string{
			"call-differs: fixed had taken 304 bytes when it called at +0xf; ORC tells 312 there"}, nil, 0},
		{"another build", stack(kernel, Entry{Size: 999, Function: "fixed", Offset: 0xf, Length: 0xf0}), nil, []string{"the build has no such function of that length"}, 1},
		{"a label of assembly", stack(kernel, Entry{Size: 64, Function: "entry_label", Offset: 0xf, Length: 0x20}), nil, []string{"the registers that were saved on entry to the kernel"}, 0},
		{"realigned", stack(kernel, Entry{Size: 200, Function: "realigned", Offset: 0x14, Length: 0x20}), nil, []string{"realigns its frame, of which gcc (.su) leaves out 8 bytes"}, 0},
		{"realigned too far", stack(kernel, Entry{Size: 208, Function: "realigned", Offset: 0x14, Length: 0x20}), []string{
			"frame-exceeded: realigned took 208 bytes, and gcc (.su) says 192 (static), with 8 more for realigning"}, []string{"realigns its frame, of which gcc (.su) leaves out 8 bytes"}, 0},
		{"a function of the kernel of the same name", stack(kernel, Entry{Size: 4096, Function: "fixed", Offset: 0xf, Length: 0x120}), nil, nil, 0},
		{"a function of another module of the same name", stack(kernel, Entry{Size: 4096, Function: "fixed", Offset: 0xf, Length: 0x20, Module: "large"}), nil, nil, 0},
		{"grown at run time", stack(kernel, Entry{Size: 4096, Function: "variable", Offset: 0x1a, Length: 0x20}), nil, []string{"grows at run time"}, 0},
		{"interrupted", stack(kernel, Entry{Size: 168, Function: "asm_sysvec_apic_timer_interrupt", Offset: 0x16, Length: 0x200}, Entry{Size: 352, Function: "fixed", Offset: 0x8, Length: 0x20}), nil,
			[]string{"the registers that were saved on entry to the kernel"}, 0},
		{"a traced return", stack(kernel, Entry{Size: 8, Function: "return_to_handler", Length: 0x200}, Entry{Size: 352, Function: "fixed", Offset: 0xf, Length: 0x20}), nil, nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := compare(t, []Trace{test.trace}, small)[0]
			var found []string
			for _, f := range o.Findings {
				found = append(found, string(f.Kind)+": "+f.Message)
			}
			if diff := cmp.Diff(test.findings, found); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.remarks, o.Steps[1].Remarks); diff != "" {
				t.Errorf("remarks (-want +got):\n%s", diff)
			}
			if o.Foreign != test.foreign {
				t.Errorf("%d entries of another build, want %d", o.Foreign, test.foreign)
			}
		})
	}
}

// Where the kernel keeps frame pointers, modules have no ORC, and the tracer sees more of the function that called the traced one than it has.
func TestCompareWithFramePointers(t *testing.T) {
	const withoutORC = "../../testdata/small-module/clang"
	traced, kernel := Entry{Size: 64, Function: "sink", Offset: 5, Length: 0x100}, Entry{Size: 40, Function: "caller", Offset: 5, Length: 0x100}
	fixed := func(size int) Entry {
		return Entry{Size: size, Function: "fixed", Offset: 0xf, Length: 0x20, Module: "small"}
	}
	for _, test := range []struct {
		name     string
		trace    Trace
		at, size int
		findings int
	}{
		{"called the traced function", stack(traced, fixed(344)), 1, 320, 0},
		{"took more than that", stack(traced, fixed(352)), 1, 328, 2},
		{"further up", stack(traced, kernel, fixed(320)), 2, 320, 0},
		{"took more, further up", stack(traced, kernel, fixed(344)), 2, 344, 2},
	} {
		o := compare(t, []Trace{test.trace}, withoutORC)[0]
		if len(o.Findings) != test.findings || o.Steps[test.at].Size != test.size {
			t.Errorf("%s: %d bytes and findings %v, want %d and %d of them", test.name, o.Steps[test.at].Size, o.Findings, test.size, test.findings)
		}
	}
}

// A path that is exact is a bound of all that happened below its first function.
func TestCompareFindsAPathThatIsExceeded(t *testing.T) {
	// leaf calls nothing, as far as the graph knows: 8 bytes, exactly.
	trace := stack(Entry{Size: 48, Function: "sink", Offset: 5, Length: 0x100}, Entry{Size: 8, Function: "leaf", Offset: 4, Length: 0x10})
	o := compare(t, []Trace{trace}, small)[0]
	var found []string
	for _, f := range o.Findings {
		found = append(found, fmt.Sprintf("%s %d > %d", f.Kind, f.ObservedBytes, f.BoundBytes))
	}
	if diff := cmp.Diff([]string{"path-exceeded 16 > 8"}, found); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestCompareNothing(t *testing.T) {
	o := compare(t, []Trace{{Entries: []Entry{}}}, small)[0]
	if o.Bytes != 0 || o.Run != nil || len(o.Findings) > 0 {
		t.Errorf("of an empty trace: %+v", o)
	}
}

func TestExcusesAreOfNames(t *testing.T) {
	for function, want := range map[string]bool{"asm_exc_page_fault": true, "asm_common_interrupt": true, "el1h_64_irq": true, "arc_read": false, "aggsum_add": false} {
		if interrupts(function) != want {
			t.Errorf("interrupts(%q) = %v", function, !want)
		}
	}
	if text := excuse([]Entry{{}, {Function: "0xffffffffc0a01234"}}, 1); !strings.Contains(text, "no symbol") {
		t.Errorf("a bare address: %q", text)
	}
}
