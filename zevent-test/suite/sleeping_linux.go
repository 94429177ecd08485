package suite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// Sleeping implements [Sleepers] by what proc(5) says of this process's threads: a thread
// that is blocked in a system call shows its number and arguments.
func (t *DeviceTarget) Sleeping() (readers int, err error) {
	calls, err := filepath.Glob("/proc/self/task/*/syscall")
	if err != nil {
		return 0, err
	}
	for _, file := range calls {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // the thread has ended
		}
		if err != nil {
			return 0, fmt.Errorf("looking for a sleeping reader: %w; mount /proc, and use a kernel with CONFIG_HAVE_ARCH_TRACEHOOK", err)
		}
		if asleepInNext(string(text)) {
			readers++
		}
	}
	return readers, nil
}

// asleepInNext reads a file syscall: "16 0x7 0x5a81 …", or "running".
func asleepInNext(text string) bool {
	var call, fd, request int64
	n, _ := fmt.Sscanf(text, "%d %v %v", &call, &fd, &request)
	return n == 3 && call == unix.SYS_IOCTL && request == int64(zfscmd.EventsNext)
}
