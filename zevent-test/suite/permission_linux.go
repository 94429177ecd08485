package suite

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// AnswersTo implements [Restricted].
func (t *DeviceTarget) AnswersTo(caller Caller) ([]Answer, error) {
	device, err := os.OpenFile(t.devicePath, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer device.Close()
	if caller == NamespaceRoot {
		return t.answersToNamespaceRoot(device)
	}
	return answersWithoutCapability(int(device.Fd()))
}

// eventsAnswers issues the ioctls of the queue. What they do, where they are wrongly let
// through, is for the check to see.
func eventsAnswers(fd int) ([]Answer, error) {
	var answers []Answer
	for _, c := range []zfscmd.Command{zfscmd.EventsNext, zfscmd.EventsSeek, zfscmd.EventsClear} {
		args := zfscmd.Args{CleanupFD: fd}
		if c == zfscmd.EventsNext {
			args.GUID, args.Dst = uint64(zevent.Nonblock), make([]byte, zevent.MaxEventBytes)
		}
		_, err := zfscmd.Do(fd, c, args)
		var refusal *zfscmd.Error
		switch {
		case errors.As(err, &refusal):
			answers = append(answers, Answer{c, refusal.Errno})
		case err != nil:
			return nil, err
		default:
			answers = append(answers, Answer{Command: c})
		}
	}
	return answers, nil
}

// answersWithoutCapability gives a capability of the calling thread up and takes it back:
// on Linux each thread has its own (capabilities(7)).
func answersWithoutCapability(fd int) (answers []Answer, err error) {
	runtime.LockOSThread() // and unlocked only with the capability back, as else the thread has to end
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var had [2]unix.CapUserData
	if err := unix.Capget(&header, &had[0]); err != nil {
		return nil, fmt.Errorf("reading the capabilities of a thread: %w", err)
	}
	less := had
	less[0].Effective &^= 1 << unix.CAP_SYS_ADMIN
	if err := unix.Capset(&header, &less[0]); err != nil {
		return nil, fmt.Errorf("giving up CAP_SYS_ADMIN: %w", err)
	}
	answers, err = eventsAnswers(fd)
	if err := unix.Capset(&header, &had[0]); err != nil {
		return nil, fmt.Errorf("taking CAP_SYS_ADMIN back: %w", err)
	}
	runtime.UnlockOSThread()
	return answers, err
}

// HelperArgument as the only argument of a program means that it is to call [Helper] and exit.
// A process of its own is needed as one with several threads cannot enter a user namespace.
const HelperArgument = "zevent-test-helper"

// helperFD is the descriptor of the device in the helper.
const helperFD = 3

// Helper issues the ioctls of the queue on the descriptor that its parent opened, and writes
// the answers.
func Helper(w io.Writer) error {
	answers, err := eventsAnswers(helperFD)
	if err != nil {
		return fmt.Errorf("issuing ioctls for the parent: %w", err)
	}
	return json.NewEncoder(w).Encode(answers)
}

func (t *DeviceTarget) answersToNamespaceRoot(device *os.File) ([]Answer, error) {
	if t.Helper == "" {
		return nil, fmt.Errorf("%w: this program cannot start itself in a user namespace; run zevent-test", ErrNoCaller)
	}
	cmd := exec.Command(t.Helper, HelperArgument)
	cmd.ExtraFiles = []*os.File{device} // the first is descriptor 3
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	case err != nil:
		return nil, fmt.Errorf("%w: user namespaces cannot be made: %w", ErrNoCaller, err)
	}
	var answers []Answer
	if err := json.Unmarshal(stdout.Bytes(), &answers); err != nil {
		return nil, fmt.Errorf("reading the helper's answers: %w", err)
	}
	return answers, nil
}
