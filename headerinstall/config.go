package headerinstall

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"time"
)

// DefaultStrip is the number of leading components that a source loses unless told otherwise:
// those of "./zfs/include".
const DefaultStrip = 3

// Config says which headers go where. Sources and Dest are needed; the zero value of every other
// field is its default.
type Config struct {
	// Root is the directory that Sources are relative to; empty is the current directory.
	// It may be a symbolic link.
	Root string

	// Sources are the patterns, slash-separated and absolute or relative to Root:
	// "./zfs/include", "./*/include", "./zfs/include/sys/*.h". A directory stands for every
	// header below it. Once a wildcard has been met, "." and ".." are refused. A symbolic link to
	// a directory is followed where a pattern names it before its first wildcard, since that is the
	// user's word; every other one is refused.
	Sources []string

	// Include are doublestar globs that a file must match, one of them, to count as a header.
	// They are matched against the path below the directory that a pattern leads to, or against
	// the base name where it leads to the file itself. Empty is "**/*.h".
	Include []string

	// Exclude are the rules that keep headers from being installed, matched as Include is, and before
	// it. The first that matches a header is the one that excludes it.
	Exclude []Exclusion

	// Strip is the number of leading components that a source loses; nil is DefaultStrip.
	Strip *int

	// Map are rules that move what is left after stripping. The first whose prefix matches is
	// the one that is applied; a header that none matches stays where it is.
	Map []Mapping

	// Extra are files that are installed besides, whatever their names: neither stripped nor
	// mapped, neither included nor excluded.
	Extra []Extra

	// Dest is the destination directory. It and its parents are made when missing, and it may
	// be a symbolic link; nothing in it that a destination passes through may be.
	Dest string

	// Stage is the directory of a staged installation that Dest lies below (DESTDIR): symbolic links
	// between the two may not leave it. Empty is none.
	Stage string

	// Manifest is the file that records what was installed; it lies outside Dest. Empty is
	// beside Dest: Dest + ".manifest.json".
	Manifest string

	// ModTime is the mtime of what is written, nil the time of writing. A caller that builds
	// reproducibly passes SOURCE_DATE_EPOCH here.
	ModTime *time.Time

	// KeepModTime gives what is written the mtime of its source; it goes before ModTime. A file
	// whose content is the same is left alone all the same.
	KeepModTime bool

	// TrustModTime takes a header for unchanged, without reading it, if the sizes and mtimes of its
	// source and of the installed file are those that the manifest has. The manifest has mtimes
	// only if the run that wrote it had TrustModTime too.
	TrustModTime bool

	// Sync has the file system write everything out before the manifest is written.
	Sync bool

	// Force replaces foreign files that differ.
	Force bool

	// Waiting, if not nil, is called once when another installation or removal works on Dest, and this
	// one waits for it.
	Waiting func() `json:"-"`
}

// An Exclusion keeps headers from being installed, for a reason.
type Exclusion struct {
	Match  string // doublestar glob, as those of Config.Include
	Reason string // as a clause; needed
}

// A Mapping moves a sub-tree of the destination.
type Mapping struct {
	From string // directory after stripping: os/linux/zfs
	To   string // directory in the destination: sys; "." is the destination itself
}

// An Extra is a file that is installed besides the headers.
type Extra struct {
	Source string // file, absolute or relative to Config.Root; no glob
	To     string // path in the destination: 6.1.0/zfs_config.h
}

// complete fills in the defaults and refuses what cannot be planned at all.
func (c Config) complete() (Config, error) {
	if len(c.Sources) == 0 {
		return c, errors.New("no source given; name a directory of headers, such as ./zfs/include")
	}
	if c.Dest == "" {
		return c, errors.New("no destination directory given")
	}
	if c.Root == "" {
		c.Root = "."
	}
	if len(c.Include) == 0 {
		c.Include = []string{defaultInclude}
	}
	c.Map, c.Extra = slices.Clone(c.Map), slices.Clone(c.Extra)
	if err := c.checkRules(); err != nil {
		return c, err
	}
	if c.strip() < 0 {
		return c, fmt.Errorf("cannot strip %d components; give 0 or more", *c.Strip)
	}
	c.Dest = filepath.Clean(c.Dest)
	if c.Manifest == "" {
		c.Manifest = c.Dest + ".manifest.json"
	}
	return c, c.checkManifestOutside()
}

func (c Config) strip() int {
	if c.Strip == nil {
		return DefaultStrip
	}
	return *c.Strip
}

// onDisk is where a source as written lies.
func (c Config) onDisk(source string) string {
	if path.IsAbs(source) {
		return filepath.FromSlash(source)
	}
	return filepath.Join(c.Root, filepath.FromSlash(source))
}

// checkManifestOutside keeps the record of the tree from being a part of the tree.
func (c Config) checkManifestOutside() error {
	dest, err := filepath.Abs(c.Dest)
	if err != nil {
		return err
	}
	manifest, err := filepath.Abs(c.Manifest)
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(dest, manifest); err == nil && filepath.IsLocal(rel) {
		return fmt.Errorf("the manifest %s lies inside the destination %s; put it elsewhere", c.Manifest, c.Dest)
	}
	return nil
}
