package observe

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tracefs makes the tracer's files.
func tracefs(t *testing.T, files map[string]string) Tracer {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Tracer{Directory: dir, Switch: filepath.Join(dir, "stack_tracer_enabled")}
}

func (t Tracer) content(tb testing.TB) map[string]string {
	tb.Helper()
	got := map[string]string{}
	for _, name := range []string{"stack_max_size", "stack_tracer_enabled", "stack_trace_filter"} {
		text, err := os.ReadFile(filepath.Join(t.Directory, name))
		if err != nil {
			tb.Fatal(err)
		}
		got[name] = string(text)
	}
	return got
}

func TestTracerStart(t *testing.T) {
	tracer := tracefs(t, map[string]string{
		"stack_trace":                "",
		"stack_max_size":             "4960\n",
		"stack_tracer_enabled":       "0\n",
		"stack_trace_filter":         "vfs_read\nzfs_open [zfs]\n",
		"available_filter_functions": "vfs_read\nzfs_open [zfs]\nspl_init [spl]\nzfsx [zfsx]\ntxg_sync [zfs]\n",
	})
	stop, err := tracer.Start("zfs", "spl")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"stack_max_size": "0\n", "stack_tracer_enabled": "1\n", "stack_trace_filter": "2 3 5\n"}
	if diff := cmp.Diff(want, tracer.content(t)); diff != "" {
		t.Errorf("started (-want +got):\n%s", diff)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	want = map[string]string{"stack_max_size": "0\n", "stack_tracer_enabled": "0\n", "stack_trace_filter": "vfs_read zfs_open\n"}
	if diff := cmp.Diff(want, tracer.content(t)); diff != "" {
		t.Errorf("stopped (-want +got):\n%s", diff)
	}
	if _, err := tracer.Start("none"); err == nil || !strings.Contains(err.Error(), "load the module first") {
		t.Errorf("a module that is not loaded: %v", err)
	}
	if diff := cmp.Diff(want, tracer.content(t)); diff != "" {
		t.Errorf("after an error (-want +got):\n%s", diff)
	}
}

func TestTracerThatWasOn(t *testing.T) {
	tracer := tracefs(t, map[string]string{
		"stack_trace": string(readFile(t, oneTrace)), "stack_max_size": "0\n", "stack_tracer_enabled": "1\n",
		"stack_trace_filter": "#### all functions enabled ####\n", "available_filter_functions": "zfs_open [zfs]\n",
	})
	stop, err := tracer.Start("zfs")
	if err != nil {
		t.Fatal(err)
	}
	trace, err := tracer.Read()
	if err != nil || trace.Bytes() != 4960 {
		t.Errorf("Read = %d bytes, %v", trace.Bytes(), err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"stack_max_size": "0\n", "stack_tracer_enabled": "1\n", "stack_trace_filter": "\n"}
	if diff := cmp.Diff(want, tracer.content(t)); diff != "" {
		t.Errorf("stopped (-want +got):\n%s", diff)
	}
}

func TestFindTracer(t *testing.T) {
	there := tracefs(t, map[string]string{"stack_trace": ""})
	empty := t.TempDir()
	sysctl := filepath.Join(there.Directory, "stack_trace")
	got, err := findTracer([]string{empty, there.Directory}, sysctl)
	if err != nil || got.Directory != there.Directory {
		t.Errorf("findTracer = %v, %v", got, err)
	}
	_, err = findTracer([]string{empty}, filepath.Join(empty, "none"))
	if !errors.Is(err, ErrNoTracer) || !strings.Contains(err.Error(), "CONFIG_STACK_TRACER") {
		t.Errorf("a kernel without: %v", err)
	}
	_, err = findTracer([]string{empty}, sysctl)
	if !errors.Is(err, ErrNoTracer) || !strings.Contains(err.Error(), "mount -t tracefs tracefs "+empty) {
		t.Errorf("tracefs not mounted: %v", err)
	}
	if err := failed("reading", fs.ErrPermission); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "run as root") {
		t.Errorf("no permission: %v", err)
	}
}
