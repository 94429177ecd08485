package distro

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What `apt-cache show` prints, cut to the fields that are read: Debian 12's of 2026, that of Debian 13's backports, where an image consists of
// several packages, and Ubuntu 24.04's, which has no package of build tools and keeps modules apart from the image.
const (
	debianPackages = `Package: linux-headers-amd64
Version: 6.1.192-2
Depends: linux-headers-6.1.0-56-amd64 (= 6.1.192-2)

Package: linux-headers-6.1.0-56-amd64
Version: 6.1.192-2
Depends: linux-headers-6.1.0-56-common (= 6.1.192-2), linux-kbuild-6.1 (>= 6.1.192-2), linux-compiler-gcc-12-x86

Package: linux-headers-6.1.0-56-common
Version: 6.1.192-2

Package: linux-kbuild-6.1
Version: 6.1.192-2
Depends: libc6 (>= 2.34), libelf1 (>= 0.142), libssl3 (>= 3.0.0)

Package: linux-compiler-gcc-12-x86
Version: 6.1.192-2
Depends: gcc-12

Package: linux-image-6.1.0-56-amd64
Version: 6.1.192-2
Depends: kmod, linux-base (>= 4.3~), initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool
`
	trixiePackages = `Package: linux-headers-amd64
Version: 7.3.4-1~bpo13+1
Depends: linux-headers-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1)

Package: linux-headers-7.3.4+deb13-amd64
Version: 7.3.4-1~bpo13+1
Depends: gcc-14-for-host, linux-base (>= 4.12~), linux-base-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1), linux-headers-7.3.4+deb13-common (= 7.3.4-1~bpo13+1), linux-kbuild-7.3.4+deb13

Package: linux-base-7.3.4+deb13-amd64
Version: 7.3.4-1~bpo13+1

Package: linux-headers-7.3.4+deb13-common
Version: 7.3.4-1~bpo13+1

Package: linux-kbuild-7.3.4+deb13
Version: 7.3.4-1~bpo13+1
Depends: pahole, libc6 (>= 2.38), libelf1t64 (>= 0.144)

Package: linux-image-7.3.4+deb13-amd64
Version: 7.3.4-1~bpo13+1
Depends: dracut | initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool, linux-base-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1), linux-binary-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1), linux-modules-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1)

Package: linux-binary-7.3.4+deb13-amd64
Version: 7.3.4-1~bpo13+1
Depends: linux-base-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1)

Package: linux-modules-7.3.4+deb13-amd64
Version: 7.3.4-1~bpo13+1
Depends: kmod, linux-base-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1)
`
	ubuntuPackages = `Package: linux-headers-generic
Version: 6.8.0-31.31
Depends: linux-headers-6.8.0-31-generic

Package: linux-headers-6.8.0-31-generic
Version: 6.8.0-31.31
Depends: linux-headers-6.8.0-31, libc6 (>= 2.38), libelf1t64 (>= 0.144)

Package: linux-headers-6.8.0-31
Version: 6.8.0-31.31
Depends: coreutils

Package: linux-image-6.8.0-31-generic
Version: 6.8.0-31.31
Depends: kmod, linux-base (>= 4.5ubuntu1~16.04.1), linux-modules-6.8.0-31-generic

Package: linux-modules-6.8.0-31-generic
Version: 6.8.0-31.31
`
)

