package kbuild

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree writes files, by path, below a new directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const meta = "Meta:          1\nName:          zfs\nVersion:       2.1.11\nRelease:      1+deb12u1\nLinux-Maximum: 6.2\nLinux-Minimum: 3.10\n"

func TestParseVersion(t *testing.T) {
	for release, want := range map[string]Version{
		"6.1.0-56-amd64": {6, 1}, "6.12.9+bpo-amd64": {6, 12}, "3.10": {3, 10}, "6.8.0-31-generic": {6, 8},
	} {
		if got, err := ParseVersion(release); err != nil || got != want {
			t.Errorf("ParseVersion(%q) = %v, %v; want %v", release, got, err, want)
		}
	}
	for _, release := range []string{"", "6", "next", "v6.1", "99999999999999999999.1"} {
		if got, err := ParseVersion(release); err == nil {
			t.Errorf("ParseVersion(%q) = %v, want an error", release, got)
		}
	}
}

func TestReadModule(t *testing.T) {
	dir := tree(t, map[string]string{"META": meta, "configure": "#!/bin/sh\n"})
	got, err := ReadModule(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := Module{
		Dir: dir, Name: "zfs", Version: "2.1.11-1+deb12u1", Oldest: &Version{3, 10}, Newest: &Version{6, 2},
		autotools: true, moduleDir: "module",
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Module{})); diff != "" {
		t.Errorf("ReadModule (-want +got):\n%s", diff)
	}

	refusing := tree(t, map[string]string{"META": meta, "configure": "#!/bin/sh\n  --enable-linux-experimental\n"})
	if got, err := ReadModule(refusing); err != nil || !got.refusesNewer {
		t.Errorf("ReadModule of one whose configure refuses newer kernels = %+v, %v", got, err)
	}

	plain := tree(t, map[string]string{"Makefile": "# a module\nobj-m += hello.o\n"})
	if got, err := ReadModule(plain); err != nil || got.autotools {
		t.Errorf("ReadModule of a plain module = %+v, %v", got, err)
	}
}

func TestReadModuleErrors(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"empty", nil, "neither META and configure"},
		{"no configure", map[string]string{"META": meta}, "./autogen.sh"},
		{"program", map[string]string{"Makefile": "all:\n\tcc x.c\n"}, "neither META and configure"},
		{"bad limit", map[string]string{"META": "Linux-Maximum: many\n", "configure": ""}, "Linux-Maximum"},
	} {
		if _, err := ReadModule(tree(t, test.files)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
	if _, err := ReadModule(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("missing directory: no error")
	}
}

func TestSupports(t *testing.T) {
	m := Module{Name: "zfs", Version: "2.3.2", Oldest: &Version{3, 10}, Newest: &Version{6, 2}, refusesNewer: true}
	for release, want := range map[string]string{
		"6.2.16-1-amd64": "", "3.10.0": "", "6.1.0-56-amd64": "",
		"6.12.9-amd64": "supports Linux up to 6.2", "7.0.0": "supports Linux up to 6.2", "3.9.1": "needs Linux 3.10",
		"strange": "does not start with",
	} {
		err := m.Supports(Kernel{Release: release})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("Supports(%s) = %v, want %q", release, err, want)
		}
	}
	m.refusesNewer = false
	if newer := (Kernel{Release: "6.12.9-amd64"}); m.Supports(newer) != nil || !m.IsBeyond(newer) || m.IsBeyond(Kernel{Release: "6.2.16"}) {
		t.Error("a module whose configure refuses no kernel, and which may be patched for newer ones, is refused")
	}
	if err := (Module{}).Supports(Kernel{Release: "7.0"}); err != nil {
		t.Errorf("a module without limits: %v", err)
	}
}

func TestCompiler(t *testing.T) {
	const text = "gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0"
	for name, conf := range map[string]string{"plain": "A=1\nCONFIG_CC_VERSION_TEXT=" + text + "\n", "quoted": `CONFIG_CC_VERSION_TEXT="` + text + "\"\n"} {
		k := Kernel{BuildDir: tree(t, map[string]string{"include/config/auto.conf": conf})}
		if got, err := k.Compiler(); err != nil || got != (Compiler{"gcc-12", text}) {
			t.Errorf("%s: Compiler = %+v, %v", name, got, err)
		}
	}
	old := Kernel{Release: "4.9", BuildDir: tree(t, map[string]string{"include/config/auto.conf": "A=1\n"})}
	if _, err := old.Compiler(); err == nil || !strings.Contains(err.Error(), "4.18") {
		t.Errorf("old kernel: %v", err)
	}
	bare := Kernel{Release: "6.1.0-56-amd64", BuildDir: t.TempDir()}
	if _, err := bare.Compiler(); err == nil || !strings.Contains(err.Error(), "linux-headers-6.1.0-56-amd64") {
		t.Errorf("kernel without headers: %v", err)
	}
}

func TestCompiledFile(t *testing.T) {
	for line, want := range map[string]string{
		"  CC [M]  /build/module/zfs/arc.o": "/build/module/zfs/arc.o",
		"  AS [M]  aes_amd64.o":             "aes_amd64.o",
		"  LD [M]  zfs.ko":                  "",
		"  CC      scripts/mod/empty.o":     "",
		"make[2]: Entering directory":       "",
	} {
		if got, found := compiledFile(line); got != want || found != (want != "") {
			t.Errorf("compiledFile(%q) = %q, %v", line, got, found)
		}
	}
}

func TestComplains(t *testing.T) {
	for line, want := range map[string]bool{
		"/build/module/zfs/arc.c:12:3: error: implicit declaration of function 'f'": true,
		"<command-line>: fatal error: nothere.h: No such file or directory":         true,
		`ERROR: modpost: "bdi_init" [zfs.ko] undefined!`:                            true,
		"  CC [M]  zfs/error.o":                    false,
		"make[1]: *** [Makefile:255: x.o] Error 1": false,
		"/build/a.c:1:1: warning: no errors here":  false,
	} {
		if got := complains(line); got != want {
			t.Errorf("complains(%q) = %v, want %v", line, got, want)
		}
	}
}

func TestBuiltModules(t *testing.T) {
	dir := tree(t, map[string]string{"modules.order": "/build/spl/spl.ko\nzfs/zfs.o\nlua/zlua.ko\n"})
	got, err := builtModules(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/build/spl/spl.ko", filepath.Join(dir, "zfs/zfs.ko"), filepath.Join(dir, "lua/zlua.ko")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("builtModules (-want +got):\n%s", diff)
	}
	if _, err := builtModules(tree(t, map[string]string{"modules.order": ""})); err == nil {
		t.Error("an empty list: no error")
	}
}

// A compiler that is not there must be said before anything is copied.
func TestBuildWithoutCompiler(t *testing.T) {
	k := Kernel{Release: "6.1.0-56-amd64", BuildDir: tree(t, map[string]string{"include/config/auto.conf": "CONFIG_CC_VERSION_TEXT=no-such-gcc 1.0\n"})}
	err := Build(t.Context(), Spec{Module: Module{Name: "zfs"}, Kernel: k, Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "no-such-gcc") || !strings.Contains(err.Error(), "apt-get install") {
		t.Errorf("Build = %v", err)
	}
}
