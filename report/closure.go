package report

import (
	"fmt"
	"strings"

	"github.com/kmodaudit/kmodaudit/headerinstall/closure"
	"github.com/kmodaudit/kmodaudit/headerinstall/compile"
)

// Closure shows where the includes of a header tree lead, and what a compiler said of its
// headers; compiled is nil if none was asked.
func Closure(r closure.Result, compiled *compile.Result) Listing {
	l := Listing{
		Tables:  closureTables(r),
		Summary: fmt.Sprintf("%s, %s: %s missing", count(r.Headers, "header"), count(r.Includes, "include"), grouped(len(r.Missing))),
		JSON: struct {
			Closure closure.Result  `json:"closure"`
			Compile *compile.Result `json:"compile,omitempty"`
		}{r, compiled},
	}
	if compiled != nil {
		l.Tables = append(l.Tables, compileTables(*compiled)...)
		l.Summary += fmt.Sprintf("; %s compile as %s, %s not, %s excused, %s not checked", grouped(compiled.Compiled), compiled.Language,
			grouped(len(compiled.Failures)), grouped(len(compiled.Excused)), grouped(len(compiled.NotChecked)))
	}
	return l
}

func closureTables(r closure.Result) []Table {
	missing := Table{Title: "missing", Columns: []string{"include", "included at", "under", "found instead at"}}
	for _, m := range r.Missing {
		for _, use := range m.Includers {
			missing.Rows = append(missing.Rows, []any{m.Include, position(use.File, use.Line, 0), conditions(use), strings.Join(m.Elsewhere, " ")})
		}
	}
	computed := Table{Title: "computed, not followed", Columns: []string{"include", "at", "under"}}
	for _, c := range r.Computed {
		computed.Rows = append(computed.Rows, []any{c.Text, position(c.File, c.Line, 0), conditions(c.Use)})
	}
	unguarded := Table{Title: "without guard", Columns: []string{"header"}}
	for _, header := range r.Unguarded {
		unguarded.Rows = append(unguarded.Rows, []any{header})
	}
	leaks := Table{Title: "depends on the kernel's configuration", Columns: []string{"macro", "at", "under"}}
	for _, leak := range r.ConfigLeaks {
		for _, use := range leak.Uses {
			leaks.Rows = append(leaks.Rows, []any{leak.Macro, position(use.File, use.Line, 0), conditions(use)})
		}
	}
	notRead := Table{Title: "not read", Columns: []string{"file", "why"}}
	for _, n := range r.NotRead {
		notRead.Rows = append(notRead.Rows, []any{n.File, n.Reason})
	}
	return withRows(missing, computed, unguarded, leaks, notRead)
}

func compileTables(r compile.Result) []Table {
	failures := Table{Title: "does not compile", Columns: []string{"header", "class", "first error"}}
	for _, f := range r.Failures {
		failures.Rows = append(failures.Rows, []any{f.Header, string(f.Class), f.First.String()})
	}
	unneeded := Table{Title: "excuse that excuses nothing", Columns: []string{"header", "written at", "why"}}
	for _, u := range r.Unneeded {
		unneeded.Rows = append(unneeded.Rows, []any{u.Header, u.Place, u.Why})
	}
	notChecked := Table{Title: "not checked", Columns: []string{"header", "why"}}
	for _, n := range r.NotChecked {
		notChecked.Rows = append(notChecked.Rows, []any{n.Header, n.Reason})
	}
	return withRows(failures, unneeded, notChecked)
}

func conditions(use closure.Use) string { return strings.Join(use.Conditions, "; ") }

// withRows leaves out what is empty.
func withRows(tables ...Table) []Table {
	var all []Table
	for _, t := range tables {
		if len(t.Rows) > 0 {
			all = append(all, t)
		}
	}
	return all
}
