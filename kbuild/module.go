package kbuild

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Module is the source tree of an out-of-tree module.
type Module struct {
	Dir     string
	Name    string   // "zfs"
	Version string   // "2.1.11-1+deb12u1"; empty if the tree does not say
	Oldest  *Version // oldest kernel that the tree says it builds on, nil if it does not say
	Newest  *Version // newest, likewise

	autotools    bool   // configured by ./configure --with-linux=, as OpenZFS is
	refusesNewer bool   // kernels than Newest
	moduleDir    string // below Dir: where the module's own objects are
}

// ReadModule finds out what the source tree at dir is. It knows two kinds: a tree with a
// META file and ./configure, as OpenZFS has, and a plain one with a Kbuild
// file or a Makefile that sets obj-m (Documentation/kbuild/modules.rst).
func ReadModule(dir string) (Module, error) {
	m := Module{Dir: dir, Name: filepath.Base(dir), moduleDir: "."}
	if _, err := os.Stat(dir); err != nil {
		return m, fmt.Errorf("reading the module's source: %w", err)
	}
	meta, err := os.ReadFile(filepath.Join(dir, "META"))
	switch {
	case err == nil:
		return m, m.readMeta(string(meta))
	case !errors.Is(err, fs.ErrNotExist):
		return m, fmt.Errorf("reading the module's source: %w", err)
	case setsObjM(filepath.Join(dir, "Kbuild")) || setsObjM(filepath.Join(dir, "Makefile")):
		return m, nil
	}
	return m, fmt.Errorf("reading the module's source: %s has neither META and configure (OpenZFS) nor a Kbuild or Makefile that sets obj-m; give the top of the source tree", dir)
}

// readMeta takes over the fields of an OpenZFS META file: KEY: VALUE lines.
func (m *Module) readMeta(meta string) error {
	if _, err := os.Stat(filepath.Join(m.Dir, "configure")); err != nil {
		return fmt.Errorf("reading the module's source: %s has META but no configure; run ./autogen.sh there first", m.Dir)
	}
	m.autotools, m.moduleDir = true, "module"
	// Since 2.3 configure refuses kernels that are newer than META says, unless it is told so by this option. What is older may be patched for
	// them, as Ubuntu's package is.
	configure, err := os.ReadFile(filepath.Join(m.Dir, "configure"))
	if err != nil {
		return fmt.Errorf("reading the module's source: %w", err)
	}
	m.refusesNewer = bytes.Contains(configure, []byte("--enable-linux-experimental"))
	fields := map[string]string{}
	for line := range strings.Lines(meta) {
		key, value, _ := strings.Cut(line, ":")
		fields[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	if name := fields["Name"]; name != "" {
		m.Name = name
	}
	m.Version = fields["Version"]
	if release := fields["Release"]; release != "" {
		m.Version += "-" + release
	}
	if m.Oldest, err = limit(fields["Linux-Minimum"]); err != nil {
		return fmt.Errorf("reading %s: Linux-Minimum: %w", filepath.Join(m.Dir, "META"), err)
	}
	if m.Newest, err = limit(fields["Linux-Maximum"]); err != nil {
		return fmt.Errorf("reading %s: Linux-Maximum: %w", filepath.Join(m.Dir, "META"), err)
	}
	return nil
}

func limit(text string) (*Version, error) {
	if text == "" {
		return nil, nil
	}
	v, err := ParseVersion(text)
	return &v, err
}

func setsObjM(makefile string) bool {
	f, err := os.Open(makefile)
	if err != nil {
		return false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(strings.TrimSpace(lines.Text()), "obj-m") {
			return true
		}
	}
	return false
}

// IsBeyond tells a kernel that is newer than the tree says it builds on.
func (m Module) IsBeyond(k Kernel) bool {
	v, err := ParseVersion(k.Release)
	return err == nil && m.Newest != nil && v.After(*m.Newest)
}

// Supports returns an error if the tree does not build on k.
func (m Module) Supports(k Kernel) error {
	v, err := ParseVersion(k.Release)
	if err != nil {
		return err
	}
	what := strings.TrimSpace(m.Name + " " + m.Version)
	if m.refusesNewer && m.IsBeyond(k) {
		return fmt.Errorf("building %s: it supports Linux up to %v and the kernel is %s; take a newer source of the module, or an older kernel", what, m.Newest, k.Release)
	}
	if m.Oldest != nil && m.Oldest.After(v) {
		return fmt.Errorf("building %s: it needs Linux %v or newer and the kernel is %s; take an older source of the module, or a newer kernel", what, m.Oldest, k.Release)
	}
	return nil
}
