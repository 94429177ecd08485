package zfscmd

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestDoOnOtherFile(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	_, err = Do(int(r.Fd()), EventsNext, Args{Dst: make([]byte, 64)})
	if errors.Is(err, syscall.ENOSYS) {
		t.Skipf("this is no kernel but qemu-user, which passes on only ioctls that it knows: %v", err)
	}
	if !errors.Is(err, syscall.ENOTTY) || !strings.Contains(err.Error(), "open /dev/zfs") {
		t.Errorf("got error %v, want ENOTTY with its remedy", err)
	}
	if _, err := Do(-1, EventsClear, Args{}); !errors.Is(err, syscall.EBADF) {
		t.Errorf("descriptor -1: got error %v, want EBADF", err)
	}
	if _, err := Do(int(r.Fd()), PoolCreate, Args{Name: "\x00"}); err == nil || errors.Is(err, syscall.ENOTTY) {
		t.Errorf("name with NUL: got error %v, want one before the ioctl", err)
	}
}
