package guest

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const testMemoryBytes = 16 * chunkBytes

// memoryOf returns the memory of a guest with text at some offsets.
func memoryOf(t *testing.T, text map[int64]string) *os.File {
	t.Helper()
	memory, err := newMemory("memory")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { memory.Close() })
	if err := memory.Truncate(testMemoryBytes); err != nil {
		t.Fatal(err)
	}
	for offset, content := range text {
		if _, err := memory.WriteAt([]byte(content), offset); err != nil {
			t.Fatal(err)
		}
	}
	return memory
}

func keptIn(t *testing.T) (dir string, memory []byte) {
	t.Helper()
	dir = t.TempDir()
	m := memoryOf(t, map[int64]string{0: "low", 5*chunkBytes - 1: "across", 9 * chunkBytes: "\x00\x00", testMemoryBytes - 4: "high"})
	if err := writeKept(dir, m, []byte("devices"), file(t, t.TempDir(), "console", "[    0.0] Linux\n")); err != nil {
		t.Fatal(err)
	}
	memory, err := io.ReadAll(io.NewSectionReader(m, 0, testMemoryBytes))
	if err != nil {
		t.Fatal(err)
	}
	return dir, memory
}

func TestKept(t *testing.T) {
	dir, want := keptIn(t)
	k, err := openKept(dir, testMemoryBytes)
	if err != nil {
		t.Fatal(err)
	}
	defer k.memory.Close()
	if err := k.check(testMemoryBytes); err != nil {
		t.Error(err)
	}
	got, err := io.ReadAll(io.NewSectionReader(k.memory, 0, testMemoryBytes+1))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the memory is another: %v, %d bytes", err, len(got))
	}
	if string(k.devices) != "devices" || string(k.console) != "[    0.0] Linux\n" {
		t.Errorf("devices %q, console %q", k.devices, k.console)
	}
	var written []int64
	err = eachChunk(k.memory, testMemoryBytes, func(offset int64, _ []byte) error { written = append(written, offset/chunkBytes); return nil })
	if err != nil || len(written) != 4 { // that with zeros alone is left out
		t.Errorf("chunks %v are written, %v; want 0, 4, 5, 15", written, err)
	}
}

// damages are done to a directory with a machine.
var damages = map[string]func(dir string) error{
	"no sums":          func(dir string) error { return os.Remove(filepath.Join(dir, keptSums)) },
	"empty sums":       func(dir string) error { return os.Truncate(filepath.Join(dir, keptSums), 0) },
	"garbage for sums": func(dir string) error { return os.WriteFile(filepath.Join(dir, keptSums), []byte("{]"), 0o644) },
	"endless sums": func(dir string) error {
		return os.WriteFile(filepath.Join(dir, keptSums), bytes.Repeat([]byte(" "), maxSumsBytes+1), 0o644)
	},
	"no devices":        func(dir string) error { return os.Remove(filepath.Join(dir, keptDevices)) },
	"truncated devices": func(dir string) error { return os.Truncate(filepath.Join(dir, keptDevices), 3) },
	"endless devices":   func(dir string) error { return os.Truncate(filepath.Join(dir, keptDevices), maxDevicesBytes+1) },
	"other devices":     func(dir string) error { return flip(filepath.Join(dir, keptDevices), 2) },
	"no console":        func(dir string) error { return os.Remove(filepath.Join(dir, keptConsole)) },
	"no memory":         func(dir string) error { return os.Remove(filepath.Join(dir, keptMemory)) },
	"truncated memory":  func(dir string) error { return os.Truncate(filepath.Join(dir, keptMemory), 4096) },
	"longer memory":     func(dir string) error { return os.Truncate(filepath.Join(dir, keptMemory), 1<<40) },
	"other memory":      func(dir string) error { return flip(filepath.Join(dir, keptMemory), 1) },
	"other zeros":       func(dir string) error { return flip(filepath.Join(dir, keptMemory), 2*chunkBytes) },
	"memory that is a directory": func(dir string) error {
		if err := os.Remove(filepath.Join(dir, keptMemory)); err != nil {
			return err
		}
		return os.Mkdir(filepath.Join(dir, keptMemory), 0o755)
	},
}

// flip changes a bit of a byte.
func flip(name string, offset int64) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], offset); err != nil {
		return err
	}
	b[0] ^= 4
	_, err = f.WriteAt(b[:], offset)
	return err
}

func TestOpenKeptOfDamage(t *testing.T) {
	for name, damage := range damages {
		dir, _ := keptIn(t)
		if err := damage(dir); err != nil {
			t.Fatal(err)
		}
		k, err := openKept(dir, testMemoryBytes)
		if err != nil {
			continue
		}
		if k.check(testMemoryBytes) == nil {
			t.Errorf("%s: it was taken", name)
		}
		k.memory.Close()
	}
	dir, _ := keptIn(t)
	if _, err := openKept(dir, 2*testMemoryBytes); err == nil || !strings.Contains(err.Error(), "want 2097152") {
		t.Errorf("of a guest with other memory: %v", err)
	}
}
