package zevent

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// deviceAnswering is a KernelDevice whose ioctls are answered here.
func deviceAnswering(t testing.TB, answer func(zfscmd.Command, zfscmd.Args) (zfscmd.Reply, error)) *KernelDevice {
	t.Helper()
	d, err := Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	d.ioctl = func(_ int, c zfscmd.Command, args zfscmd.Args) (zfscmd.Reply, error) { return answer(c, args) }
	return d
}

// sleeping answers NEXT as a module without events: it sleeps in the kernel
// until a signal comes, which no SA_RESTART hides from poll(2).
func sleeping(c zfscmd.Command, args zfscmd.Args) (zfscmd.Reply, error) {
	errno := syscall.ENOENT
	if args.GUID&uint64(Nonblock) == 0 {
		_, err := unix.Poll(nil, -1)
		errors.As(err, &errno)
	}
	return zfscmd.Reply{}, &zfscmd.Error{Command: c, Errno: errno}
}

func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

// A wait ends with its context, whenever that ends, and nothing is left of it.
func TestWaitEndsWithContext(t *testing.T) {
	d := deviceAnswering(t, sleeping)
	defer d.Close()
	wait := func(ctx context.Context) { // before, while and after the thread falls asleep
		_, err := NewClient(d).Wait(ctx)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want context.Canceled", err)
		}
	}
	round := func() {
		for pause := range 10 {
			ctx, cancel := context.WithCancel(t.Context())
			var ended sync.WaitGroup
			ended.Go(func() { wait(ctx) })
			time.Sleep(time.Duration(pause) * 100 * time.Microsecond) // to vary the moment; none is wrong
			cancel()
			ended.Wait()
		}
	}
	round()
	goroutines, tasks := runtime.NumGoroutine(), threads(t)
	for range 20 {
		round()
	}
	for attempt := 0; runtime.NumGoroutine() > goroutines; attempt++ { // one may be about to return
		if attempt == 1000 {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
		}
		time.Sleep(time.Millisecond)
	}
	if now := threads(t); now > tasks+10 { // the runtime keeps some, as many as were used at once
		t.Errorf("%d threads after 200 more waits, %d before", now, tasks)
	}
}

func TestNextWaitEndsWithClose(t *testing.T) {
	for name, wait := range map[string]func(*KernelDevice) error{
		"NextWait": func(d *KernelDevice) error { _, _, err := d.NextWait(t.Context(), nil); return err },
		"Next":     func(d *KernelDevice) error { _, _, err := d.Next(nil, 0); return err },
	} {
		asleep := make(chan struct{})
		d := deviceAnswering(t, func(c zfscmd.Command, args zfscmd.Args) (zfscmd.Reply, error) {
			close(asleep)
			return sleeping(c, args)
		})
		ended := make(chan error)
		go func() { ended <- wait(d) }()
		<-asleep
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, ErrInterrupted) || !errors.Is(err, syscall.EINTR) {
			t.Errorf("%s: got error %v, want ErrInterrupted", name, err)
		}
		if _, _, err := d.Next(nil, Nonblock); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: after Close: got error %v, want os.ErrClosed", name, err)
		}
	}
}

// An event that comes when the context has ended is not lost.
func TestNextWaitPrefersTheEvent(t *testing.T) {
	d := deviceAnswering(t, func(zfscmd.Command, zfscmd.Args) (zfscmd.Reply, error) {
		return zfscmd.Reply{DstBytes: 3, DstFilled: true, Cookie: 2}, nil
	})
	defer d.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, dropped, err := d.NextWait(ctx, make([]byte, 8)); n != 3 || dropped != 2 || err != nil {
		t.Errorf("got %d bytes, dropped %d, %v", n, dropped, err)
	}
}

