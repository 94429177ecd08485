package compile

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/kmodaudit/kmodaudit/proc"
)

const (
	// stdin is what compilers call the file that they are given as standard input.
	stdin = "<stdin>"

	// maxOutputBytes bounds what is kept of a compiler's output: only its first error counts.
	maxOutputBytes = 1 << 20
)

// unit is the translation unit that checks a header.
func unit(header string) string {
	include := fmt.Sprintf("#include <%s>\n", header)
	return include + include
}

// run gives a translation unit to a compiler. It returns the first error if that fails, and an error of its own if the compiler
// could not be run to its end.
func run(ctx context.Context, command []string, unit string) (*Diagnostic, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	proc.EndWithGroup(cmd)
	cmd.Env = append(cmd.Environ(), "LC_ALL=C") // phrases are English
	cmd.Stdin = strings.NewReader(unit)
	var output beginning
	cmd.Stderr = &output
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return nil, nil
	case !exited:
		return nil, err
	case exit.ExitCode() < 0:
		return nil, fmt.Errorf("the compiler did not end by itself: %v", exit)
	}
	first := firstError(output.kept)
	return &first, nil
}

// beginning keeps the first maxOutputBytes of what is written.
type beginning struct{ kept []byte }

func (b *beginning) Write(p []byte) (int, error) {
	b.kept = append(b.kept, p[:min(len(p), maxOutputBytes-len(b.kept))]...)
	return len(p), nil
}
