package zpoolevents

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// sent is what raise sends of one file.
func sent(t *testing.T, name, content string) []byte {
	t.Helper()
	var packed bytes.Buffer
	z, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewWriter(z)
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	half := packed.Len() / 2 / 3 * 3
	encode := base64.StdEncoding.EncodeToString
	return []byte(encode(packed.Bytes()[:half]) + "\n" + encode(packed.Bytes()[half:]) + "\n")
}

func TestReceive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "in")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := receive(sent(t, "../0.zpool", "text"), dir); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "0.zpool")); string(got) != "text" {
		t.Errorf("got %q, %v: want it inside of the directory", got, err)
	}
	for name, lines := range map[string]string{"nothing": "", "no base64": "!\n", "cut": string(sent(t, "a", strings.Repeat("a", 999))[:40])} {
		if err := receive([]byte(lines), dir); err == nil || !strings.Contains(err.Error(), "what the guest sent") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