// fakeApt answers `apt-cache show` from a text of stanzas.
func fakeApt(t *testing.T, r Release, packages string) *Apt {
	t.Helper()
	dir := t.TempDir()
	for stanza := range strings.SplitSeq(packages, "\n\n") {
		if err := os.WriteFile(filepath.Join(dir, field(stanza, "Package")[0]), []byte(stanza+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, script := range map[string]string{
		"apt-cache": `#!/bin/sh
for package; do :; done
exec cat '` + dir + `'/"$package"
`,
		"dpkg": "#!/bin/sh\necho amd64\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return &Apt{Release: r, dir: t.TempDir()}
}

func TestFindKernel(t *testing.T) {
	for _, test := range []struct {
		name     string
		release  Release
		packages string
		kernel   string
		unpack   []string
		tools    []string
	}{
		{"Debian", bookworm, debianPackages, "6.1.0-56-amd64",
			[]string{"linux-headers-6.1.0-56-amd64", "linux-headers-6.1.0-56-common", "linux-kbuild-6.1", "linux-compiler-gcc-12-x86", "linux-image-6.1.0-56-amd64"},
			[]string{"libc6", "libelf1", "libssl3", "gcc-12"}},
		{"Ubuntu", noble, ubuntuPackages, "6.8.0-31-generic",
			[]string{"linux-headers-6.8.0-31-generic", "linux-headers-6.8.0-31", "linux-image-6.8.0-31-generic", "linux-modules-6.8.0-31-generic"},
			[]string{"coreutils", "libc6", "libelf1t64"}},
		{"Debian since Linux 7.2", trixie, trixiePackages, "7.3.4+deb13-amd64",
			[]string{"linux-headers-7.3.4+deb13-amd64", "linux-base-7.3.4+deb13-amd64", "linux-headers-7.3.4+deb13-common", "linux-kbuild-7.3.4+deb13",
				"linux-image-7.3.4+deb13-amd64", "linux-binary-7.3.4+deb13-amd64", "linux-modules-7.3.4+deb13-amd64"},
			[]string{"gcc-14-for-host", "linux-base", "pahole", "libc6", "libelf1t64"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			apt := fakeApt(t, test.release, test.packages)
			for _, asked := range []string{"", test.kernel} {
				got, err := apt.FindKernel(t.Context(), asked)
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, p := range got.Unpack {
					names = append(names, p.Name)
				}
				if got.Release != test.kernel {
					t.Errorf("release %q, want %q", got.Release, test.kernel)
				}
				if diff := cmp.Diff(test.unpack, names); diff != "" {
					t.Errorf("packages to unpack (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(test.tools, got.Tools); diff != "" {
					t.Errorf("tools (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestFindKernelErrors(t *testing.T) {
	apt := fakeApt(t, bookworm, debianPackages)
	_, err := apt.FindKernel(t.Context(), "6.1.0-1-amd64")
	if !errors.Is(err, ErrNoPackage) || !strings.Contains(err.Error(), "headers of Linux 6.1.0-1-amd64") {
		t.Errorf("a kernel without headers: %v", err)
	}
	apt = fakeApt(t, bookworm, strings.ReplaceAll(debianPackages, "Package: linux-image-", "Package: other-image-"))
	if _, err := apt.FindKernel(t.Context(), ""); !errors.Is(err, ErrNoPackage) || !strings.Contains(err.Error(), "image of Linux") {
		t.Errorf("a kernel without image: %v", err)
	}
	apt = fakeApt(t, bookworm, "Package: linux-headers-amd64\nVersion: 1\nDepends: something\n")
	if _, err := apt.FindKernel(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "depends on no linux-headers-RELEASE") {
		t.Errorf("a distribution without a current kernel: %v", err)
	}
}

func TestOpenKernel(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"usr/src/linux-headers-6.1.0-56-amd64", "usr/src/linux-headers-6.1.0-56-common", "boot", "lib/modules/6.1.0-56-amd64/kernel"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenKernel(root, "6.1.0-56-amd64"); err == nil || !strings.Contains(err.Error(), "vmlinuz") {
		t.Errorf("without an image: %v", err)
	}
	if err := os.WriteFile(filepath.Join(root, "boot/vmlinuz-6.1.0-56-amd64"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	k, err := OpenKernel(root, "6.1.0-56-amd64")
	if err != nil {
		t.Fatal(err)
	}
	if k.SourceDir != filepath.Join(root, "usr/src/linux-headers-6.1.0-56-common") || k.ModuleDir != filepath.Join(root, "lib/modules/6.1.0-56-amd64") {
		t.Errorf("OpenKernel = %+v", k)
	}
}

// As Debian packs kernels since Linux 7.2.
func TestOpenKernelBesideItsModules(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"usr/src/linux-headers-7.3-amd64", "usr/lib/modules/7.3-amd64/kernel"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(root, "usr/lib/modules/7.3-amd64")
	if err := os.WriteFile(filepath.Join(dir, "vmlinuz"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if k, err := OpenKernel(root, "7.3-amd64"); err != nil || k.Image != filepath.Join(dir, "vmlinuz") || k.ModuleDir != dir {
		t.Errorf("OpenKernel = %+v, %v", k, err)
	}
}
