package report

import (
	"fmt"

	"github.com/kmodaudit/kmodaudit/headerinstall"
)

// PlannedHeader is an entry of a plan as JSON.
type PlannedHeader struct {
	headerinstall.Entry
	Why string `json:"why"`
}

// HeaderPlan shows what an installation will do.
func HeaderPlan(p headerinstall.Plan) Listing {
	totals := p.Totals()
	t := Table{Columns: []string{"source", "destination", "mode", "size", "digest", "action", "why"}}
	entries := []PlannedHeader{}
	for e := range p.Entries() {
		why := e.Action.Why()
		if n := len(e.Also); n > 0 {
			why += fmt.Sprintf("; %s of the same content", count(n, "more source"))
		}
		entries = append(entries, PlannedHeader{e, why})
		t.Rows = append(t.Rows, []any{
			e.Source, e.Destination, fmt.Sprintf("%04o", uint32(e.Mode)), int(e.Size), e.SHA256.String(), string(e.Action), why,
		})
	}
	excluded := Table{Title: "excluded", Columns: []string{"source", "by", "because"}}
	for _, e := range p.Excluded {
		excluded.Rows = append(excluded.Rows, []any{e.Source, e.Match, e.Reason})
	}
	return Listing{
		Tables:  append([]Table{t}, withRows(excluded, headerFindings(p.Findings))...),
		Summary: "into " + p.Config.Dest + ": " + actions(totals) + besides(p),
		JSON: struct {
			Destination string                   `json:"destination"`
			Entries     []PlannedHeader          `json:"entries"`
			Excluded    []headerinstall.Excluded `json:"excluded"`
			Findings    []headerinstall.Finding  `json:"findings"`
			Totals      headerinstall.Totals     `json:"totals"`
			Warnings    []string                 `json:"warnings,omitempty"`
		}{p.Config.Dest, entries, append([]headerinstall.Excluded{}, p.Excluded...),
			append([]headerinstall.Finding{}, p.Findings...), totals, p.Warnings},
	}
}

// InstalledHeaders shows an installation that was done: what was found, and how many headers there are.
func InstalledHeaders(p headerinstall.Plan) Listing {
	totals := p.Totals()
	return Listing{
		Tables: withRows(headerFindings(p.Findings)),
		Summary: fmt.Sprintf("%s, %s, installed into %s: %s",
			count(totals.Headers, "header"), bytes(int(totals.Bytes)), p.Config.Dest, actions(totals)+besides(p)),
	}
}

func headerFindings(all []headerinstall.Finding) Table {
	t := Table{Title: "findings", Columns: []string{"finding", "of", "what", "remedy"}}
	for _, f := range all {
		t.Rows = append(t.Rows, []any{string(f.Kind), f.Subject, f.Message, f.Remedy})
	}
	return t
}

// besides counts what a plan has besides headers to install.
func besides(p headerinstall.Plan) string {
	text := ""
	if n := len(p.Excluded); n > 0 {
		text += fmt.Sprintf("; %s excluded", grouped(n))
	}
	if n := len(p.Findings); n > 0 {
		text += "; " + count(n, "finding")
	}
	return text
}

// actions counts what happens, in a fixed order.
func actions(t headerinstall.Totals) string {
	text := ""
	for _, a := range []headerinstall.Action{
		headerinstall.New, headerinstall.Changed, headerinstall.Same, headerinstall.Stale, headerinstall.Kept,
	} {
		if n := t.ByAction[a]; n > 0 {
			text += fmt.Sprintf(", %s %s", grouped(n), a)
		}
	}
	if text == "" {
		return "nothing"
	}
	return text[len(", "):]
}

// HeaderReport shows how a tree compares with its manifest.
func HeaderReport(r headerinstall.Report, dest string) Listing {
	return Listing{
		Tables:  []Table{deviations(r.Deviations)},
		Summary: fmt.Sprintf("%s in %s verified: %s", count(r.Headers, "header"), dest, count(len(r.Deviations), "deviation")),
		JSON: struct {
			Destination string `json:"destination"`
			headerinstall.Report
		}{dest, r},
	}
}

// HeaderRemoval shows what an uninstallation left there, and sums it up.
func HeaderRemoval(r headerinstall.Removal, dest string) Listing {
	return Listing{
		Tables: []Table{deviations(r.Kept)},
		Summary: fmt.Sprintf("%s removed from %s; %s gone before, %s kept because they were changed",
			count(len(r.Removed), "header"), dest, grouped(len(r.Gone)), grouped(len(r.Kept))),
		JSON: struct {
			Destination string `json:"destination"`
			headerinstall.Removal
		}{dest, r},
	}
}

func deviations(all []headerinstall.Deviation) Table {
	t := Table{Columns: []string{"destination", "kind", "what"}}
	for _, d := range all {
		t.Rows = append(t.Rows, []any{d.Destination, string(d.Kind), d.Detail})
	}
	return t
}
