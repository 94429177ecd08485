package headerinstall

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The benchmark's tree is of the size of a kernel's include/: mean size and number of directories
// as in linux-headers-6.1, contents made up.
const (
	benchHeaders     = 3000
	benchDirs        = 153
	benchHeaderBytes = 6500
)

func benchTree(b *testing.B) (root string, bytes int64) {
	files := map[string]string{}
	for i := range benchHeaders {
		dir := i % benchDirs
		name := fmt.Sprintf("m/include/d%d/d%d/h%d.h", dir%12, dir, i)
		line := fmt.Sprintf("#define HEADER_%d 1\n", i)
		files[name] = strings.Repeat(line, benchHeaderBytes/len(line))
		bytes += int64(len(files[name]))
	}
	return writeTree(b, b.TempDir(), files), bytes
}

// BenchmarkInstall measures planning and installing ~3,000 headers, and cp -r as a peer.
func BenchmarkInstall(b *testing.B) {
	root, bytes := benchTree(b)
	config := func(dest string) Config {
		return Config{Root: root, Sources: []string{"./m/include"}, Dest: dest}
	}
	cp := func(b *testing.B, dest string) {
		if out, err := exec.Command("cp", "-r", filepath.Join(root, "m/include"), dest).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	needCp := func(b *testing.B) {
		if _, err := exec.LookPath("cp"); err != nil {
			b.Skip("no cp to compare with")
		}
	}
	perHeader := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchHeaders, "ns/header")
	}

	b.Run("first", func(b *testing.B) {
		b.SetBytes(bytes)
		dir := b.TempDir()
		for i := 0; b.Loop(); i++ {
			mustInstall(b, config(filepath.Join(dir, fmt.Sprint(i))))
		}
		perHeader(b)
	})
	b.Run("first/peer=cp", func(b *testing.B) {
		needCp(b)
		b.SetBytes(bytes)
		dir := b.TempDir()
		for i := 0; b.Loop(); i++ {
			cp(b, filepath.Join(dir, fmt.Sprint(i)))
		}
		perHeader(b)
	})
	b.Run("unchanged", func(b *testing.B) {
		b.SetBytes(bytes)
		c := config(filepath.Join(b.TempDir(), "include"))
		mustInstall(b, c)
		for b.Loop() {
			mustInstall(b, c)
		}
		perHeader(b)
	})
	b.Run("unchanged/peer=cp", func(b *testing.B) {
		needCp(b)
		b.SetBytes(bytes)
		// cp -r SOURCE/. updates a destination that exists.
		dest := filepath.Join(b.TempDir(), "include")
		cp(b, dest)
		for b.Loop() {
			out, err := exec.Command("cp", "-r", filepath.Join(root, "m/include")+"/.", dest).CombinedOutput()
			if err != nil {
				b.Fatalf("%v: %s", err, out)
			}
		}
		perHeader(b)
	})
}
