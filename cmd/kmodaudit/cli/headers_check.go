package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/kmodaudit/kmodaudit/headerinstall"
	"github.com/kmodaudit/kmodaudit/headerinstall/closure"
	"github.com/kmodaudit/kmodaudit/report"
)

// HeadersCheck checks installed headers, and writes nothing: that no header was forgotten and no rule is unused, that
// they are what the manifest says and what the sources are now, and that none of their includes leads nowhere.
func HeadersCheck(ctx context.Context, out Output, h HeaderTree) error {
	config, t, err := HeadersFlags{HeaderTree: h}.config()
	if err != nil {
		return cannot(err)
	}
	tree, treeErr := headerinstall.Verify(ctx, t.installed())
	if tree.Deviations == nil {
		return cannot(explained(treeErr))
	}
	// What one part cannot tell does not keep the others from it.
	c := report.CheckedHeaders{Destination: t.dest, Tree: tree}
	plan, planErr := headerinstall.NewPlan(ctx, config)
	out.warnAll(plan.Warnings)
	var includesErr error
	c.Rules, c.Outdated = plan.Findings, outdated(plan, c.Tree)
	c.Includes, includesErr = t.includes(ctx)
	if err := out.write(report.HeaderCheck(c), report.TableFormat); err != nil {
		return err
	}
	if err := errors.Join(planErr, treeErr, includesErr); err != nil {
		return cannot(err)
	}
	return found(len(c.Rules) + len(c.Tree.Deviations) + len(c.Outdated) + len(c.Includes.Missing))
}

// outdated returns what an installation would do, save to the files that deviate from the manifest.
func outdated(p headerinstall.Plan, r headerinstall.Report) []headerinstall.Entry {
	deviates := map[string]bool{}
	for _, d := range r.Deviations {
		deviates[d.Destination] = true
	}
	var all []headerinstall.Entry
	for e := range p.Entries() {
		if e.Action != headerinstall.Same && !deviates[e.Destination] {
			all = append(all, e)
		}
	}
	return all
}

// includes follows the includes of the tree and of its consumers.
func (t tree) includes(ctx context.Context) (closure.Result, error) {
	result, err := closure.Check(ctx, closure.Config{
		Tree: closure.DirFS(t.dest), System: t.dirs(t.profile.System), Consumers: t.dirs(t.profile.Consumer),
	})
	if err != nil {
		return result, fmt.Errorf("checking the includes of %s: %w", t.dest, err)
	}
	return result, unreadIncludes(t.dest, result)
}

// dirs opens directories of the configuration.
func (t tree) dirs(names []string) []closure.Dir {
	var all []closure.Dir
	for _, name := range names {
		all = append(all, closure.Dir{Name: name, FS: closure.DirFS(t.settings.Path(name))})
	}
	return all
}
