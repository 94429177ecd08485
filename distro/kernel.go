package distro

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/kbuild"
)

// KernelPackages are the packages of one kernel.
type KernelPackages struct {
	Release string    // as uname -r prints it
	Unpack  []Package // headers, build tools, image and modules
	Tools   []string  // packages that those need installed: the compiler, libraries
}

var headersOfRelease = regexp.MustCompile(`^linux-headers-(\d.*)$`)

// FindKernel finds the packages of the kernel of that release; the empty release stands for
// the distribution's current one.
func (a *Apt) FindKernel(ctx context.Context, release string) (KernelPackages, error) {
	if release == "" {
		var err error
		if release, err = a.currentRelease(ctx); err != nil {
			return KernelPackages{}, err
		}
	}
	k := KernelPackages{Release: release}
	if err := a.collect(ctx, &k, "linux-headers-"+release); err != nil {
		if errors.Is(err, ErrNoPackage) {
			return k, fmt.Errorf("finding the headers of Linux %s: %w; a module cannot be built without them: choose a release that has them (apt-cache search linux-headers)", release, err)
		}
		return k, err
	}
	if err := a.collect(ctx, &k, "linux-image-"+release); err != nil {
		return k, fmt.Errorf("finding the image of Linux %s: %w; choose a release that has one (apt-cache search linux-image)", release, err)
	}
	return k, nil
}

// currentRelease follows the package that always depends on the newest headers.
func (a *Apt) currentRelease(ctx context.Context) (string, error) {
	meta := "linux-headers-generic"
	if a.Release.ID == "debian" {
		arch, err := exec.CommandContext(ctx, "dpkg", "--print-architecture").Output()
		if err != nil {
			return "", fmt.Errorf("asking dpkg for the architecture: %w", err)
		}
		meta = "linux-headers-" + strings.TrimSpace(string(arch))
	}
	p, err := a.Show(ctx, meta)
	if err != nil {
		return "", fmt.Errorf("finding the current kernel: %w", err)
	}
	for _, dependency := range p.Depends {
		if m := headersOfRelease.FindStringSubmatch(dependency); m != nil {
			return m[1], nil
		}
	}
	return "", fmt.Errorf("finding the current kernel: %s %s depends on no linux-headers-RELEASE; give a release", p.Name, p.Version)
}

// collect adds a package and those of the kernel that it depends on; what it
// depends on besides, it needs installed.
func (a *Apt) collect(ctx context.Context, k *KernelPackages, name string) error {
	if slices.ContainsFunc(k.Unpack, func(p Package) bool { return p.Name == name }) {
		return nil
	}
	p, err := a.Show(ctx, name)
	if err != nil {
		return err
	}
	k.Unpack = append(k.Unpack, p)
	if isOfImage(name) {
		// What an image needs to be installed (an initramfs generator) it does not need to be unpacked.
		p.Depends = slices.DeleteFunc(p.Depends, func(d string) bool { return !isOfImage(d) })
	}
	for _, dependency := range p.Depends {
		if strings.HasPrefix(dependency, "linux-") && dependency != "linux-libc-dev" && dependency != "linux-base" {
			if err := a.collect(ctx, k, dependency); err != nil {
				return err
			}
		} else if !slices.Contains(k.Tools, dependency) {
			k.Tools = append(k.Tools, dependency)
		}
	}
	return nil
}

// isOfImage tells the packages that an image consists of: Ubuntu has its modules in one of their own, and Debian since Linux 7.2 the kernel and
// what is common to both too.
func isOfImage(name string) bool { return imagePackage.MatchString(name) }

var imagePackage = regexp.MustCompile(`^linux-(image|modules|binary|base)-\d`)

// OpenKernel returns the kernel whose packages were unpacked below root.
func OpenKernel(root, release string) (kbuild.Kernel, error) {
	k := kbuild.Kernel{Release: release, BuildDir: filepath.Join(root, "usr/src/linux-headers-"+release)}
	k.SourceDir = k.BuildDir
	// Debian keeps what flavours share in a tree of its own.
	if common, err := filepath.Glob(filepath.Join(root, "usr/src/linux-headers-*-common")); err == nil && len(common) == 1 {
		k.SourceDir = common[0]
	}
	k.Image = filepath.Join(root, "boot", "vmlinuz-"+release)
	for _, lib := range []string{"lib", "usr/lib"} {
		dir := filepath.Join(root, lib, "modules", release)
		if isDir(filepath.Join(dir, "kernel")) {
			k.ModuleDir = dir
		}
		// Debian has the kernel there since Linux 7.2, from where its installation copies it.
		if image := filepath.Join(dir, "vmlinuz"); isFile(image) {
			k.Image = image
		}
	}
	for _, needed := range []string{k.BuildDir, k.Image} {
		if _, err := os.Stat(needed); err != nil {
			return k, fmt.Errorf("opening the packages of Linux %s: %w; the distribution packs its kernels in an unknown way", release, err)
		}
	}
	return k, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Relocate makes headers that were unpacked below root work there: their makefiles
// name each other by absolute paths below /usr.
func Relocate(root string) error {
	trees, err := filepath.Glob(filepath.Join(root, "usr/src/linux-headers-*"))
	if err != nil {
		return err
	}
	for _, tree := range trees {
		for _, name := range []string{"Makefile", ".kernelvariables"} {
			if err := relocateFile(filepath.Join(tree, name), root); err != nil {
				return fmt.Errorf("relocating kernel headers: %w", err)
			}
		}
	}
	return nil
}

var absolutePrefix = regexp.MustCompile(`(^|[\s=:])/usr/(src|lib)/linux-`)

func relocateFile(file, root string) error {
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	relocated := absolutePrefix.ReplaceAll(text, []byte("${1}"+strings.ReplaceAll(root, "$", "$$")+"/usr/${2}/linux-"))
	if bytes.Equal(relocated, text) {
		return nil
	}
	return os.WriteFile(file, relocated, info.Mode().Perm())
}
