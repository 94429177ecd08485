package endtoend

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kmodaudit/kmodaudit/audit"
	"github.com/kmodaudit/kmodaudit/guest"
	"github.com/kmodaudit/kmodaudit/zevent-test/suite"
)

// Run audits the real thing with the limits of a configuration. The error says
// why there is no result; a result may still hold audits that could not be done.
func Run(ctx context.Context, limits audit.Config, c Config) (audit.Result, error) {
	ground, err := Prepare(ctx, c)
	if err != nil {
		return audit.Result{}, err
	}
	strip := 2 // of ./include
	headers := audit.AuditHeaders(ctx, audit.HeadersInput{
		Origin:      audit.Origin{Kind: audit.Real, What: ground.name() + "'s own tree"},
		Root:        ground.Module.Dir,
		Sources:     []string{"./include"},
		Strip:       &strip,
		Destination: filepath.Join(c.Out, audit.HeadersName),
		Manifest:    filepath.Join(c.Out, audit.ManifestName),
	})
	stack := audit.AuditStack(limits.StackInput(
		ground.Product.Tree,
		audit.Origin{Kind: audit.Real, What: fmt.Sprintf("%s built here for Linux %s", ground.name(), ground.Kernel.Release)},
	))
	guests, err := ground.Boot(ctx, c.Progress)
	if ctx.Err() != nil {
		return audit.Result{}, context.Cause(ctx)
	}
	var events audit.Events
	if err == nil {
		ground.observe(&stack, c, guests[stackLoad].Programs[0])
		events, err = ground.events(c, guests[zeventTest])
	}
	if err != nil {
		events = audit.FailedEvents(audit.Origin{Kind: audit.Real, What: ground.name() + ", loaded in a guest"}, err)
	}
	return audit.Combine(headers, stack, events), nil
}

func (g *Ground) name() string { return g.Module.Name + " " + g.Module.Version }

// events takes the results of zevent-test out.
func (g *Ground) events(c Config, result *guest.Result) (audit.Events, error) {
	program := result.Programs[0]
	file := filepath.Join(c.Out, "zevent-test.jsonl")
	if err := os.WriteFile(file, program.Stdout, 0o644); err != nil {
		return audit.Events{}, fmt.Errorf("keeping the results of zevent-test: %w", err)
	}
	if program.ExitCode > 1 {
		return audit.Events{}, fmt.Errorf("running zevent-test in the guest: it ended with status %d\n    %s\n  its output is in %s, the console in %s",
			program.ExitCode, bytes.TrimSpace(program.Stderr), file, result.ConsoleLog)
	}
	report, err := suite.ReadReport(bytes.NewReader(program.Stdout), file)
	if err != nil {
		return audit.Events{}, err
	}
	report.Target += fmt.Sprintf(", in a guest under %s, %v", strings.ToUpper(string(g.Guest.Accel)), result.Start)
	return audit.ReportedEvents(audit.Real, report), nil
}
