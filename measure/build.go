package measure

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Build builds a command as it is released: static, and without the paths of this machine.
func Build(ctx context.Context, command, binary string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, command)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w: %s", command, err, strings.TrimSpace(string(out)))
	}
	return nil
}
