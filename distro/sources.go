package distro

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Release is what /etc/os-release (os-release(5)) says of this machine.
type Release struct {
	ID       string // "debian", "ubuntu"
	Codename string // "bookworm"
}

// Component is the one that holds zfs-dkms.
func (r Release) component() string {
	if r.ID == "ubuntu" {
		return "universe"
	}
	return "contrib"
}

// ReadRelease reads an os-release file. Distributions derived from Debian and
// Ubuntu have other package names and are refused.
func ReadRelease(file string) (Release, error) {
	f, err := os.Open(file)
	if err != nil {
		return Release{}, fmt.Errorf("finding out the distribution: %w", err)
	}
	defer f.Close()
	fields := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if key, value, found := strings.Cut(lines.Text(), "="); found {
			fields[key] = strings.Trim(value, `"'`)
		}
	}
	if err := lines.Err(); err != nil {
		return Release{}, fmt.Errorf("finding out the distribution: %s: %w", file, err)
	}
	r := Release{ID: fields["ID"], Codename: fields["VERSION_CODENAME"]}
	if r.ID != "debian" && r.ID != "ubuntu" {
		return r, fmt.Errorf("finding out the distribution: this is %q; packages can be had from Debian and Ubuntu only", r.ID)
	}
	return r, nil
}

// deriveSources returns the machine's apt sources (sources.list(5), both formats) below etc, by the
// names of their files, with the component added where it is missing. Only sources of the distribution
// itself are taken, of other releases too: others do not have the component.
func deriveSources(etc string, r Release) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(etc, "sources.list.d", "*"))
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, file := range append(files, filepath.Join(etc, "sources.list")) {
		if ext := filepath.Ext(file); ext != ".list" && ext != ".sources" {
			continue // apt ignores it too
		}
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		texts[filepath.Base(file)] = string(text)
	}
	own := archives{r, map[string]bool{}}
	own.derive(texts) // learns where the release's own sources are
	derived := own.derive(texts)
	if len(derived) == 0 {
		return nil, fmt.Errorf("no apt source below %s offers component main of %s %s; add one", etc, r.ID, r.Codename)
	}
	return derived, nil
}

// archives are what a release comes from.
type archives struct {
	Release
	uris map[string]bool // of the sources of its own suites that were seen
}

// has says whether a source is of these: it is of one of the release's suites, or of another release in the same archive.
func (a archives) has(uris, suites []string) bool {
	own, known := slices.ContainsFunc(suites, a.ownSuite), false
	for _, uri := range uris {
		uri = strings.TrimRight(uri, "/")
		if own {
			a.uris[uri] = true
		}
		known = known || a.uris[uri]
	}
	return known
}

// ownSuite says whether suite is one of the release's: "bookworm",
// "bookworm-updates", "stable".
func (r Release) ownSuite(suite string) bool {
	base := strings.FieldsFunc(suite, func(c rune) bool { return c == '-' || c == '/' })
	return len(base) > 0 && slices.Contains([]string{r.Codename, "stable", "oldstable", "testing", "unstable", "sid"}, base[0])
}

func (a archives) derive(texts map[string]string) map[string]string {
	derived := map[string]string{}
	for name, text := range texts {
		derive := a.deriveLines
		if filepath.Ext(name) == ".sources" {
			derive = a.deriveStanzas
		}
		if text := derive(text); text != "" {
			derived[name] = text
		}
	}
	return derived
}

// deriveLines handles the one-line format: deb [options] URI SUITE COMPONENT…
func (a archives) deriveLines(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		rest, found := strings.CutPrefix(strings.TrimSpace(line), "deb ")
		if !found {
			continue
		}
		if options, after, bracketed := strings.Cut(rest, "]"); bracketed && strings.HasPrefix(strings.TrimSpace(options), "[") {
			rest = after
		}
		fields := strings.Fields(rest)
		if len(fields) < 3 || !slices.Contains(fields[2:], "main") || !a.has(fields[:1], fields[1:2]) {
			continue
		}
		out.WriteString(strings.TrimSpace(line))
		if !slices.Contains(fields[2:], a.component()) {
			out.WriteString(" " + a.component())
		}
		out.WriteString("\n")
	}
	return out.String()
}

// deriveStanzas handles the deb822 format: stanzas of fields.
func (a archives) deriveStanzas(text string) string {
	var out strings.Builder
	for stanza := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		components := field(stanza, "Components")
		if !slices.Contains(components, "main") || !slices.Contains(field(stanza, "Types"), "deb") || !a.has(field(stanza, "URIs"), field(stanza, "Suites")) {
			continue
		}
		for line := range strings.SplitSeq(strings.TrimSpace(stanza), "\n") {
			if key, _, _ := strings.Cut(line, ":"); strings.EqualFold(key, "Components") && !slices.Contains(components, a.component()) {
				line += " " + a.component()
			}
			out.WriteString(line + "\n")
		}
		out.WriteString("\n")
	}
	return out.String()
}

// field returns the words of a stanza's field, its continuation lines included.
func field(stanza, name string) []string {
	var words []string
	inField := false
	for line := range strings.SplitSeq(stanza, "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			if inField {
				words = append(words, strings.Fields(line)...)
			}
			continue
		}
		key, value, _ := strings.Cut(line, ":")
		if inField = strings.EqualFold(key, name); inField {
			words = append(words, strings.Fields(value)...)
		}
	}
	return words
}
