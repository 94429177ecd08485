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
	Rules       HeaderRules
	Destination string
	Manifest    string     // file outside of Destination
	ModTime     *time.Time // of what is written, nil for now
}

// AuditHeaders installs the headers of a module.
func AuditHeaders(ctx context.Context, in HeadersInput) Headers {
	h := Headers{Section: Section{Origin: in.Origin}, Destination: in.Destination}
	config := HeaderProfile{Source: in.Sources, Strip: in.Strip, HeaderRules: in.Rules}.InstallConfig(in.Root)
	config.Dest, config.Manifest, config.ModTime = in.Destination, in.Manifest, in.ModTime
	config.Force = true // the destination is the audit's own directory
	plan, err := headerinstall.Update(ctx, config)
	if err != nil {
		h.conclude(fmt.Errorf("installing headers: %w", err))
		return h
	}
	h.Totals, h.Warnings = plan.Totals(), plan.Warnings
	for _, f := range plan.Findings {
		h.Findings = append(h.Findings, Finding{Where: f.Subject, What: f.Message, Remedy: f.Remedy})
	}
	h.conclude(nil)
	return h
}
