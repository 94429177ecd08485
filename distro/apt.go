package distro

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/proc"
)

// Apt asks the machine's apt with a package index of its own.
type Apt struct {
	Release Release
	dir     string
	log     string
}

// Configure prepares a private index in dir, an existing directory, without fetching it.
// Log is the file that takes apt's output.
func Configure(dir, log string) (*Apt, error) {
	for _, tool := range []string{"apt-get", "apt-cache", "dpkg", "dpkg-deb", "dpkg-query"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("using the distribution's packages: %w; this needs Debian or Ubuntu", err)
		}
	}
	release, sources, err := machineSources()
	if err != nil {
		return nil, err
	}
	a := &Apt{Release: release, dir: dir, log: log}
	for _, sub := range []string{a.sourceParts(), a.path("state", "lists", "partial"), a.path("cache", "archives", "partial")} {
		if err := os.MkdirAll(sub, 0o755); err != nil {
			return nil, fmt.Errorf("preparing a private package index: %w", err)
		}
	}
	for name, text := range sources {
		if err := os.WriteFile(filepath.Join(a.sourceParts(), name), []byte(text), 0o644); err != nil {
			return nil, fmt.Errorf("preparing a private package index: %w", err)
		}
	}
	return a, nil
}

// Sources returns the texts of the apt sources that [Configure] derives from this machine's, by the
// names of their files, to tell one index from another.
func Sources() (map[string]string, error) {
	_, sources, err := machineSources()
	return sources, err
}

func machineSources() (Release, map[string]string, error) {
	release, err := ReadRelease("/etc/os-release")
	if err != nil {
		return release, nil, err
	}
	sources, err := deriveSources("/etc/apt", release)
	if err != nil {
		return release, nil, fmt.Errorf("deriving apt sources from this machine's: %w", err)
	}
	return release, sources, nil
}

func (a *Apt) path(elem ...string) string { return filepath.Join(append([]string{a.dir}, elem...)...) }

func (a *Apt) sourceParts() string { return a.path("sources.list.d") }

// options make apt use the private index. What dpkg has installed is the machine's.
func (a *Apt) options() []string {
	return []string{
		"-o", "Dir::State=" + a.path("state"),
		"-o", "Dir::State::status=/var/lib/dpkg/status",
		"-o", "Dir::Cache=" + a.path("cache"),
		"-o", "Dir::Etc::sourcelist=/dev/null",
		"-o", "Dir::Etc::sourceparts=" + a.sourceParts(),
		"-o", "APT::Sandbox::User=root", // the user _apt may not read a user's cache directory
		"-o", "Dpkg::Use-Pty=0",
	}
}

func (a *Apt) run(ctx context.Context, onLine func(string, bool), dir string, args ...string) error {
	return proc.Run(ctx, proc.Command{
		Args: slices.Concat([]string{"apt-get"}, a.options(), args),
		Dir:  dir, Log: a.log, OnLine: onLine,
		Env: []string{"LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"},
	})
}

// Update fetches the package index.
func (a *Apt) Update(ctx context.Context, onLine func(string, bool)) error {
	err := a.run(ctx, onLine, "", "-o", "APT::Update::Error-Mode=any", "update")
	if err != nil {
		return fmt.Errorf("fetching the package index: %w\n  is there a network, and do the machine's own apt sources work (apt-get update)?", err)
	}
	return nil
}

// Package is a package that the distribution offers.
type Package struct {
	Name    string
	Version string
	Depends []string // names only; of alternatives the first
}

// ErrNoPackage is a package that the distribution does not offer.
var ErrNoPackage = errors.New("the distribution has no such package")

