package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// probeTimeout is ample: with working KVM a kernel reaches its init in a second or two.
const probeTimeout = 20 * time.Second

// ProbeKVM finds out whether KVM boots the kernel of c here, by booting it. The
// device alone proves nothing: nested virtualisation may offer one that runs no
// stock kernel. It returns KVM, or TCG and why not KVM.
func ProbeKVM(ctx context.Context, c Config) (Accel, string, error) {
	device, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return TCG, fmt.Sprintf("KVM cannot be used: %v", err), nil
	}
	device.Close()
	c.Accel, c.Timeout = KVM, probeTimeout
	c.Modules, c.Programs, c.Cache = nil, nil, ""
	_, err = Run(ctx, c)
	var failed *Error
	switch {
	case err == nil:
		return KVM, "KVM boots this kernel", nil
	case ctx.Err() != nil:
		return "", "", context.Cause(ctx)
	case errors.As(err, &failed):
		reason, _, _ := strings.Cut(failed.What, "\n")
		return TCG, "/dev/kvm is there, but booting this kernel with it failed: " + reason, nil
	}
	return "", "", err
}
