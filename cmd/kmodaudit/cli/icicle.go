package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/kmodaudit/kmodaudit/report"
	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/observe"
)

// DrawPaths writes a drawing of paths of a build to a file, wholly or not at all.
func DrawPaths(file string, of stackcheck.Built, paths []callgraph.Path) error {
	var b bytes.Buffer
	err := report.WriteIcicle(&b, "The deepest paths of "+built(of), paths, report.StackBytes)
	return drawn(file, &b, err)
}

func drawObservations(file, of string, all []observe.Observation) error {
	var b bytes.Buffer
	err := report.WriteObservedIcicle(&b, "What runs used of the stack, beside what is known of "+of, all, report.StackBytes)
	return drawn(file, &b, err)
}

// built names a build in a line that has to be short.
func built(of stackcheck.Built) string {
	const few = 3
	name := cmp.Or(strings.Join(of.Modules, ", "), "a build")
	if n := len(of.Modules); n > few {
		name = fmt.Sprintf("%d modules", n)
	}
	if of.Kernel != "" {
		name += " for Linux " + of.Kernel
	}
	return name
}

func drawn(file string, b *bytes.Buffer, err error) error {
	if err == nil {
		err = renameio.WriteFile(file, b.Bytes(), 0o644)
	}
	if err != nil {
		return fmt.Errorf("drawing paths: %w", err)
	}
	return nil
}