func TestErrnosHaveKinds(t *testing.T) {
	tests := []struct {
		errno syscall.Errno
		kind  error
		hint  string
	}{
		{syscall.EPERM, ErrNotPermitted, "initial user namespace"},
		{syscall.EBADF, ErrBadDescriptor, "zc_cleanup_fd"},
		{syscall.ENOTTY, ErrNotZFS, "open /dev/zfs"},
		{syscall.EINTR, ErrInterrupted, "call again"},
		{syscall.EFAULT, ErrEventLost, "gap in the EIDs"},
		{syscall.ESHUTDOWN, ErrShutdown, "loaded again"},
		{syscall.ENODEV, ErrShutdown, "loaded again"},
		{syscall.EINVAL, ErrUnsupported, "before 0.6.3"},
		{1029, ErrUnsupported, "ZFS_ERR_IOC_CMD_UNAVAIL"},
		{syscall.EIO, syscall.EIO, "input/output error"},
	}
	for _, test := range tests {
		d := deviceAnswering(t, func(c zfscmd.Command, _ zfscmd.Args) (zfscmd.Reply, error) {
			return zfscmd.Reply{}, &zfscmd.Error{Command: c, Errno: test.errno}
		})
		_, _, nextErr := d.Next(nil, Nonblock)
		_, clearErr := d.Clear()
		for op, err := range map[string]error{"reading the next event": nextErr, "clearing the event queue": clearErr, "seeking to EID 7": d.Seek(7)} {
			var typed *DeviceError
			if !errors.As(err, &typed) || !errors.Is(err, test.kind) || !errors.Is(err, test.errno) {
				t.Errorf("errno %d: %s: got error %v, want a DeviceError of kind %v", test.errno, op, err, test.kind)
				continue
			}
			if text := err.Error(); !strings.HasPrefix(text, op+": "+os.DevNull+": ") || !strings.Contains(text, test.hint) {
				t.Errorf("errno %d: got %q, want %s... with %q", test.errno, text, op, test.hint)
			}
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestErrnosOfOpenHaveKinds(t *testing.T) {
	for errno, want := range map[syscall.Errno]error{
		syscall.ENOENT: ErrNoModule, syscall.ENODEV: ErrNoModule,
		syscall.EPERM: ErrNotPermitted, syscall.EACCES: ErrNotPermitted,
		syscall.EISDIR: ErrNotZFS,
		syscall.ENXIO:  ErrTooManyOpen, syscall.EMFILE: ErrTooManyOpen, syscall.ENFILE: ErrTooManyOpen,
	} {
		err := deviceError("opening", "/dev/zfs", &os.PathError{Op: "open", Path: "/dev/zfs", Err: errno}, openMeanings)
		if !errors.Is(err, want) || !errors.Is(err, errno) || !strings.Contains(err.Error(), "; ") {
			t.Errorf("%v: got error %v, want one of kind %q that says what to do", errno, err, want)
		}
	}
}

// What is no refusal but part of reading has no DeviceError.
func TestAnswers(t *testing.T) {
	errno, reply := syscall.ENOENT, zfscmd.Reply{}
	d := deviceAnswering(t, func(c zfscmd.Command, _ zfscmd.Args) (zfscmd.Reply, error) {
		if errno == 0 {
			return reply, nil
		}
		return reply, &zfscmd.Error{Command: c, Errno: errno, NeedBytes: 336}
	})
	defer d.Close()
	if _, _, err := d.Next(nil, Nonblock); err != ErrEmpty {
		t.Errorf("NEXT, ENOENT: got error %v, want ErrEmpty", err)
	}
	if err := d.Seek(7); !errors.Is(err, ErrUnknownEID) {
		t.Errorf("SEEK, ENOENT: got error %v, want ErrUnknownEID", err)
	}
	errno = syscall.ENOMEM
	var small *BufferTooSmallError
	if _, _, err := d.Next(nil, Nonblock); !errors.As(err, &small) || small.NeedBytes != 336 {
		t.Errorf("NEXT, ENOMEM: got error %v, want a need of 336 bytes", err)
	}
	errno = 0
	for _, absurd := range []zfscmd.Reply{{DstBytes: 9, DstFilled: true}, {DstBytes: 1}} {
		reply = absurd
		if _, _, err := d.Next(make([]byte, 8), Nonblock); err == nil || !strings.Contains(err.Error(), "the module reports") {
			t.Errorf("%+v: got error %v, want a refusal", absurd, err)
		}
	}
}

func TestDupOfKernelDevice(t *testing.T) {
	d, err := Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	twin, err := d.Dup()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := twin.Clear(); !errors.Is(err, ErrNotZFS) && !errors.Is(err, syscall.ENOSYS) { // of qemu-user
		t.Errorf("the duplicate after Close of the first: got error %v, want ErrNotZFS", err)
	}
	if err := twin.Close(); err != nil {
		t.Error(err)
	}
	if _, err := d.Dup(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Dup after Close: got error %v, want os.ErrClosed", err)
	}
}
