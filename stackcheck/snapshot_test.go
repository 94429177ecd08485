package stackcheck

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
)

// sameBuild compares all that a snapshot keeps; graphs by what they were linked from.
var sameBuild = cmp.Options{cmpopts.IgnoreFields(Build{}, "CrossChecked", "Copies"), cmpopts.IgnoreFields(callgraph.Unit{}, "File", "Pointers"), cmpopts.IgnoreTypes(&callgraph.Graph{}), cmpopts.EquateEmpty()}

// What is read of a snapshot is the build that it was made of, and has the same paths.
func TestSnapshotOfRecording(t *testing.T) {
	b := openzfs(t)
	file := filepath.Join(t.TempDir(), "recording.json.zst")
	if err := WriteSnapshotFile(file, b); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() > 1<<20 {
		t.Errorf("the snapshot has %d bytes, want less than 1 MiB; error %v", info.Size(), err)
	}
	got, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.Functions, got.Functions); diff != "" {
		t.Errorf("functions (-written +read):\n%.2000s", diff)
	}
	if diff := cmp.Diff(b.Graph.Worst(), got.Graph.Worst()); diff != "" || len(got.Units) != len(b.Units) || got.Root != b.Root {
		t.Errorf("%d units of %s; worst path (-written +read):\n%s", len(got.Units), got.Root, diff)
	}
}

