package endtoend

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kmodaudit/kmodaudit/audit"
	"github.com/kmodaudit/kmodaudit/guest"
	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/observe"
)

// tracesName is the file below Config.Out with what the guest's stack tracer recorded.
const tracesName = "stack_traces.txt"

// observe lays what stackload saw beside the build. That there is nothing to see, as with a kernel that has no stack tracer, is said
// and no more: the audit does not need it.
func (g *Ground) observe(s *audit.Stack, c Config, output guest.Output) {
	observations, err := g.observations(c, output)
	if err != nil {
		s.Warnings = append(s.Warnings, fmt.Sprintf("what the stack was really used for is not known: %v", err))
	}
	s.Observe(observations)
}

func (g *Ground) observations(c Config, output guest.Output) ([]observe.Observation, error) {
	file := filepath.Join(c.Out, tracesName)
	if err := os.WriteFile(file, output.Stdout, 0o644); err != nil {
		return nil, fmt.Errorf("keeping what the stack tracer recorded: %w", err)
	}
	if output.ExitCode != 0 {
		return nil, fmt.Errorf("in the guest, status %d: %s", output.ExitCode, bytes.TrimSpace(output.Stderr))
	}
	traces, err := observe.ReadTraces(bytes.NewReader(output.Stdout), file)
	if err != nil {
		return nil, err
	}
	build, readErr := stackcheck.Read(g.Product.Tree)
	binaries, err := observe.ReadBinaries(traces, g.Product.Modules...)
	return observe.Compare(traces, build, binaries), errors.Join(readErr, err)
}
