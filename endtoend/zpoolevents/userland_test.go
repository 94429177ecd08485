package zpoolevents

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/distro"
)

// offer is a distribution with these packages, newest first; the last is the one that apt would install.
type offer map[string][]distro.Package

func (o offer) Show(_ context.Context, name string) (distro.Package, error) {
	plain, version, given := strings.Cut(name, "=")
	for _, p := range slices.Backward(o[plain]) {
		if !given || p.Version == version {
			p.Name = name // as distro.Apt does
			return p, nil
		}
	}
	return distro.Package{}, fmt.Errorf("%s: %w", name, distro.ErrNoPackage)
}

func pkg(name, version string, depends ...string) distro.Package {
	return distro.Package{Name: name, Version: version, Depends: depends}
}

// backports has a newer release than the distribution itself.
var backports = offer{
	zpoolPackage: {
		pkg(zpoolPackage, "2.3.2-2~bpo12+2", "libzfs6linux", "libc6", "python3"),
		pkg(zpoolPackage, "2.1.11-1+deb12u1", "libzfs4linux", "libc6"),
	},
	zinjectPackage: {pkg(zinjectPackage, "2.3.2-2~bpo12+2", "fio"), pkg(zinjectPackage, "2.1.11-1+deb12u1", "fio")},
	shellPackage:   {pkg(shellPackage, "1:1.35.0-4")},
	zonesPackage:   {pkg(zonesPackage, "2026a-0")},
	"libzfs6linux": {pkg("libzfs6linux", "2.3.2-2~bpo12+2", "libc6", "libnvpair3linux")},
	"libzfs4linux": {pkg("libzfs4linux", "2.1.11-1+deb12u1", "libnvpair3linux", "zlib1g")},
	"libnvpair3linux": {
		pkg("libnvpair3linux", "2.3.2-2~bpo12+2", "libc6"), pkg("libnvpair3linux", "2.1.11-1+deb12u1", "libc6"),
	},
	"libc6":  {pkg("libc6", "2.41-1~bpo"), pkg("libc6", "2.36-9", "libc6")},
	"zlib1g": {pkg("zlib1g", "1:1.2.13", "libc6")},
}

func TestFindUserland(t *testing.T) {
	for version, want := range map[string]string{
		"2.3.2-2~bpo12+2":  "zfsutils-linux=2.3.2-2~bpo12+2 zfs-test=2.3.2-2~bpo12+2 busybox-static=1:1.35.0-4 tzdata=2026a-0 libzfs6linux=2.3.2-2~bpo12+2 libc6=2.36-9 libnvpair3linux=2.3.2-2~bpo12+2",
		"2.1.11-1+deb12u1": "zfsutils-linux=2.1.11-1+deb12u1 zfs-test=2.1.11-1+deb12u1 busybox-static=1:1.35.0-4 tzdata=2026a-0 libzfs4linux=2.1.11-1+deb12u1 libnvpair3linux=2.1.11-1+deb12u1 libc6=2.36-9 zlib1g=1:1.2.13",
	} {
		packages, err := findUserland(t.Context(), backports, version)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range packages {
			got = append(got, p.Name+"="+p.Version)
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", version, diff)
		}
	}
	if packages, err := findUserland(t.Context(), backports, "2.1.11-1"); err != nil || packages[0].Version != "2.1.11-1+deb12u1" {
		t.Errorf("a module that is built from upstream's source: %v, %v", packages, err)
	}
	_, err := findUserland(t.Context(), backports, "2.4.1-1")
	if err == nil || !strings.Contains(err.Error(), "zpool of OpenZFS 2.4.1-1: the distribution offers zfsutils-linux=2.1.11-1+deb12u1, ") {
		t.Errorf("a release that is not offered: %v", err)
	}
	if _, err := findUserland(t.Context(), backports, "yesterday"); err == nil {
		t.Error("a version that is none is taken")
	}
}

// library finds a library of this machine, in the loader's directory or where Debian has it.
func library(name, dir string) string {
	if found, _ := filepath.Glob("/lib/*-linux-gnu/" + name); len(found) > 0 { // the pattern is one
		return found[0]
	}
	return filepath.Join(dir, name)
}

// A program is packed with its loader and its libraries, as it is linked.
func TestClosure(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no program to look at:", err)
	}
	needed, loader, err := readNeeded(sh)
	if err != nil || loader == "" || len(needed) == 0 {
		t.Skipf("%s is no dynamic ELF file: %v", sh, err)
	}
	root := t.TempDir()
	place := func(from, to string) {
		t.Helper()
		data, err := os.ReadFile(from)
		if err != nil {
			t.Skip("the libraries of this machine are elsewhere:", err)
		}
		to = filepath.Join(root, to)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	closure := func() (map[string]string, error) {
		t.Helper()
		u, err := indexUserland(root)
		if err != nil {
			t.Fatal(err)
		}
		return u.closure("sh")
	}
	if _, err := closure(); err == nil || !strings.Contains(err.Error(), "have no sh") {
		t.Errorf("no program: %v", err)
	}
	place(sh, "usr/bin/sh")
	if _, err := closure(); err == nil || !strings.Contains(err.Error(), "have no "+filepath.Base(loader)) {
		t.Errorf("no loader: %v", err)
	}
	place(loader, "usr/lib/somewhere/"+filepath.Base(loader))
	if _, err := closure(); err == nil || !strings.Contains(err.Error(), "have no "+needed[0]) {
		t.Errorf("no library: %v", err)
	}
	want := []string{"sbin/sh", strings.TrimPrefix(loader, "/")}
	for _, name := range needed {
		place(library(name, filepath.Dir(loader)), "lib/other/"+name)
		want = append(want, "lib/"+name)
	}
	files, err := closure()
	if err != nil {
		t.Skip("its libraries need more:", err)
	}
	for _, name := range want {
		if files[name] == "" {
			t.Errorf("%s is missing of %v", name, files)
		}
	}
}
