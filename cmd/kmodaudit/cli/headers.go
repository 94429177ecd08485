package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/kmodaudit/kmodaudit/audit"
	"github.com/kmodaudit/kmodaudit/headerinstall"
	"github.com/kmodaudit/kmodaudit/report"
)

// Output is where a command prints: results on Stdout, what is beside them on Stderr.
type Output struct {
	Stdout, Stderr io.Writer
}

func (o Output) warn(text string) { report.Message(o.Stderr, "kmodaudit: warning", text) }

func (o Output) write(l report.Listing, f report.Format) error {
	if err := l.Write(o.Stdout, f, columns(o.Stdout)); err != nil {
		return cannot(fmt.Errorf("printing the result: %w", err))
	}
	return nil
}

// DefaultPrefix is where headers go.
const DefaultPrefix = "/usr/include/zfs"

// HeaderTree says where the headers are.
type HeaderTree struct {
	DestDir  string // stands for the root directory, as for make install; empty for the machine's own
	Prefix   string // absolute path of the header directory below DestDir
	Manifest string // file; empty for one in out/ that is called after the destination
}

// manifest returns the file that records what is in dest. Each destination has its own, so that
// what lies in one is never taken for what was installed into another.
func (t HeaderTree) manifest(dest string) string {
	if t.Manifest != "" {
		return t.Manifest
	}
	name := strings.NewReplacer("%", "%25", "-", "%2D", "/", "-").Replace(filepath.ToSlash(dest))
	return filepath.Join("out", "headers-"+name+".json")
}

func (t HeaderTree) destination() (string, error) {
	if !filepath.IsAbs(t.Prefix) {
		return "", fmt.Errorf("the prefix %q is not an absolute path; stage it somewhere else by --destdir", t.Prefix)
	}
	return filepath.Join(t.DestDir, t.Prefix), nil
}

// HeadersFlags are the flags of the commands that plan and install headers.
type HeadersFlags struct {
	HeaderTree
	Sources []string
	Strip   int
	Include []string // globs; empty for *.h
	Force   bool
	DryRun  bool
	Format  report.Format
	List    headerinstall.ListKind // empty for none
}

// HeadersPlan prints what HeadersInstall would do.
func HeadersPlan(ctx context.Context, out Output, f HeadersFlags) error {
	plan, err := f.plan(ctx, out)
	if err != nil {
		return cannot(err)
	}
	if f.List != "" {
		return f.list(out, plan.Manifest())
	}
	return out.write(report.HeaderPlan(plan), f.Format)
}

// HeadersInstall installs headers, and prints how many or a list of them.
func HeadersInstall(ctx context.Context, out Output, f HeadersFlags) error {
	if f.DryRun {
		return HeadersPlan(ctx, out, f)
	}
	plan, err := f.plan(ctx, out)
	if err != nil {
		return cannot(err)
	}
	installed, err := headerinstall.Install(ctx, plan)
	if err != nil {
		return cannot(err)
	}
	if f.List != "" {
		return f.list(out, installed)
	}
	if _, err := fmt.Fprintln(out.Stdout, report.InstalledHeaders(plan)); err != nil {
		return cannot(fmt.Errorf("printing the result: %w", err))
	}
	return nil
}

func (f HeadersFlags) plan(ctx context.Context, out Output) (headerinstall.Plan, error) {
	dest, err := f.destination()
	if err != nil {
		return headerinstall.Plan{}, err
	}
	modTime, err := sourceDateEpoch()
	if err != nil {
		return headerinstall.Plan{}, err
	}
	plan, err := headerinstall.NewPlan(ctx, headerinstall.Config{
		Sources: f.Sources, Include: f.Include, Strip: &f.Strip,
		Dest: dest, Manifest: f.manifest(dest), ModTime: modTime, Force: f.Force,
	})
	for _, warning := range plan.Warnings {
		out.warn(warning)
	}
	return plan, err
}

func (f HeadersFlags) list(out Output, m headerinstall.Manifest) error {
	if err := m.List(out.Stdout, f.List, f.Prefix); err != nil {
		return cannot(err)
	}
	return nil
}

// HeadersVerify compares installed headers with their manifest.
func HeadersVerify(ctx context.Context, out Output, t HeaderTree, format report.Format) error {
	dest, err := t.destination()
	if err != nil {
		return cannot(err)
	}
	m, err := headerinstall.ReadManifestFile(t.manifest(dest))
	if err != nil {
		return cannot(fmt.Errorf("verifying headers: reading the manifest: %w", t.explain(err)))
	}
	result, verifyErr := headerinstall.Verify(ctx, m, dest)
	if err := out.write(report.HeaderReport(result, dest), format); err != nil {
		return err
	}
	if verifyErr != nil {
		return cannot(verifyErr)
	}
	return found(len(result.Deviations))
}

// HeadersUninstall removes installed headers that are as they were installed.
func HeadersUninstall(ctx context.Context, out Output, t HeaderTree) error {
	dest, err := t.destination()
	if err != nil {
		return cannot(err)
	}
	removal, err := headerinstall.Uninstall(ctx, t.manifest(dest), dest)
	if err != nil {
		return cannot(t.explain(err))
	}
	if err := out.write(report.HeaderRemoval(removal, dest), report.TableFormat); err != nil {
		return err
	}
	return found(len(removal.Kept))
}

// explain says what to do when there is no manifest.
func (t HeaderTree) explain(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; name by --manifest the one that the installation wrote", err)
	}
	return err
}

// found is the end of a command that has printed so many findings.
func found(n int) error {
	if n == 0 {
		return nil
	}
	return verdict(audit.Findings)
}
