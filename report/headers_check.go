package report

import (
	"fmt"
	"strings"

	"github.com/kmodaudit/kmodaudit/headerinstall"
	"github.com/kmodaudit/kmodaudit/headerinstall/closure"
)

// CheckedHeaders is what was found of installed headers.
type CheckedHeaders struct {
	Destination string
	Rules       []headerinstall.Finding
	Tree        headerinstall.Report
	Outdated    []headerinstall.Entry // as installed, but not as the sources are now
	Includes    closure.Result
}

// HeaderCheck shows what is wrong with installed headers.
func HeaderCheck(c CheckedHeaders) Listing {
	deviating := deviations(c.Tree.Deviations)
	deviating.Title = "not as installed"
	outdated := Table{Title: "not as the sources are", Columns: []string{"destination", "action", "source"}}
	for _, e := range c.Outdated {
		outdated.Rows = append(outdated.Rows, []any{e.Destination, string(e.Action), e.Source})
	}
	return Listing{
		Tables: withRows(headerFindings(c.Rules), deviating, outdated, missingIncludes(c.Includes.Missing)),
		Summary: fmt.Sprintf("%s in %s checked: %s of the rules, %s not as installed, %s not as the sources are, %s missing",
			count(c.Tree.Headers, "header"), c.Destination, count(len(c.Rules), "finding"), grouped(len(c.Tree.Deviations)),
			grouped(len(c.Outdated)), count(len(c.Includes.Missing), "include")),
	}
}

func missingIncludes(all []closure.Missing) Table {
	t := Table{Title: "includes that lead nowhere", Columns: []string{"include", "included at", "found instead at"}}
	for _, m := range all {
		for _, use := range m.Includers {
			t.Rows = append(t.Rows, []any{m.Include, position(use.File, use.Line, 0), strings.Join(m.Elsewhere, " ")})
		}
	}
	return t
}