// The snapshot of a module says what was built, and takes part in a build like what it was made of.
func TestSnapshotOfModule(t *testing.T) {
	const dir = "../testdata/small-module/gcc"
	b, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := Built{Modules: []string{"small"}, Compiler: "GCC: (Debian 12.2.0-14+deb12u1) 12.2.0"}
	if diff := cmp.Diff(want, b.Built); diff != "" {
		t.Errorf("built (-want +got):\n%s", diff)
	}
	file := filepath.Join(t.TempDir(), "snapshot.zst")
	if err := WriteSnapshotFile(file, b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(file)
	if diff := cmp.Diff(b, got, sameBuild); diff != "" || err != nil {
		t.Errorf("error %v, build (-written +read):\n%s", err, diff)
	}
	both, err := Read(file, recording)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(b.Functions) + 6498; len(both.Functions) != n || len(both.Graph.Find("dmu_recv_stream")) != 1 || both.Built.Compiler != want.Compiler {
		t.Errorf("with another build: %d frames, want %d; built %v", len(both.Functions), n, both.Built)
	}
}

func TestBuilt(t *testing.T) {
	b := Built{Modules: []string{"spl", "zfs"}, Kernel: "6.1"}
	if got := b.Over(Built{Kernel: "5.4", Version: "2.1.11", Flags: "-O2"}).String(); got != "spl zfs 2.1.11, Linux 6.1, -O2" {
		t.Errorf("built %q", got)
	}
	if got := (Built{}).String(); got != "" {
		t.Errorf("of nothing known: %q", got)
	}
}

func TestReadSnapshotRefuses(t *testing.T) {
	const good = `{"format":"kmodaudit-stack/1","functions":[{"frames":[{"function":"f","bytes":8,"source":"su"}]}],` +
		`"units":[{"functions":[{"title":"f","name":"f","defined":true,"bytes":8}],"callers":[{"title":"f","calls":[{"callee":"f"}]}]}]}`
	if _, err := ReadSnapshot(strings.NewReader(good)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ old, new, want string }{
		"not JSON":         {good, "{frames}", "not a snapshot: "},
		"cut off":          {`"source":"su"}]}],`, "", "not a snapshot: "},
		"another format":   {"stack/1", "stack/2", `its format is "kmodaudit-stack/2", want "kmodaudit-stack/1"`},
		"no format":        {`"format":"kmodaudit-stack/1",`, "", `its format is ""`},
		"no frame":         {`{"function":"f","bytes":8,"source":"su"}`, "", "function 1 has no frame"},
		"no name":          {`{"function":"f",`, "{", "function 1: it has no name"},
		"negative":         {`"f","bytes":8,"source"`, `"f","bytes":-8,"source"`, "f has -8 bytes"},
		"too large":        {`"f","bytes":8,"source"`, `"f","bytes":9223372036854775807,"source"`, "f has 9223372036854775807 bytes"},
		"source":           {`"su"`, `"guess"`, `a frame from "guess"`},
		"negative in unit": {`"defined":true,"bytes":8`, `"defined":true,"bytes":-1`, "unit 1: f has -1 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadSnapshot(strings.NewReader(strings.Replace(good, test.old, test.new, 1)))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// However long a text stands where the format should, the error quotes little of it.
func TestLongSnapshotFormat(t *testing.T) {
	_, err := ReadSnapshot(strings.NewReader(`{"format": "` + strings.Repeat("a", 1<<20) + `"}`))
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("%.300v", err)
	}
}

// A build of many like parts compresses hundredfold, and is read again all the same.
func TestRepetitiveSnapshot(t *testing.T) {
	b, err := Read("../testdata/small-module/gcc")
	if err != nil {
		t.Fatal(err)
	}
	b.Functions = slices.Repeat(b.Functions, 40_000/len(b.Functions))
	var text, compressed bytes.Buffer
	if err := errors.Join(writeSnapshotTo(&text, false, b), writeSnapshotTo(&compressed, true, b)); err != nil {
		t.Fatal(err)
	}
	if text.Len() < 300*compressed.Len() {
		t.Fatalf("%d bytes compress to %d; want a build that is more repetitive", text.Len(), compressed.Len())
	}
	got, err := ReadSnapshot(&compressed)
	if err != nil || len(got.Functions) != len(b.Functions) {
		t.Errorf("%d of %d functions, %v", len(got.Functions), len(b.Functions), err)
	}
}

func FuzzReadSnapshot(f *testing.F) {
	for _, name := range []string{"../testdata/small-module/gcc", "../testdata/small-module/clang"} {
		b, err := Read(name)
		if err != nil {
			f.Fatal(err)
		}
		var text, compressed bytes.Buffer
		if err := writeSnapshotTo(&text, false, b); err != nil {
			f.Fatal(err)
		}
		if err := writeSnapshotTo(&compressed, true, b); err != nil {
			f.Fatal(err)
		}
		f.Add(text.Bytes())
		f.Add(compressed.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ReadSnapshot(bytes.NewReader(data))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := WriteSnapshot(&again, b); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadSnapshot(&again); err != nil || len(got.Functions) != len(b.Functions) {
			t.Fatalf("written anew: %d frames, want %d; error %v", len(got.Functions), len(b.Functions), err)
		}
		if b.Graph != nil {
			b.Graph.Worst()
		}
	})
}

func BenchmarkReadSnapshot(b *testing.B) {
	var text bytes.Buffer
	if err := WriteSnapshot(&text, openzfs(b)); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if _, err := ReadSnapshot(bytes.NewReader(text.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}

// A file that cannot be written is left as it was.
func TestWriteSnapshotFileFails(t *testing.T) {
	if err := WriteSnapshotFile(filepath.Join(t.TempDir(), "none", "b.json"), Build{}); err == nil || !strings.HasPrefix(err.Error(), "writing the snapshot ") {
		t.Errorf("error %v", err)
	}
	file := filepath.Join(t.TempDir(), "b.json")
	if err := WriteSnapshotFile(file, Build{Root: "/a"}); err != nil {
		t.Fatal(err)
	}
	want := "{\"format\":\"kmodaudit-stack/1\",\"built\":{},\"root\":\"/a\",\"objects\":0,\n\"functions\":[],\n\"unsized\":[],\n\"units\":[]}\n"
	if got, err := os.ReadFile(file); string(got) != want || err != nil {
		t.Errorf("error %v, snapshot %q, want %q", err, got, want)
	}
}
