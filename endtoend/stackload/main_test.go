package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/observe"
)

// The tracer is reset before each step, and what is printed is read back as one trace a step.
func TestRecord(t *testing.T) {
	tracer := observe.Tracer{Directory: t.TempDir()}
	trace, size := filepath.Join(tracer.Directory, "stack_trace"), filepath.Join(tracer.Directory, "stack_max_size")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(size, "")
	deep := func(bytes string) func() error {
		return func() error {
			if text, err := os.ReadFile(size); err != nil || string(text) != "0\n" {
				t.Errorf("stack_max_size is %q, %v; want 0", text, err)
			}
			write(size, bytes)
			write(trace, "        Depth    Size   Location    (1 entries)\n        -----    ----   --------\n  0)     "+bytes+"     "+bytes+"   f+0x5/0x40 [zfs]\n")
			return nil
		}
	}
	var out strings.Builder
	if err := record(tracer, &out, []step{{"one", deep("1200")}, {"two", deep("800")}}); err != nil {
		t.Fatal(err)
	}
	traces, err := observe.ReadTraces(strings.NewReader(out.String()), "out")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, trace := range traces {
		got[trace.Title] = trace.Bytes()
	}
	if diff := cmp.Diff(map[string]int{"one": 1200, "two": 800}, got); diff != "" {
		t.Errorf("traces (-want +got):\n%s", diff)
	}
	err = record(tracer, &out, []step{{"three", func() error { return errors.New("no space") }}})
	if err == nil || err.Error() != "three: no space" {
		t.Errorf("a step that fails: %v", err)
	}
}

func TestNames(t *testing.T) {
	if diff := cmp.Diff([]string{"zfs", "spl"}, names("zfs,,spl")); diff != "" {
		t.Error(diff)
	}
	if got := names(""); len(got) != 0 {
		t.Errorf("of nothing: %q", got)
	}
}

// Without a device there is nothing to watch, and nothing is left.
func TestOpenWithoutDevice(t *testing.T) {
	dir := t.TempDir()
	if _, err := open(filepath.Join(dir, "zfs"), dir); err == nil || !strings.Contains(err.Error(), "opening the module's device") {
		t.Errorf("open returned %v", err)
	}
}
