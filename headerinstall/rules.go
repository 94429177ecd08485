package headerinstall

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// headerSuffix is that of the files that may not be forgotten.
const headerSuffix = ".h"

// defaultInclude is what counts as a header unless told otherwise.
const defaultInclude = "**/*" + headerSuffix

// rules are a Config's, with what has been seen of each.
type rules struct {
	config  *Config
	include []bool // whether each has matched
	exclude []bool
	maps    []bool
}

func newRules(c *Config) *rules {
	return &rules{
		config:  c,
		include: make([]bool, len(c.Include)), exclude: make([]bool, len(c.Exclude)), maps: make([]bool, len(c.Map)),
	}
}

// included says whether a file counts as a header, by its path below the directory that a pattern leads to: that is above and
// its name.
func (r *rules) included(above, name string) bool {
	any := false
	for i, glob := range r.config.Include {
		if !matches(glob, above, name) {
			continue
		}
		any, r.include[i] = true, true
	}
	return any
}

// excluded returns the rule that excludes a header, or nil.
func (r *rules) excluded(above, name string) *Exclusion {
	for i, rule := range r.config.Exclude {
		if matches(rule.Match, above, name) {
			r.exclude[i] = true
			return &r.config.Exclude[i]
		}
	}
	return nil
}

func matches(glob, above, name string) bool {
	if glob == defaultInclude {
		return strings.HasSuffix(name, headerSuffix)
	}
	return doublestar.MatchUnvalidated(glob, above+name)
}

// moved applies the first rule that has something to say about a destination.
func (r *rules) moved(dest string) string {
	for i, rule := range r.config.Map {
		if rule.From == "." {
			r.maps[i] = true
			return path.Join(rule.To, dest)
		}
		if rest, ok := strings.CutPrefix(dest, rule.From); ok && strings.HasPrefix(rest, "/") {
			r.maps[i] = true
			return path.Join(rule.To, rest)
		}
	}
	return dest
}

// unused returns a finding for each rule that has matched nothing. That defaultInclude has not is
// no rule's fault: the sources have no header then, which is an error.
func (r *rules) unused() (findings []Finding) {
	add := func(rule, remedy string) {
		findings = append(findings, Finding{Kind: UnusedRule, Subject: rule, Message: "matches nothing", Remedy: remedy})
	}
	for i, used := range r.include {
		if glob := r.config.Include[i]; !used && glob != defaultInclude {
			add(fmt.Sprintf("include %q", glob), "correct the glob, or remove it")
		}
	}
	for i, used := range r.exclude {
		if !used {
			add(fmt.Sprintf("exclude %q (%s)", r.config.Exclude[i].Match, r.config.Exclude[i].Reason),
				"remove the rule, or correct its glob, or move it up: the first that matches a header counts")
		}
	}
	for i, used := range r.maps {
		if !used {
			add(fmt.Sprintf("map %q to %q", r.config.Map[i].From, r.config.Map[i].To),
				"remove the rule, or correct its directory, or move it up: the first that matches a header counts")
		}
	}
	return findings
}

// forgotten is the finding of a header that no rule speaks of.
func forgotten(source string) Finding {
	return Finding{Kind: ForgottenHeader, Subject: source, Message: "is neither installed nor excluded",
		Remedy: "include it, or exclude it with a reason"}
}

// checkRules refuses rules that cannot be applied, and cleans their directories.
func (c *Config) checkRules() error {
	for _, glob := range c.Include {
		if !doublestar.ValidatePattern(glob) {
			return fmt.Errorf("include glob %q is malformed; close its brackets and braces", glob)
		}
	}
	for _, rule := range c.Exclude {
		if !doublestar.ValidatePattern(rule.Match) || rule.Match == "" {
			return fmt.Errorf("exclude glob %q is malformed; close its brackets and braces", rule.Match)
		}
		if strings.TrimSpace(rule.Reason) == "" {
			return fmt.Errorf("exclude glob %q has no reason; say why these headers are not installed", rule.Match)
		}
	}
	for i, rule := range c.Map {
		from, to := path.Clean(rule.From), path.Clean(rule.To)
		if !filepath.IsLocal(from) || !filepath.IsLocal(to) || rule.From == "" || rule.To == "" || unsafeName(to) != "" {
			return fmt.Errorf("cannot map %q to %q; name two directories relative to the destination, %q for itself", rule.From, rule.To, ".")
		}
		c.Map[i] = Mapping{From: from, To: to}
	}
	for i, extra := range c.Extra {
		to := path.Clean(extra.To)
		if extra.Source == "" || strings.HasSuffix(extra.Source, "/") || !filepath.IsLocal(to) || to == "." || unsafeName(to) != "" {
			return fmt.Errorf("cannot install the extra file %q as %q; name a file, and a path relative to the destination", extra.Source, extra.To)
		}
		c.Extra[i].To = to
	}
	return nil
}
