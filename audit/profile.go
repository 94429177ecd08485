package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/kmodaudit/kmodaudit/headerinstall"
)

// HeadersConfig says which headers are installed: those of [headers] itself, unless a profile is
// named. A profile inherits nothing from it.
type HeadersConfig struct {
	HeaderProfile
	Profiles map[string]HeaderProfile `toml:"profile"`
}

// A HeaderProfile is one way to install a module's headers.
type HeaderProfile struct {
	Source Patterns `toml:"source"` // directories or doublestar globs, default "./zfs/include"
	Strip  *int     `toml:"strip"`  // leading components taken off a path as written, default 3
	HeaderRules

	Prefix   string   `toml:"prefix"`   // absolute path of the headers below the staging directory; audits have a place of their own
	System   Patterns `toml:"system"`   // directories in which a check looks for what the headers include of others
	Consumer Patterns `toml:"consumer"` // directories of source code whose includes a check follows too
}

// HeaderRules say what becomes of what is below the sources.
type HeaderRules struct {
	Include         Patterns                  `toml:"include"` // doublestar globs of what is a header, default "**/*.h"
	Exclude         []headerinstall.Exclusion `toml:"exclude"` // match, reason
	Map             []headerinstall.Mapping   `toml:"map"`     // from, to
	Extra           []headerinstall.Extra     `toml:"extra"`   // source, to
	PreserveModTime *bool                     `toml:"preserve_mtime"`
	TrustModTime    *bool                     `toml:"trust_mtime"`
}

// Over returns the profile that p makes of base: what p has one of, and its sources, replace those of base; its
// rules go before those of base.
func (p HeaderProfile) Over(base HeaderProfile) HeaderProfile {
	if len(p.Source) > 0 {
		base.Source = p.Source
	}
	if p.Strip != nil {
		base.Strip = p.Strip
	}
	if p.Prefix != "" {
		base.Prefix = p.Prefix
	}
	if p.PreserveModTime != nil {
		base.PreserveModTime = p.PreserveModTime
	}
	if p.TrustModTime != nil {
		base.TrustModTime = p.TrustModTime
	}
	base.Include = slices.Concat(p.Include, base.Include)
	base.Exclude = slices.Concat(p.Exclude, base.Exclude)
	base.Map = slices.Concat(p.Map, base.Map)
	base.Extra = slices.Concat(p.Extra, base.Extra)
	base.System = slices.Concat(p.System, base.System)
	base.Consumer = slices.Concat(p.Consumer, base.Consumer)
	return base
}

// InstallConfig returns what the installer is to be told, without a destination; root is what the sources are relative to.
func (p HeaderProfile) InstallConfig(root string) headerinstall.Config {
	return headerinstall.Config{
		Root: root, Sources: p.Source, Strip: p.Strip,
		Include: p.Include, Exclude: p.Exclude, Map: p.Map, Extra: p.Extra,
		KeepModTime:  p.PreserveModTime != nil && *p.PreserveModTime,
		TrustModTime: p.TrustModTime != nil && *p.TrustModTime,
	}
}

// Profile returns the profile of that name, or that of [headers] itself for "".
func (c Config) Profile(name string) (HeaderProfile, error) {
	if name == "" {
		return c.Headers.HeaderProfile, nil
	}
	if p, ok := c.Headers.Profiles[name]; ok {
		return p, nil
	}
	have := "it has none; add a table [headers.profile." + name + "]"
	if names := slices.Sorted(maps.Keys(c.Headers.Profiles)); len(names) > 0 {
		have = "it has " + strings.Join(names, ", ")
	}
	return HeaderProfile{}, fmt.Errorf("looking for the header profile %q in %s: %s", name, c.file, have)
}

func (c *HeadersConfig) setDefaults() {
	c.HeaderProfile.setDefaults()
	for name, p := range c.Profiles {
		p.setDefaults()
		c.Profiles[name] = p
	}
}

func (p *HeaderProfile) setDefaults() {
	if len(p.Source) == 0 {
		p.Source = Patterns{"./zfs/include"}
	}
}

// check refuses rules that are not whole, at their place in the file.
func (c HeadersConfig) check(file string, text []byte) error {
	if err := c.HeaderRules.check(file, text, "headers"); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Profiles)) {
		if err := c.Profiles[name].HeaderRules.check(file, text, "headers", "profile", name); err != nil {
			return err
		}
	}
	return nil
}

func (r HeaderRules) check(file string, text []byte, table ...string) error {
	wrong := func(kind string, i int, what string) error {
		key := append(slices.Clone(table), kind)
		return fmt.Errorf("%s: rule %d of %s %s", place(file, text, key, i), i+1, strings.Join(key, "."), what)
	}
	for i, e := range r.Exclude {
		switch {
		case e.Match == "":
			return wrong("exclude", i, "has no match; give a glob of the headers that are not to be installed")
		case strings.TrimSpace(e.Reason) == "":
			return wrong("exclude", i, fmt.Sprintf("has no reason; say why %q is not to be installed", e.Match))
		}
	}
	for i, m := range r.Map {
		if m.From == "" || m.To == "" {
			return wrong("map", i, `needs from and to; "." is the destination itself`)
		}
	}
	for i, e := range r.Extra {
		if e.Source == "" {
			return wrong("extra", i, "has no source; name a file")
		}
	}
	return nil
}

// place is file:line of the array table of that key, or the file alone if it is written in another way.
func place(file string, text []byte, key []string, index int) string {
	var p unstable.Parser
	p.Reset(text)
	for p.NextExpression() {
		e := p.Expression()
		if e.Kind != unstable.ArrayTable {
			continue
		}
		var found []string
		line := 0
		for it := e.Key(); it.Next(); {
			found = append(found, string(it.Node().Data))
			line = p.Shape(it.Node().Raw).Start.Line
		}
		if !slices.Equal(found, key) {
			continue
		}
		if index == 0 {
			return fmt.Sprintf("%s:%d", file, line)
		}
		index--
	}
	return file
}
