package distro

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	bookworm = Release{ID: "debian", Codename: "bookworm"}
	trixie   = Release{ID: "debian", Codename: "trixie"}
	noble    = Release{ID: "ubuntu", Codename: "noble"}
)

func archivesOf(r Release) archives { return archives{r, map[string]bool{}} }

func TestDeriveLines(t *testing.T) {
	const text = `# deb http://mirror.example/debian bookworm main
deb http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] http://mirror.example/debian bookworm-updates main non-free # more
deb http://mirror.example/security bookworm/updates main contrib
deb-src http://mirror.example/debian bookworm main
deb http://other.example/apt bookworm stable
deb http://other.example/apt nodistro main
deb http://mirror.example/debian/ trixie main
deb http://other.example/apt trixie main
`
	const want = `deb http://mirror.example/debian bookworm main contrib
deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] http://mirror.example/debian bookworm-updates main non-free contrib
deb http://mirror.example/security bookworm/updates main contrib
deb http://mirror.example/debian/ trixie main contrib
`
	if diff := cmp.Diff(want, archivesOf(bookworm).deriveLines(text)); diff != "" {
		t.Errorf("derived (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("deb http://mirror.example/ubuntu noble main universe\n", archivesOf(noble).deriveLines("deb http://mirror.example/ubuntu noble main\n")); diff != "" {
		t.Errorf("Ubuntu (-want +got):\n%s", diff)
	}
}

func TestDeriveStanzas(t *testing.T) {
	const text = `# Debian's own
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://other.example/apt
Suites: nodistro
Components: main

Types: deb-src
URIs: http://mirror.example/debian
Suites: bookworm
Components: main

types: deb
uris: http://mirror.example/security
suites: bookworm-security
components: main contrib
`
	const want = `# Debian's own
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY
 -----END PGP PUBLIC KEY BLOCK-----

types: deb
uris: http://mirror.example/security
suites: bookworm-security
components: main contrib

`
	if diff := cmp.Diff(want, archivesOf(bookworm).deriveStanzas(text)); diff != "" {
		t.Errorf("derived (-want +got):\n%s", diff)
	}
}

func TestDeriveSources(t *testing.T) {
	etc := t.TempDir()
	for name, text := range map[string]string{
		"sources.list":                   "",
		"sources.list.d/a.list":          "deb http://mirror.example/debian bookworm main\n",
		"sources.list.d/b.sources":       "Types: deb\nURIs: http://mirror.example/debian\nSuites: stable\nComponents: main\n",
		"sources.list.d/0.sources":       "Types: deb\nURIs: http://other.example/debian http://mirror.example/debian\nSuites: trixie\nComponents: main\n",
		"sources.list.d/other.list":      "deb http://other.example/debian trixie main\n",
		"sources.list.d/c.list.disabled": "deb http://mirror.example/debian bookworm main\n",
	} {
		file := filepath.Join(etc, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := deriveSources(etc, bookworm)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"0.sources": "Types: deb\nURIs: http://other.example/debian http://mirror.example/debian\nSuites: trixie\nComponents: main contrib\n\n",
		"a.list":    "deb http://mirror.example/debian bookworm main contrib\n",
		"b.sources": "Types: deb\nURIs: http://mirror.example/debian\nSuites: stable\nComponents: main contrib\n\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if _, err := deriveSources(t.TempDir(), bookworm); err == nil || !strings.Contains(err.Error(), "no apt source") {
		t.Errorf("without sources: %v", err)
	}
}

func TestReadRelease(t *testing.T) {
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "os-release")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	got, err := ReadRelease(write("NAME=\"Debian GNU/Linux\"\nVERSION_CODENAME=bookworm\nID=debian\n"))
	if err != nil || got != bookworm {
		t.Errorf("Debian: %+v, %v", got, err)
	}
	if _, err := ReadRelease(write("ID=fedora\n")); err == nil || !strings.Contains(err.Error(), "fedora") {
		t.Errorf("Fedora: %v", err)
	}
}

func TestRelocate(t *testing.T) {
	root := t.TempDir()
	tree := filepath.Join(root, "usr/src/linux-headers-6.1.0-56-amd64")
	if err := os.MkdirAll(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	makefile := filepath.Join(tree, "Makefile")
	const text = "include /usr/src/linux-headers-6.1.0-56-common/Makefile\nX=/usr/lib/linux-kbuild-6.1/scripts\nY=/opt/usr/src/linux-x\n"
	if err := os.WriteFile(makefile, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	want := "include " + root + "/usr/src/linux-headers-6.1.0-56-common/Makefile\nX=" + root + "/usr/lib/linux-kbuild-6.1/scripts\nY=/opt/usr/src/linux-x\n"
	for range 2 { // again does nothing more
		if err := Relocate(root); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(makefile)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("Makefile (-want +got):\n%s", diff)
		}
	}
}
