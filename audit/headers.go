package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/kmodaudit/kmodaudit/headerinstall"
)

// HeadersInput says which headers to install where.
type HeadersInput struct {
	Origin      Origin
	Root        string   // that Sources are relative to
	Sources     []string // patterns as written
	Strip       *int     // nil for the default
	Destination string
	Manifest    string     // file outside of Destination
	ModTime     *time.Time // of what is written, nil for now
}

// AuditHeaders installs the headers of a module.
func AuditHeaders(ctx context.Context, in HeadersInput) Headers {
	h := Headers{Section: Section{Origin: in.Origin}, Destination: in.Destination}
	plan, err := headerinstall.NewPlan(ctx, headerinstall.Config{
		Root: in.Root, Sources: in.Sources, Strip: in.Strip,
		Dest: in.Destination, Manifest: in.Manifest, ModTime: in.ModTime,
		Force: true, // the destination is the audit's own directory
	})
	if err != nil {
		h.conclude(fmt.Errorf("planning the header tree: %w", err))
		return h
	}
	h.Totals, h.Warnings = plan.Totals(), plan.Warnings
	if _, err := headerinstall.Install(ctx, plan); err != nil {
		h.conclude(fmt.Errorf("installing headers: %w", err))
		return h
	}
	h.conclude(nil)
	return h
}
