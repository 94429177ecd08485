package zevent_test

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// TestKernelDeviceOnAnotherDevice needs no module: a device that is not ZFS
// answers ENOTTY to each of the ioctls.
func TestKernelDeviceOnAnotherDevice(t *testing.T) {
	d, err := zevent.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	_, _, nextErr := d.Next(make([]byte, 16), zevent.Nonblock)
	_, clearErr := d.Clear()
	if errors.Is(clearErr, syscall.ENOSYS) {
		t.Skipf("user-mode emulation: %v", clearErr)
	}
	for call, err := range map[string]error{"Next": nextErr, "Clear": clearErr, "Seek": d.Seek(zevent.SeekStart)} {
		if !errors.Is(err, syscall.ENOTTY) || !errors.Is(err, zevent.ErrNotZFS) {
			t.Errorf("%s: got error %v, want ErrNotZFS, of ENOTTY", call, err)
		}
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
