package cli

import (
	"cmp"
	"context"

	"github.com/kmodaudit/kmodaudit/audit"
	"github.com/kmodaudit/kmodaudit/headerinstall"
	"github.com/kmodaudit/kmodaudit/report"
)

// HeadersFlags are the flags of the commands that plan and install headers.
type HeadersFlags struct {
	HeaderTree
	Given  audit.HeaderProfile // by flags; it goes over that of the configuration, and its paths are relative to the current directory
	Force  bool
	Sync   bool
	DryRun bool
	Diff   bool                   // print what changes in the headers
	Format report.Format          // empty for a table
	List   headerinstall.ListKind // empty for none
}

// HeadersPlan prints what HeadersInstall would do.
func HeadersPlan(ctx context.Context, out Output, f HeadersFlags) error {
	config, t, err := f.config()
	if err != nil {
		return cannot(err)
	}
	plan, err := headerinstall.NewPlan(ctx, config)
	out.warnAll(plan.Warnings)
	if err != nil {
		return cannot(err)
	}
	switch {
	case f.Diff:
		err = out.diff(ctx, plan)
	case f.List != "":
		err = out.list(plan.Manifest(), f.List, t.prefix)
	default:
		return out.planned(plan, cmp.Or(f.Format, report.TableFormat))
	}
	return out.conclude(plan, err)
}

// HeadersInstall installs headers, and prints how many, what changed in them, a list of them, or what was done with each.
func HeadersInstall(ctx context.Context, out Output, f HeadersFlags) error {
	if f.DryRun {
		return HeadersPlan(ctx, out, f)
	}
	config, t, err := f.config()
	if err != nil {
		return cannot(err)
	}
	config.Waiting = out.waiting(config.Dest)
	install := headerinstall.Update
	if f.Diff {
		install = out.diffAndInstall
	}
	plan, err := install(ctx, config)
	out.warnAll(plan.Warnings)
	if err != nil {
		return cannot(err)
	}
	switch {
	case f.Diff:
	case f.List != "":
		err = out.list(plan.Manifest(), f.List, t.prefix)
	case cmp.Or(f.Format, report.TableFormat) != report.TableFormat:
		return out.planned(plan, f.Format)
	default:
		err = out.write(report.InstalledHeaders(plan), report.TableFormat)
		return cmp.Or(err, found(len(plan.Findings)))
	}
	return out.conclude(plan, err)
}

// HeadersVerify compares installed headers with their manifest.
func HeadersVerify(ctx context.Context, out Output, h HeaderTree, format report.Format) error {
	t, err := h.resolve()
	if err != nil {
		return cannot(err)
	}
	result, verifyErr := headerinstall.Verify(ctx, t.installed())
	if result.Deviations == nil {
		return cannot(explained(verifyErr))
	}
	if err := out.write(report.HeaderReport(result, t.dest), format); err != nil {
		return err
	}
	if verifyErr != nil {
		return cannot(verifyErr)
	}
	return found(len(result.Deviations))
}

// HeadersUninstall removes installed headers that are as they were installed.
func HeadersUninstall(ctx context.Context, out Output, h HeaderTree, format report.Format) error {
	t, err := h.resolve()
	if err != nil {
		return cannot(err)
	}
	config := t.installed()
	config.Waiting = out.waiting(t.dest)
	removal, err := headerinstall.Uninstall(ctx, config)
	if err != nil {
		return cannot(explained(err))
	}
	if err := out.write(report.HeaderRemoval(removal, t.dest), format); err != nil {
		return err
	}
	return found(len(removal.Kept))
}

// found is the end of a command that has printed so many findings.
func found(n int) error {
	if n == 0 {
		return nil
	}
	return verdict(audit.Findings)
}
