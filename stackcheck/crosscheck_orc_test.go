package stackcheck

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// What inline assembly pushes, and what ORC tells the least of, makes no module one of another build; three other sizes of some functions do.
func TestOtherBuilds(t *testing.T) {
	files := map[string]string{"small.ko": small(t, "gcc/small.ko"), "frames.su": small(t, "gcc/frames.su"), "other.su": small(t, "gcc/other.su")}
	if _, err := Read(write(t, files)); err != nil {
		t.Error(err)
	}
	for i, size := range []string{"\t312\t", "\t144\t", "\t24\t"} {
		files["frames.su"] = strings.Replace(files["frames.su"], size, "\t632\t", 1)
		dir := write(t, files)
		b, err := Read(dir)
		want := "reading stack usage: small.ko: not of the build that the .su and .ci files are of: of 11 functions 3 have another size, " +
			"such as cloned.constprop (632 bytes by su, and 144 by ORC); give files of one build"
		if i < mostOthers && err != nil || i >= mostOthers && (err == nil || err.Error() != want) {
			t.Errorf("%s with %d other sizes: error %v, want %q", filepath.Base(dir), i+1, err, want)
		}
		if len(b.Functions) != 16 {
			t.Errorf("%d functions, want all the same", len(b.Functions))
		}
	}
}

// Clang's sizes have no bound, but for what it counts.
func TestCouldTake(t *testing.T) {
	gcc := frame.Frame{Source: frame.SourceSU, File: "x.c", Line: 1, Column: 1, Bytes: 208, AddedBytes: 8}
	clang := frame.Frame{Source: frame.SourceSU, File: "x.c", Line: 1, Bytes: 248, AddedBytes: 48}
	for f, want := range map[frame.Frame][2]int{gcc: {200, 216}, clang: {208, frame.MaxBytes}} {
		if least, most := couldTake(f); [2]int{least, most} != want {
			t.Errorf("%+v could take %d to %d bytes, want %v", f, least, most, want)
		}
	}
}
