//go:build !linux

package suite

import (
	"errors"
	"fmt"
	"io"
)

// HelperArgument is what makes a program call [Helper].
const HelperArgument = "zevent-test-helper"

// Helper fails: only Linux has the user namespaces that it is for.
func Helper(io.Writer) error {
	return fmt.Errorf("issuing ioctls for the parent: %w on this system; run on Linux", errors.ErrUnsupported)
}
