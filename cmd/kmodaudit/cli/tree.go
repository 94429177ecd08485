package cli

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/kmodaudit/kmodaudit/audit"
	"github.com/kmodaudit/kmodaudit/headerinstall"
)

// DefaultPrefix is where headers go.
const DefaultPrefix = "/usr/include/zfs"

// HeaderTree says where the headers are.
type HeaderTree struct {
	DestDir  string // stands for the root directory, as for make install; empty for the machine's own
	Prefix   string // absolute path of the header directory below DestDir; empty for that of the profile, or DefaultPrefix
	Manifest string // file; empty for one in the output directory that is called after the destination

	Profile string // of the configuration; empty for its table [headers]
	Config  string // file; empty for kmodaudit.toml here
	Project bool   // the configuration is read though neither Profile nor Config is named, and may be missing
}

// A tree is a HeaderTree with what its configuration says.
type tree struct {
	settings audit.Config
	profile  audit.HeaderProfile
	prefix   string
	stage    string // directory that the destination must not leave; empty for none
	dest     string // destination directory
	manifest string // file
}

func (h HeaderTree) resolve() (tree, error) {
	var t tree
	var err error
	if t.settings, err = h.readSettings(); err != nil {
		return t, err
	}
	if t.profile, err = t.settings.Profile(h.Profile); err != nil {
		return t, err
	}
	t.prefix = cmp.Or(h.Prefix, t.profile.Prefix, DefaultPrefix)
	if !filepath.IsAbs(t.prefix) {
		return t, fmt.Errorf("the prefix %q is not an absolute path; stage it somewhere else by --destdir", t.prefix)
	}
	t.stage, t.dest = h.DestDir, filepath.Join(h.DestDir, t.prefix)
	t.manifest = cmp.Or(h.Manifest, t.settings.OutPath(manifestName(t.dest)))
	return t, nil
}

func (h HeaderTree) readSettings() (audit.Config, error) {
	switch {
	case h.Profile != "":
		return audit.ReadConfig(cmp.Or(h.Config, audit.ConfigName), true)
	case h.Config != "" || h.Project:
		return readConfig(h.Config)
	}
	return audit.Config{Out: "out"}, nil
}

// manifestName is the name of the file that records what is in a destination. Each destination has its own, so that
// what lies in one is never taken for what was installed into another.
func manifestName(dest string) string {
	name := strings.NewReplacer("%", "%25", "-", "%2D", "/", "-").Replace(filepath.ToSlash(dest))
	if len(name) > longestName {
		name = fmt.Sprintf("%s%%%x", name[len(name)-longestName/2:], sha256.Sum256([]byte(dest)))
	}
	return "headers-" + name + ".json"
}

// longestName leaves room for a suffix in the 255 bytes that a file's name may have.
const longestName = 200

// installed is where the installer finds what it has installed.
func (t tree) installed() headerinstall.Config {
	return headerinstall.Config{Stage: t.stage, Dest: t.dest, Manifest: t.manifest}
}

// explained says what to do when there is no manifest.
func explained(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; install the headers first, or name by --manifest the one that the installation wrote", err)
	}
	return err
}