// Show returns the newest version of a package.
func (a *Apt) Show(ctx context.Context, name string) (Package, error) {
	args := slices.Concat(a.options(), []string{"show", "--no-all-versions", name})
	cmd := exec.CommandContext(ctx, "apt-cache", args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err := ctx.Err(); err != nil {
		return Package{}, err
	}
	stanza, _, _ := strings.Cut(string(out), "\n\n")
	version := field(stanza, "Version")
	if err != nil || len(version) == 0 {
		return Package{}, fmt.Errorf("looking up the package %s: %w", name, ErrNoPackage)
	}
	p := Package{Name: name, Version: version[0]}
	for _, key := range []string{"Pre-Depends", "Depends"} {
		for dependency := range strings.SplitSeq(strings.Join(field(stanza, key), " "), ",") {
			if words := strings.Fields(dependency); len(words) > 0 {
				name, _, _ := strings.Cut(words[0], ":") // "perl:any"
				p.Depends = append(p.Depends, name)
			}
		}
	}
	return p, nil
}

// Unpack downloads packages and unpacks them below dir, as if dir were the root of the file system.
func (a *Apt) Unpack(ctx context.Context, packages []Package, dir string, onLine func(string, bool)) error {
	debs, err := os.MkdirTemp(dir, "debs-")
	if err != nil {
		return fmt.Errorf("downloading packages: %w", err)
	}
	defer os.RemoveAll(debs)
	args := []string{"download"}
	for _, p := range packages {
		args = append(args, p.Name+"="+p.Version)
	}
	if err := a.run(ctx, onLine, debs, args...); err != nil {
		return fmt.Errorf("downloading packages: %w\n  is there a network, and room on the disk?", err)
	}
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return err
	}
	if len(files) != len(packages) {
		return fmt.Errorf("downloading packages: asked for %d, got %d; see %s", len(packages), len(files), a.log)
	}
	for _, file := range files {
		if err := proc.Run(ctx, proc.Command{Args: []string{"dpkg-deb", "-x", file, dir}, Log: a.log}); err != nil {
			return fmt.Errorf("unpacking %s: %w", filepath.Base(file), err)
		}
	}
	return nil
}

// Missing returns those of packages that this machine does not have, neither by that name nor as what another provides.
func (a *Apt) Missing(ctx context.Context, packages []string) ([]string, error) {
	native, err := exec.CommandContext(ctx, "dpkg", "--print-architecture").Output()
	var all []byte
	if err == nil {
		all, err = exec.CommandContext(ctx, "dpkg-query", "-W", "-f", installedFormat).Output()
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("asking dpkg what is installed: %w", err)
	}
	there := readInstalled(string(all), strings.TrimSpace(string(native)))
	return slices.DeleteFunc(slices.Clone(packages), func(name string) bool { return there[name] }), nil
}

// installedFormat is of the lines that readInstalled reads (dpkg-query(1)).
const installedFormat = "${db:Status-Status}\t${Architecture}\t${Package}, ${Provides}\n"

// readInstalled returns the names of installed packages, and of what they provide. Those of other architectures do not count.
func readInstalled(text, architecture string) map[string]bool {
	there := map[string]bool{}
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimSpace(line), "\t", 3)
		if len(fields) < 3 || fields[0] != "installed" || fields[1] != architecture && fields[1] != "all" {
			continue
		}
		for name := range strings.SplitSeq(fields[2], ",") {
			if words := strings.Fields(name); len(words) > 0 { // a version may follow
				there[words[0]] = true
			}
		}
	}
	return there
}

// Install installs packages on this machine, without those they only recommend. It needs root.
func (a *Apt) Install(ctx context.Context, packages []string, onLine func(string, bool)) error {
	list := strings.Join(packages, " ")
	if os.Geteuid() != 0 {
		return fmt.Errorf("installing tools: %s missing, and only root may install; run this as root, or have them installed: apt-get install --no-install-recommends %s", list, list)
	}
	args := slices.Concat([]string{
		"-o", "Dir::State::extended_states=/var/lib/apt/extended_states", // what was installed automatically is the machine's knowledge
		"install", "-y", "--no-install-recommends", "--no-remove",
	}, packages)
	if err := a.run(ctx, onLine, "", args...); err != nil {
		return fmt.Errorf("installing tools (%s): %w", list, err)
	}
	return nil
}
