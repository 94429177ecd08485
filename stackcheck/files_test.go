package stackcheck

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// write makes files below a new directory.
func write(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// archive makes a .tar.zst with one entry after the other, each "name=content".
func archive(t testing.TB, entries ...string) (name string) {
	t.Helper()
	return archiveOf(t, ".tar.zst", entries...)
}

// packers are what archives are compressed with, by the ends of their names.
var packers = map[string]func(io.Writer) (io.WriteCloser, error){
	".tar":     func(w io.Writer) (io.WriteCloser, error) { return nopCloser{w}, nil },
	".tar.zst": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
	".tar.xz":  func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
	".tar.gz":  func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
	".tgz":     func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// archiveOf makes an archive of a kind.
func archiveOf(t testing.TB, kind string, entries ...string) (name string) {
	t.Helper()
	var packed bytes.Buffer
	packer, err := packers[kind](&packed)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(packer)
	for _, entry := range entries {
		name, content, _ := strings.Cut(entry, "=")
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := packer.Close(); err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(t.TempDir(), "su-ci"+kind)
	if err := os.WriteFile(name, packed.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// list gives "path=content" for each file and "error: ..." for each error, without the directory.
func list(name string) []string {
	var all []string
	for file, err := range Files(name) {
		if err != nil {
			all = append(all, "error: "+strings.ReplaceAll(err.Error(), name, "PATH"))
			continue
		}
		var content string
		if IsText(file.Path) {
			content, err = file.Content()
		}
		if err != nil {
			all = append(all, "error: "+strings.ReplaceAll(err.Error(), name, "PATH"))
			continue
		}
		all = append(all, file.Path+"="+content)
	}
	return all
}

func TestFilesBelowDirectory(t *testing.T) {
	dir := write(t, map[string]string{"b.su": "1", "a/z.su": "2", "a/z.ci": "3", "a.su": "4", "a/z.o": "5", "a/.z.o.cmd": "6", "c.su/d.su": "7",
		"m.ko": "8", "m.ko.xz": "9", "m.ko.bak": "10", "vmlinux": "11", "vmlinux-6.1": "12", "vmlinux.lds": "13", "x.xz": "14"})
	for link, target := range map[string]string{"link.su": "b.su", "linked": "a", "dangling.ci": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"a.su=4", "a/z.ci=3", "a/z.o=", "a/z.su=2", "b.su=1", "c.su/d.su=7", "m.ko=", "m.ko.xz=", "vmlinux=", "vmlinux-6.1="}
	if diff := cmp.Diff(want, list(dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"z.ci=3", "z.o=", "z.su=2"}, list(filepath.Join(dir, "linked"))); diff != "" {
		t.Errorf("files below a link that is named (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"m.ko.bak="}, list(filepath.Join(dir, "m.ko.bak"))); diff != "" {
		t.Errorf("files of one file (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"b.su=1"}, list(filepath.Join(dir, "b.su"))); diff != "" {
		t.Errorf("files of one file (-want +got):\n%s", diff)
	}
}

func TestFilesInArchive(t *testing.T) {
	tests := []struct {
		name string
		path string
		want []string
	}{
		{"in its order", archive(t, "./b.su=1", "./a.ci=2", "./a.o=3"), []string{"b.su=1", "a.ci=2"}},
		{"names stay inside", archive(t, "../../etc/x.su=1", "/abs/y.su=2"), []string{"etc/x.su=1", "abs/y.su=2"}},
		{"twice", archive(t, "a.su=1", "./a.su=2", "b.su=3"), []string{"a.su=1",
			"error: PATH: has a.su twice, and its frames would count twice; make the archive anew"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, list(test.path)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFilesInArchiveOfEachKind(t *testing.T) {
	content := strings.Repeat("a.c:1:2:f\t8\tstatic\n", 1000)
	for kind := range archiveKinds {
		name := archiveOf(t, kind, "a.su="+content)
		if diff := cmp.Diff([]string{"a.su=" + content}, list(name)); diff != "" {
			t.Errorf("files of a %s (-want +got):\n%s", kind, diff)
		}
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		dir := write(t, map[string]string{"cut" + kind: string(whole[:len(whole)/2]), "no" + kind: strings.Repeat("no archive ", 100)})
		for _, damaged := range []string{"cut" + kind, "no" + kind} {
			got := list(filepath.Join(dir, damaged))
			if len(got) != 1 || !strings.HasPrefix(got[0], "error: PATH") {
				t.Errorf("%s gives %q, want one error that names the file", damaged, got)
			}
		}
	}
}

func TestFilesOfNothing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	got := list(missing)
	if len(got) != 1 || !strings.HasPrefix(got[0], "error: ") || !strings.Contains(got[0], "no such file") {
		t.Errorf("%s gives %q, want one error", missing, got)
	}
}

func TestFilesStopsWhenAsked(t *testing.T) {
	for _, name := range []string{write(t, map[string]string{"a.su": "", "b.su": ""}), archive(t, "a.su=", "b.su=")} {
		n := 0
		for range Files(name) {
			n++
			break
		}
		if n != 1 {
			t.Errorf("%d files of %s", n, name)
		}
	}
}

func FuzzFilesIn(f *testing.F) {
	var whole []string
	for file, err := range Files(recording) {
		if err != nil {
			f.Fatal(err)
		}
		if strings.HasPrefix(file.Path, "module/avl/") {
			whole = append(whole, file.Path+"="+file.Data)
		}
	}
	for _, entries := range [][]string{whole, {"./b.su=1", "../a.ci=2", "./b.su=3"}, {}} {
		for kind := range packers {
			packed, err := os.ReadFile(archiveOf(f, kind, entries...))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(packed)
		}
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		kind := ".tar" // by its magic number, so that what is found for one kind is tried with it
		switch {
		case bytes.HasPrefix(packed, []byte("\x28\xb5\x2f\xfd")):
			kind = ".tar.zst"
		case bytes.HasPrefix(packed, []byte("\xfd7zXZ\x00")):
			kind = ".tar.xz"
		case bytes.HasPrefix(packed, []byte("\x1f\x8b")):
			kind = ".tar.gz"
		}
		failed := false
		filesIn(bytes.NewReader(packed), "x"+kind, func(file File, err error) bool {
			if failed {
				t.Error("files follow an error")
			}
			failed = err != nil
			if !failed && (!IsText(file.Path) || strings.HasPrefix(file.Path, "/") || strings.HasPrefix(file.Path, "..")) {
				t.Errorf("file %q", file.Path)
			}
			return true
		})
	})
}

// The buffer that a text lies in is another file's afterwards.
func TestParseKeepsNoPartOfTheText(t *testing.T) {
	tests := map[string]string{
		"a.su": "/src/a.c:1:5:f\t16\tstatic\n/src/a.c:2:5:g\t_Zg\t32\tdynamic,bounded\n<built-in>:h\t8\tstatic\na.c:1:5:bad\t1x\tstatic\nlone\na.c:9:1:cut",
		"a.ci": `graph: { title: "/src/a.c"
node: { title: "a.c:f" label: "f\n/src/a.c:1:5\n16 bytes (static)\n0 dynamic objects" }
node: { title: "memcpy" label: "__builtin_memcpy\n<built-in>" shape : ellipse }
edge: { sourcename: "a.c:f" targetname: "memcpy" label: "/src/a.c:3:2" }
node: { title: "bad" label: "bad
edge: { sourcename: "a.c:f" targetname: "x" label: "nowhere" }
`,
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			buf := []byte(content)
			var got, want text
			got.parse(File{Path: name, Name: name}, asString(buf))
			want.parse(File{Path: name, Name: name}, content)
			for i := range buf {
				buf[i] = '?'
			}
			if want.err == nil || want.object == nil && want.unit == nil {
				t.Fatalf("read %+v; want rows and errors", want)
			}
			if diff := cmp.Diff(want.err.Error(), got.err.Error()); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if !reflect.DeepEqual(want.object, got.object) || !reflect.DeepEqual(want.unit, got.unit) {
				t.Error("what was read changed with the buffer")
			}
		})
	}
}
