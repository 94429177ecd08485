package suite

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// Caller is one whom the module must refuse.
type Caller string

// The callers. Both have the device open already, so that it is the ioctls that refuse.
const (
	WithoutCapability Caller = "a thread of root without CAP_SYS_ADMIN"
	NamespaceRoot     Caller = "root of another user namespace"
)

// Answer is what an ioctl returned to a caller.
type Answer struct {
	Command zfscmd.Command
	Errno   syscall.Errno // 0 for success
}

// Restricted is a Target whose ioctls depend on who calls.
type Restricted interface {
	// AnswersTo has the caller issue NEXT, SEEK to the start, and CLEAR. The error is an
	// [ErrNoCaller] where this machine cannot make one.
	AnswersTo(Caller) ([]Answer, error)
	// Release is that of the loaded module.
	Release() (zevent.Release, error)
}

// ErrNoCaller tells that there is no such caller on this machine.
var ErrNoCaller = errors.New("no such caller here")

var noCapabilityCheck = permissionCheck("no-capability", "a caller without CAP_SYS_ADMIN", WithoutCapability)

var userNamespaceCheck = permissionCheck("user-namespace", "root of a user namespace other than the initial one", NamespaceRoot)

func permissionCheck(name, who string, caller Caller) Check {
	return Check{
		Name:    name,
		Asserts: "NEXT, SEEK and CLEAR answer EPERM to " + who + ", and the queue stays as it was.",
		Source:  "module/zfs/zfs_ioctl.c (zfs_secpolicy_config), module/os/linux/zfs/policy.c (secpolicy_sys_config), every release but 2.2.0 to 2.3.8 and 2.4.0 to 2.4.3 (CVE-2026-79619)",
		run:     func(p *probe) error { return p.wantRefused(caller) },
	}
}

func (p *probe) wantRefused(caller Caller) error {
	restricted, ok := p.target.(Restricted)
	if !ok {
		return &skipError{"this target serves every caller"}
	}
	if _, err := p.fill(1); err != nil {
		return err
	}
	before, err := p.deliver()
	if err != nil {
		return err
	}
	answers, err := restricted.AnswersTo(caller)
	switch {
	case errors.Is(err, ErrNoCaller):
		return &skipError{err.Error()}
	case err != nil:
		return fmt.Errorf("calling as %s: %w", caller, err)
	case len(answers) == 0:
		return fmt.Errorf("%s issued no ioctl", caller)
	}
	for _, a := range answers {
		if a.Errno == 0 && caller == NamespaceRoot {
			return servedNamespaceRoot(restricted, a)
		}
		if a.Errno != syscall.EPERM {
			return fmt.Errorf("%v by %s: got %s, want EPERM", a.Command, caller, errnoText(a.Errno))
		}
	}
	after, err := p.deliver()
	if err != nil {
		return err
	}
	if len(before) == 0 || len(after) < len(before) || string(after[0].Raw) != string(before[0].Raw) {
		return fmt.Errorf("of %d queued events, %d were left after %s called, want all", len(before), len(after), caller)
	}
	return nil
}

// servedNamespaceRoot tells the known fault of some releases from a new one. Distributions may have
// mended it in releases that are named here: then the check passes.
func servedNamespaceRoot(t Restricted, a Answer) error {
	release, err := t.Release()
	if err != nil {
		return err
	}
	if servesNamespaceRoot(release) {
		return &skipError{fmt.Sprintf("known fault CVE-2026-79619 of OpenZFS 2.2.0 to 2.3.8 and 2.4.0 to 2.4.3, which this %v has: %v serves root of any user namespace; "+
			"update OpenZFS, or let only root open /dev/zfs", release, a.Command)}
	}
	return fmt.Errorf("%v by %s: got success, want EPERM", a.Command, NamespaceRoot)
}

// servesNamespaceRoot: 2.2.0 brought the delegation of datasets to user namespaces, in which
// CAP_SYS_ADMIN was looked for from then on; 2.3.9 and 2.4.4 look at the zone first.
func servesNamespaceRoot(r zevent.Release) bool {
	return r.AtLeast(2, 2, 0) && !r.AtLeast(2, 3, 9) || r.AtLeast(2, 4, 0) && !r.AtLeast(2, 4, 4)
}

func errnoText(errno syscall.Errno) string {
	if errno == 0 {
		return "success"
	}
	return errno.Error()
}
