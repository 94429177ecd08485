package suite

import (
	"context"
	"errors"
	"fmt"
)

// Report is a run of checks against one target.
type Report struct {
	Target  string // as it describes itself
	Results []Result
	Err     error // why the checks could not run, or not all of them
}

// Summary counts the outcomes.
func (r Report) Summary() Summary {
	var s Summary
	for _, result := range r.Results {
		s.Add(result)
	}
	return s
}

// Collect runs all checks against a target and closes it.
func Collect(ctx context.Context, t Target) (r Report) {
	r = Report{Target: t.Describe()}
	if r.Err = Preflight(t); r.Err != nil {
		return r
	}
	defer func() { r.Err = errors.Join(r.Err, t.Close()) }()
	for result := range Run(ctx, t, Checks()) {
		r.Results = append(r.Results, result)
	}
	if err := ctx.Err(); err != nil {
		r.Err = fmt.Errorf("not every check ran: %w", err)
	}
	return r
}
