//go:build linux

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

// archiveBehind is a file that starts as a program does.
func archiveBehind(t *testing.T, names ...string) string {
	t.Helper()
	b := bytes.NewBufferString("\x7fELF, a program")
	z := zip.NewWriter(b)
	for _, name := range names {
		f, err := z.Create(name)
		if err == nil {
			_, err = f.Write([]byte("content of " + name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestUnpack(t *testing.T) {
	root := t.TempDir()
	if err := unpack(archiveBehind(t, "sbin/zpool", "usr/share/zoneinfo/Asia/Tokyo"), root); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sbin/zpool", "usr/share/zoneinfo/Asia/Tokyo"} {
		if got, err := os.ReadFile(filepath.Join(root, name)); string(got) != "content of "+name {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
	if err := unpack(archiveBehind(t, "../outside"), root); err == nil || !strings.Contains(err.Error(), "outside") {
		t.Errorf("a file outside: %v", err)
	}
}

// What is sent is whole, in lines that the guest's init takes.
func TestSend(t *testing.T) {
	dir := t.TempDir()
	noise := make([]byte, 300<<10)
	state := uint64(1)
	for i := range noise {
		state = state*6364136223846793005 + 1442695040888963407
		noise[i] = byte(state >> 56)
	}
	want := map[string]string{"0.zpool": "text", "events.zevents": string(noise)}
	for name, content := range want {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var lines bytes.Buffer
	if err := send(&lines, dir); err != nil {
		t.Fatal(err)
	}
	var packed []byte
	for line := range bytes.Lines(lines.Bytes()) {
		if len(line) > base64.StdEncoding.EncodedLen(lineBytes)+1 {
			t.Errorf("a line of %d bytes", len(line))
		}
		var err error
		if packed, err = base64.StdEncoding.AppendDecode(packed, bytes.TrimSpace(line)); err != nil {
			t.Fatal(err)
		}
	}
	z, err := zstd.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	got := map[string]string{}
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		got[h.Name] = string(content)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%.300s", diff)
	}
}

func TestIoctlArguments(t *testing.T) {
	for _, args := range []string{"", "create", "create pool", "attach pool", "attach pool x", "attach pool x /file", "remove pool x", "burn pool x", "create pool /file ashift"} {
		if err := ioctl(strings.Fields(args)); err == nil || strings.Contains(err.Error(), "/dev/zfs") {
			t.Errorf("%q: %v; want an error before the device is opened", args, err)
		}
	}
}
