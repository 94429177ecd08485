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
// itself are taken: others do not have the component.
func deriveSources(etc string, r Release) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(etc, "sources.list.d", "*"))
	if err != nil {
		return nil, err
	}
	derived := map[string]string{}
	for _, file := range append(files, filepath.Join(etc, "sources.list")) {
		var derive func(string, Release) string
		switch filepath.Ext(file) {
		case ".list":
			derive = deriveLines
		case ".sources":
			derive = deriveStanzas
		default:
			continue // apt ignores it too
		}
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if text := derive(string(text), r); text != "" {
			derived[filepath.Base(file)] = text
		}
	}
	if len(derived) == 0 {
		return nil, fmt.Errorf("no apt source below %s offers component main of %s %s; add one", etc, r.ID, r.Codename)
	}
	return derived, nil
}

// ownSuite says whether suite is one of the distribution's: "bookworm",
// "bookworm-updates", "stable".
func (r Release) ownSuite(suite string) bool {
	base := strings.FieldsFunc(suite, func(c rune) bool { return c == '-' || c == '/' })
	return len(base) > 0 && slices.Contains([]string{r.Codename, "stable", "oldstable", "testing", "unstable", "sid"}, base[0])
}

// deriveLines handles the one-line format: deb [options] URI SUITE COMPONENT…
func deriveLines(text string, r Release) string {
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
		if len(fields) < 3 || !r.ownSuite(fields[1]) || !slices.Contains(fields[2:], "main") {
			continue
		}
		out.WriteString(strings.TrimSpace(line))
		if !slices.Contains(fields[2:], r.component()) {
			out.WriteString(" " + r.component())
		}
		out.WriteString("\n")
	}
	return out.String()
}

// deriveStanzas handles the deb822 format: stanzas of fields.
func deriveStanzas(text string, r Release) string {
	var out strings.Builder
	for stanza := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		suites, components := field(stanza, "Suites"), field(stanza, "Components")
		if !slices.ContainsFunc(suites, r.ownSuite) || !slices.Contains(components, "main") || !slices.Contains(field(stanza, "Types"), "deb") {
			continue
		}
		for line := range strings.SplitSeq(strings.TrimSpace(stanza), "\n") {
			if key, _, _ := strings.Cut(line, ":"); strings.EqualFold(key, "Components") && !slices.Contains(components, r.component()) {
				line += " " + r.component()
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
