package guest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cavaliergopher/cpio"
	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/guest/wire"
)

func file(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInitramfs(t *testing.T) {
	archive, err := initramfs(file(t, t.TempDir(), "init-program", "the init"))
	if err != nil {
		t.Fatal(err)
	}
	r := cpio.NewReader(bytes.NewReader(archive))
	h, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err != nil || h.Name != "init" || h.Mode.Perm() != 0o755 || string(content) != "the init" {
		t.Errorf("%s, mode %v, %q, %v; want an executable init", h.Name, h.Mode, content, err)
	}
	if h, err := r.Next(); err != io.EOF {
		t.Errorf("after it: %v, %v", h, err)
	}
}

func TestPayload(t *testing.T) {
	dir := t.TempDir()
	p, err := newPayload(Config{
		Modules: []string{file(t, dir, "spl.ko", "SPL"), file(t, dir, "snd-x.ko", "SND")},
		Programs: []Program{
			{File: file(t, dir, "zevent-test", "the program"), Args: []string{"--device", "/dev/zfs"}, Env: []string{"A=1"}},
			{File: file(t, dir, "stackload", "another")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if p.size != leastPayloadBytes {
		t.Errorf("%d bytes of memory, want %d", p.size, leastPayloadBytes)
	}
	if err := p.wait(); err != nil {
		t.Fatal(err)
	}
	data := make([]byte, p.bytes)
	if _, err := p.memory.ReadAt(data, 0); err != nil {
		t.Fatal(err)
	}
	got, err := wire.OpenPayload(data)
	if err != nil {
		t.Fatal(err)
	}
	want := wire.Job{
		Modules: []wire.File{{Name: "00-spl.ko", Bytes: 3}, {Name: "01-snd_x.ko", Offset: 3, Bytes: 3}},
		Programs: []wire.Program{
			{File: wire.File{Name: "00-zevent-test", Offset: 6, Bytes: 11}, Args: []string{"--device", "/dev/zfs"}, Env: []string{"A=1"}},
			{File: wire.File{Name: "01-stackload", Offset: 17, Bytes: 7}},
		},
	}
	if diff := cmp.Diff(want, got.Job); diff != "" {
		t.Errorf("job (-want +got):\n%s", diff)
	}
	if content, err := got.Content(got.Job.Programs[1].File); err != nil || string(content) != "another" {
		t.Errorf("the last file: %q, %v", content, err)
	}
}

// A record whose text lies in the payload, or outside of the memory, is none.
func TestFetchOfStrangeAreas(t *testing.T) {
	p := payload{bytes: 10, size: 100}
	for _, a := range []wire.Area{{Offset: 9, Bytes: 1}, {Offset: -1, Bytes: 1}, {Offset: 10, Bytes: -1}, {Offset: 10, Bytes: 91}, {Offset: 101}, {Offset: 1<<63 - 1, Bytes: 1<<63 - 1}} {
		if err := p.fetch(&wire.Record{Kind: wire.Stdout, Lent: &a}); err == nil || !strings.Contains(err.Error(), "outside of the memory") {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

// The memory for a larger payload is of the next power of two.
func TestLargePayload(t *testing.T) {
	dir := t.TempDir()
	large := file(t, dir, "large", "")
	if err := os.Truncate(large, leastPayloadBytes); err != nil {
		t.Fatal(err)
	}
	p, err := newPayload(Config{Programs: []Program{{File: large}}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if p.size != 2*leastPayloadBytes {
		t.Errorf("%d bytes of memory for %d, want %d", p.size, p.bytes, 2*leastPayloadBytes)
	}
}

const panicConsole = `[    2.224877] spl: loading out-of-tree module taints kernel.
[    2.310001] BUG: unable to handle page fault for address: ffffb8a5c0000000
[    2.310002] Oops: 0002 [#1] PREEMPT SMP NOPTI
[    2.312233] Kernel panic - not syncing: Fatal exception
[    2.313171] Call Trace:
`

var echoedRecord = regexp.MustCompile(`(?m)^(echo '\{.*\}'\n)+`)

// compressed has a script write what it echoes as the guest does.
func compressed(t *testing.T, dir, script string) string {
	return echoedRecord.ReplaceAllStringFunc(script, func(echoes string) string {
		var port bytes.Buffer
		s := wire.NewStream(&port)
		for line := range strings.Lines(echoes) {
			var r wire.Record
			text := strings.TrimSuffix(strings.TrimPrefix(line, "echo '"), "'\n")
			if err := errors.Join(json.Unmarshal([]byte(text), &r), s.Write(r), s.Flush()); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		return "cat '" + file(t, dir, "records", port.String()) + "'\n"
	})
}

// fakeQEMU puts a program called as QEMU is on the PATH. It writes console to
// the console's file and then does what script says, which echoes its records in one go.
func fakeQEMU(t *testing.T, console, script string) {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("guests run on x86-64 only")
	}
	bin := t.TempDir()
	file(t, bin, "console", console)
	file(t, bin, "qemu-system-x86_64", `#!/bin/sh
for arg; do case $arg in file,id=console,*) log=${arg#*path=};; esac; done
cat '`+bin+`/console' >"$log"
`+compressed(t, bin, script))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

func config(t *testing.T) Config {
	dir := t.TempDir()
	return Config{
		Kernel: file(t, dir, "vmlinuz", ""), Init: file(t, dir, "guestinit", ""), Programs: []Program{{File: file(t, dir, "zevent-test", "")}, {File: file(t, dir, "stackload", "")}},
		Modules: []string{file(t, dir, "spl.ko", ""), file(t, dir, "zfs.ko", "")}, Dir: dir, Timeout: time.Minute,
	}
}

const (
	ready  = "echo ready\nread -r start\n"
	booted = ready + `echo '{"kind":"booted","uptime":2.5,"release":"6.1.0-56-amd64"}'` + "\n"
	spl    = `echo '{"kind":"loaded","uptime":3,"module":"00-spl.ko"}'` + "\n"
	zfs    = `echo '{"kind":"loaded","uptime":4,"module":"01-zfs.ko"}'` + "\n"
)

func TestRun(t *testing.T) {
	fakeQEMU(t, "", booted+spl+zfs+`echo '{"kind":"stdout","uptime":4,"text":"one"}'
echo '{"kind":"stderr","uptime":4,"text":"careful"}'
echo '{"kind":"stdout","uptime":4,"text":"two"}'
echo '{"kind":"exited","uptime":5,"code":1}'
echo '{"kind":"stdout","program":1,"uptime":6,"text":"three"}'
echo '{"kind":"exited","program":1,"uptime":7}'
echo '{"kind":"done","uptime":7}'
`)
	c := config(t)
	got, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	want := &Result{
		Programs: []Output{
			{ExitCode: 1, Stdout: []byte("one\ntwo\n"), Stderr: []byte("careful\n"), Ended: 5 * time.Second},
			{Stdout: []byte("three\n"), Ended: 7 * time.Second},
		},
		Release: "6.1.0-56-amd64", Booted: 2500 * time.Millisecond, Loaded: 4 * time.Second, ConsoleLog: filepath.Join(c.Dir, "console.log"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Run (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "initramfs.cpio")); !os.IsNotExist(err) {
		t.Errorf("the initramfs was left: %v", err)
	}
}

func TestRunFailures(t *testing.T) {
	for _, test := range []struct {
		name, console, script string
		want                  []string
	}{
		{"panic", panicConsole, booted + spl, []string{"panicked while it loaded zfs: Fatal exception", "BUG: unable to handle page fault", "Call Trace"}},
		{"module refused", "", booted + `echo '{"kind":"broken","module":"00-spl.ko","text":"loading 00-spl.ko: invalid module format"}'` + "\n", []string{"invalid module format", "does not fit this kernel"}},
		{"silent end", "[    1.0] last words\n", booted + spl + zfs, []string{"ended while zevent-test ran without a result", "last words"}},
		{"silent end of the second", "", booted + spl + zfs + `echo '{"kind":"exited","uptime":5}'` + "\n", []string{"ended while stackload ran without a result"}},
		{"a program that there is not", "", booted + `echo '{"kind":"stdout","program":2}'` + "\nexec sleep 1000", []string{"of a program that there is not"}},
		{"no boot", "", "echo 'no such machine' >&2; exit 1", []string{"QEMU failed before its init ran", "no such machine"}},
		{"garbage", "", "echo garbage; exec sleep 1000", []string{"no record", "garba"}},
		{"less than a word", "", "printf rea", []string{"no record", "rea"}},
		{"garbage for records", "", ready + "echo garbage; exec sleep 1000", []string{"no record"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			fakeQEMU(t, test.console, test.script)
			_, err := Run(t.Context(), config(t))
			var failed *Error
			if !errors.As(err, &failed) {
				t.Fatalf("Run returned %v, want an *Error", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestRunOfAHungGuest(t *testing.T) {
	fakeQEMU(t, "[    1.0] waiting\n", booted+spl+"exec sleep 1000")
	c := config(t)
	c.Timeout = 500 * time.Millisecond
	_, err := Run(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "it hung") || !strings.Contains(err.Error(), "waiting") {
		t.Errorf("Run returned %v, want that it hung and its console", err)
	}
}

func TestRunCancelled(t *testing.T) {
	fakeQEMU(t, "", booted+"exec sleep 1000")
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped by the user")
	c := config(t)
	c.OnRecord = func(wire.Record) { cancel(stopped) }
	if _, err := Run(ctx, c); !errors.Is(err, stopped) {
		t.Errorf("Run returned %v, want the cause of the cancellation", err)
	}
}

func TestRunWithoutQEMU(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Run(t.Context(), config(t))
	if err == nil || runtime.GOARCH == "amd64" && !strings.Contains(err.Error(), "apt-get install qemu-system-x86") {
		t.Errorf("Run returned %v, want how to install QEMU", err)
	}
}

func TestFindPanic(t *testing.T) {
	got := findPanic(file(t, t.TempDir(), "console", panicConsole))
	if got.reason != "Fatal exception" || len(got.console) != 4 || !strings.Contains(got.console[0], "BUG: unable") {
		t.Errorf("findPanic = %+v", got)
	}
	// A message that speaks of bugs is no panic.
	got = findPanic(file(t, t.TempDir(), "console", "[    0.1] Spectre V2 : mitigates BUG: something\n[    0.2] x86/bugs: Oops: no\n"))
	if got.reason != "" || got.console != nil {
		t.Errorf("findPanic of a quiet console = %+v", got)
	}
}
