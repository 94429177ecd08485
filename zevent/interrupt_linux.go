package zevent

import (
	"context"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// callInterruptibly calls f, which may sleep in the kernel, and from the end
// of one of the contexts on sends f's thread signals until f has returned. No
// goroutine or thread remains.
func callInterruptibly(f func(), ends ...context.Context) {
	runtime.LockOSThread() // the thread lives, and is f's, as long as signals are sent
	defer runtime.UnlockOSThread()
	thread := unix.Gettid()
	returned := make(chan struct{})
	var signalling sync.WaitGroup
	defer signalling.Wait()
	for _, end := range ends {
		signalling.Add(1)
		stop := context.AfterFunc(end, func() {
			defer signalling.Done()
			signalUntil(returned, thread)
		})
		defer func() {
			if stop() {
				signalling.Done()
			}
		}()
	}
	defer close(returned)
	f()
}

// signalUntil repeats the signal, as one that comes before f sleeps ends
// nothing.
func signalUntil(returned <-chan struct{}, thread int) {
	const shortest, longest = time.Millisecond, 100 * time.Millisecond
	for pause := shortest; ; pause = min(2*pause, longest) {
		_ = unix.Tgkill(unix.Getpid(), thread, unix.SIGURG)
		select {
		case <-returned:
			return
		case <-time.After(pause):
		}
	}
}

func dupFD(fd int) (int, error) {
	return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
}
