package cli

import (
	"errors"
	"path/filepath"
	"slices"

	"github.com/kmodaudit/kmodaudit/audit"
	"github.com/kmodaudit/kmodaudit/headerinstall"
)

// config returns what the installer is to be told.
func (f HeadersFlags) config() (c headerinstall.Config, t tree, err error) {
	if t, err = f.resolve(); err != nil {
		return c, t, err
	}
	profile, root, err := over(f.Given, t)
	if err != nil {
		return c, t, err
	}
	if len(profile.Source) == 0 {
		return c, t, errors.New("no source given; name a directory of headers, such as ./zfs/include, or by --profile a profile of " + audit.ConfigName)
	}
	c = profile.InstallConfig(root)
	c.Stage, c.Dest, c.Manifest = t.stage, t.dest, t.manifest
	c.Force, c.Sync = f.Force, f.Sync
	c.ModTime, err = sourceDateEpoch()
	return c, t, err
}

// over puts what was given by flags over a profile, and returns what the paths of the result are relative to.
func over(given audit.HeaderProfile, t tree) (profile audit.HeaderProfile, root string, err error) {
	profile, root = t.profile, t.settings.Path(".")
	if root == "." {
		return given.Over(profile), root, nil
	}
	if len(given.Source) > 0 {
		profile.Extra = moved(profile.Extra, t.settings.Path)
		return given.Over(profile), ".", nil
	}
	for i, extra := range given.Extra {
		if given.Extra[i].Source, err = filepath.Abs(extra.Source); err != nil {
			return profile, "", err
		}
	}
	return given.Over(profile), root, nil
}

// moved returns the files with other paths.
func moved(extra []headerinstall.Extra, path func(string) string) []headerinstall.Extra {
	all := slices.Clone(extra)
	for i := range all {
		all[i].Source = path(all[i].Source)
	}
	return all
}
