package zpoolevents

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kmodaudit/kmodaudit/distro"
	"github.com/kmodaudit/kmodaudit/progress"
	"github.com/kmodaudit/kmodaudit/zevent"
)

// Packages of the userland: the first two are of OpenZFS, Debian and Ubuntu call them the same.
const (
	zpoolPackage   = "zfsutils-linux"
	zinjectPackage = "zfs-test"
	shellPackage   = "busybox-static"
	zonesPackage   = "tzdata"
)

// userland unpacks the userland of the module's release below a directory.
func (c Config) userland(ctx context.Context, version string) (root string, err error) {
	apt, err := c.index(ctx)
	if err != nil {
		return "", err
	}
	packages, err := findUserland(ctx, apt, version)
	if err != nil {
		return "", err
	}
	name := "get zpool of " + packages[0].Name + "=" + packages[0].Version
	err = c.Progress.Step(name, func(report func(progress.Event)) error {
		var hit bool
		var err error
		root, hit, err = c.Cache.Do(ctx, "userland", packages, func(dir string) error {
			apt, err := c.index(ctx)
			if err != nil {
				return err
			}
			return apt.Unpack(ctx, packages, dir, func(line string, _ bool) { report(progress.Event{Detail: line}) })
		})
		if hit && err == nil {
			report(progress.Event{State: progress.Cached, Detail: root})
		}
		return err
	})
	return root, err
}

// index opens the index that endtoend.Prepare has fetched: the inputs are those of its step.
func (c Config) index(ctx context.Context) (*distro.Apt, error) {
	sources, err := distro.Sources()
	if err != nil {
		return nil, err
	}
	inputs := struct {
		Day     string
		Sources map[string]string
	}{time.Now().UTC().Format(time.DateOnly), sources}
	dir, _, err := c.Cache.Do(ctx, "index", inputs, func(dir string) error {
		apt, err := distro.Configure(dir, c.Cache.Log(dir))
		if err != nil {
			return err
		}
		return apt.Update(ctx, nil)
	})
	if err != nil {
		return nil, err
	}
	return distro.Configure(dir, c.Cache.Log(dir))
}

// packager is what findUserland asks; *distro.Apt is one. As apt does, it takes NAME for the version that it would install, and
// NAME=VERSION.
type packager interface {
	Show(ctx context.Context, name string) (distro.Package, error)
}

// findUserland returns the packages of zpool and zinject of the module's release, of every library that they need, of a shell and
// of time zones. zpool's is the first.
func findUserland(ctx context.Context, apt packager, version string) ([]distro.Package, error) {
	zpool, err := findZpool(ctx, apt, version)
	if err != nil {
		return nil, err
	}
	packages := []distro.Package{zpool}
	for _, name := range []string{zinjectPackage, shellPackage, zonesPackage} {
		p, err := ofVersion(ctx, apt, name, zpool.Version)
		if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
	return addLibraries(ctx, apt, packages, zpool)
}

// findZpool finds zpool of the module's version, which is its package's too; or, for a module that is not the distribution's, of its
// release.
func findZpool(ctx context.Context, apt packager, version string) (distro.Package, error) {
	p, err := ofVersion(ctx, apt, zpoolPackage, version)
	if err != nil || p.Version == version {
		return p, err
	}
	want, err := zevent.ParseRelease(version)
	if err != nil {
		return p, err
	}
	if got, err := zevent.ParseRelease(p.Version); err != nil || got != want {
		return p, fmt.Errorf("looking up zpool of OpenZFS %s: the distribution offers %s=%s, and zpool must be of the module's release; add an apt source that has it, or build the distribution's module (without ZFS_SRC)",
			version, p.Name, p.Version)
	}
	return p, nil
}

// addLibraries adds the libraries that a package depends on, and those that they do.
func addLibraries(ctx context.Context, apt packager, packages []distro.Package, of distro.Package) ([]distro.Package, error) {
	for _, name := range of.Depends {
		library := strings.HasPrefix(name, "lib") || strings.HasPrefix(name, "zlib")
		if !library || slices.ContainsFunc(packages, func(p distro.Package) bool { return p.Name == name }) {
			continue
		}
		p, err := ofVersion(ctx, apt, name, packages[0].Version)
		if err != nil {
			return nil, err
		}
		if packages, err = addLibraries(ctx, apt, append(packages, p), p); err != nil {
			return nil, err
		}
	}
	return packages, nil
}

// ofVersion is a package of that version, as one of OpenZFS is, or the one that apt would install.
func ofVersion(ctx context.Context, apt packager, name, version string) (distro.Package, error) {
	p, err := apt.Show(ctx, name+"="+version)
	if errors.Is(err, distro.ErrNoPackage) {
		return apt.Show(ctx, name)
	}
	p.Name = name
	return p, err
}
