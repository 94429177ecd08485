package suite_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent-test/suite"
	"github.com/kmodaudit/kmodaudit/zevent/differential"
	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// brokenTarget is an emulated queue with one fault.
type brokenTarget struct {
	*suite.EmulatedTarget
	wrap  func(zevent.Device) (zevent.Device, error)
	raise func(suite.Raised) suite.Raised
	limit func(uint64) uint64
	pool  func(suite.Pool) suite.Pool
}

func (t *brokenTarget) SetLimit(events uint64) (uint64, error) {
	if t.limit != nil {
		events = t.limit(events)
	}
	return t.EmulatedTarget.SetLimit(events)
}

func (t *brokenTarget) CreatePool(ctx context.Context) (suite.Pool, error) {
	pool, err := t.EmulatedTarget.CreatePool(ctx)
	if err == nil && t.pool != nil {
		pool = t.pool(pool)
	}
	return pool, err
}

func (t *brokenTarget) StandingPool(ctx context.Context) (suite.Pool, error) {
	pool, err := t.EmulatedTarget.StandingPool(ctx)
	if err == nil && t.pool != nil {
		pool = t.pool(pool)
	}
	return pool, err
}

// pool replaces single methods of a Pool; nil ones are kept.
type pool struct {
	suite.Pool
	vdev    func() uint64
	do      func(suite.Operation) error
	destroy func() error
}

func (p *pool) Vdev() uint64 {
	if p.vdev == nil {
		return p.Pool.Vdev()
	}
	return p.vdev()
}

func (p *pool) Do(o suite.Operation) error {
	if p.do == nil {
		return p.Pool.Do(o)
	}
	return p.do(o)
}

func (p *pool) Destroy() error {
	if p.destroy == nil {
		return p.Pool.Destroy()
	}
	return p.destroy()
}

// pools returns a target that sets methods of each pool.
func pools(set func(p *pool)) func() *brokenTarget {
	return func() *brokenTarget {
		return &brokenTarget{EmulatedTarget: suite.NewEmulatedTarget(nil, ""), pool: func(inner suite.Pool) suite.Pool {
			p := &pool{Pool: inner}
			set(p)
			return p
		}}
	}
}

// idle returns a target whose pools do nothing when an operation is asked for.
func idle(operation suite.Operation) func() *brokenTarget {
	return pools(func(p *pool) {
		p.do = func(o suite.Operation) error {
			if o == operation {
				return nil
			}
			return p.Pool.Do(o)
		}
	})
}

func (t *brokenTarget) Open() (zevent.Device, error) {
	d, err := t.EmulatedTarget.Open()
	if err != nil || t.wrap == nil {
		return d, err
	}
	return t.wrap(d)
}

func (t *brokenTarget) Raise(ctx context.Context) (suite.Raised, error) {
	r, err := t.EmulatedTarget.Raise(ctx)
	if t.raise != nil {
		r = t.raise(r)
	}
	return r, err
}

// device replaces single methods of a Device; nil ones are kept.
type device struct {
	zevent.Device
	next  func(buf []byte, flags zevent.NextFlags) (int, uint64, error)
	clear func() (uint64, error)
	seek  func(uint64) error
	wait  func(ctx context.Context, buf []byte) (int, uint64, error)
	dup   func() (zevent.Device, error)
	close func() error
}

func (d *device) NextWait(ctx context.Context, buf []byte) (int, uint64, error) {
	if d.wait == nil {
		return d.Device.(zevent.Waiter).NextWait(ctx, buf)
	}
	return d.wait(ctx, buf)
}

func (d *device) Dup() (zevent.Device, error) {
	if d.dup == nil {
		return d.Device.(zevent.Duplicator).Dup()
	}
	return d.dup()
}

func (d *device) Next(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
	if d.next == nil {
		return d.Device.Next(buf, flags)
	}
	return d.next(buf, flags)
}

func (d *device) Clear() (uint64, error) {
	if d.clear == nil {
		return d.Device.Clear()
	}
	return d.clear()
}

func (d *device) Seek(eid uint64) error {
	if d.seek == nil {
		return d.Device.Seek(eid)
	}
	return d.seek(eid)
}

func (d *device) Close() error {
	if d.close == nil {
		return d.Device.Close()
	}
	return d.close()
}

// faulty returns a wrapper that sets methods of each descriptor.
func faulty(set func(d *device)) func(zevent.Device) (zevent.Device, error) {
	return func(inner zevent.Device) (zevent.Device, error) {
		return newFaulty(inner, set), nil
	}
}

// newFaulty gives duplicates the same fault.
func newFaulty(inner zevent.Device, set func(d *device)) *device {
	d := &device{Device: inner}
	d.dup = func() (zevent.Device, error) {
		other, err := d.Device.(zevent.Duplicator).Dup()
		return newFaulty(other, set), err
	}
	set(d)
	return d
}

// altered returns a wrapper that changes what Next delivered.
func altered(change func(event []byte)) func(zevent.Device) (zevent.Device, error) {
	return faulty(func(d *device) {
		d.next = func(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
			n, dropped, err := d.Device.Next(buf, flags)
			change(buf[:n])
			return n, dropped, err
		}
		d.wait = func(ctx context.Context, buf []byte) (int, uint64, error) {
			n, dropped, err := d.Device.(zevent.Waiter).NextWait(ctx, buf)
			change(buf[:n])
			return n, dropped, err
		}
	})
}

// waits returns a wrapper that changes what a NEXT that can sleep returns.
func waits(change func(d *device, buf []byte, n int, err error) (int, error)) func(zevent.Device) (zevent.Device, error) {
	return faulty(func(d *device) {
		d.wait = func(ctx context.Context, buf []byte) (int, uint64, error) {
			n, dropped, err := d.Device.(zevent.Waiter).NextWait(ctx, buf)
			n, err = change(d, buf, n, err)
			return n, dropped, err
		}
	})
}

// smallBuffers returns a wrapper that changes the answer ENOMEM.
func smallBuffers(answer func(d zevent.Device, small *zevent.BufferTooSmallError) error) func(zevent.Device) (zevent.Device, error) {
	return faulty(func(d *device) {
		d.next = func(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
			n, dropped, err := d.Device.Next(buf, flags)
			var small *zevent.BufferTooSmallError
			if errors.As(err, &small) {
				err = answer(d.Device, small)
			}
			return n, dropped, err
		}
	})
}

// lastEIDByte is where the low byte of eid stands in an event of the emulator
// on a little-endian machine: the value before the terminator.
func lastEIDByte(event []byte) int { return len(event) - 12 }

func TestEveryCheckCanFail(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		t.Skip("the faults are of a little-endian machine")
	}
	skipped := deviceOnly()
	var all []string // on the emulator
	for _, c := range suite.Checks() {
		if !skipped[c.Name] && c.Name != "open" {
			all = append(all, c.Name)
		}
	}
	tests := []struct {
		name  string
		fault func() *brokenTarget
		want  []string // the checks that must fail; others must not
	}{
		{"open fails", wrapped(func(zevent.Device) (zevent.Device, error) { return nil, syscall.ENXIO }), append([]string{"open"}, all...)},
		{"close fails", wrapped(faulty(func(d *device) {
			d.close = func() error { return syscall.EIO }
		})), append([]string{"open"}, all...)},
		{"clear fails", wrapped(faulty(func(d *device) {
			d.clear = func() (uint64, error) { return 0, syscall.EIO }
		})), all},
		{"clear does nothing", wrapped(faulty(func(d *device) {
			d.clear = func() (uint64, error) { return 0, nil }
		})), []string{"blocking-eintr", "blocking-wakes", "clear", "clear-seen-by-all", "empty-enoent", "overflow", "seek"}},
		{"clear counts without clearing", wrapped(faulty(func(d *device) {
			first := true
			d.clear = func() (uint64, error) {
				if first {
					first = false
					return 1, nil
				}
				return 0, nil
			}
		})), []string{"blocking-eintr", "blocking-wakes", "clear-seen-by-all", "empty-enoent", "overflow", "seek"}},
		{"clear always counts one", wrapped(faulty(func(d *device) {
			d.clear = func() (uint64, error) {
				_, err := d.Device.Clear()
				return 1, err
			}
		})), []string{"clear", "overflow"}},
		{"an empty queue answers EAGAIN", wrapped(faulty(func(d *device) {
			d.next = func(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
				n, dropped, err := d.Device.Next(buf, flags)
				if errors.Is(err, zevent.ErrEmpty) {
					err = syscall.EAGAIN
				}
				return n, dropped, err
			}
		})), []string{"clear-seen-by-all", "empty-enoent", "order", "overflow", "raise-and-read", "seek", "shared-cursor", "stress"}},
		{"the first event is swallowed", wrapped(faulty(func(d *device) {
			d.next = swallowOne(d.Device)
		})), []string{"blocking-eintr", "blocking-wakes", "clear-seen-by-all", "independent-cursors", "inject-checksum", "inject-io", "order", "overflow", "payload", "pool-clear", "pool-create-destroy", "pool-export-import", "pool-offline-online", "pool-scrub", "raise-and-read", "seek", "shared-cursor", "small-buffer", "stress"}},
		{"an event is delivered for ever", wrapped(faulty(func(d *device) {
			d.next = func(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
				n, dropped, err := d.Device.Next(buf, flags)
				return n, dropped, errors.Join(err, d.Device.Seek(zevent.SeekStart))
			}
		})), []string{"clear-seen-by-all", "independent-cursors", "inject-checksum", "inject-io", "order", "overflow", "payload", "pool-clear", "pool-create-destroy", "pool-export-import", "pool-offline-online", "pool-scrub", "raise-and-read", "seek", "shared-cursor", "stress"}},
		{"the EID is another", wrapped(altered(func(e []byte) {
			if len(e) > 0 {
				e[lastEIDByte(e)] ^= 0x40
			}
		})), []string{"raise-and-read", "seek"}},
		{"the EID is 0", wrapped(altered(func(e []byte) {
			if len(e) > 0 {
				e[lastEIDByte(e)] = 0
			}
		})), []string{"order", "overflow", "raise-and-read", "seek", "stress"}},
		{"EIDs descend", wrapped(altered(func(e []byte) {
			if len(e) > 0 {
				e[lastEIDByte(e)] = ^e[lastEIDByte(e)]
			}
		})), []string{"order", "overflow", "raise-and-read", "seek"}},
		{"padding is not zero", wrapped(altered(func(e []byte) {
			if len(e) > 0 {
				e[35+16] = 1 // behind the value of the uint8 named version
			}
		})), []string{"inject-checksum", "inject-io", "payload", "raise-and-read", "stress"}},
		{"the event does not decode", wrapped(altered(func(e []byte) {
			if len(e) > 0 {
				e[0] = 1
			}
		})), []string{"blocking-eintr", "blocking-wakes", "clear-seen-by-all", "independent-cursors", "inject-checksum", "inject-io", "order", "overflow", "payload", "pool-clear", "pool-create-destroy", "pool-export-import", "pool-offline-online", "pool-scrub", "raise-and-read", "seek", "shared-cursor", "small-buffer", "stress"}},
		{"the pool is another", raises(func(r suite.Raised) suite.Raised { r.Pool = "other"; return r }), []string{"order", "raise-and-read"}},
		{"the class is another", raises(func(r suite.Raised) suite.Raised { r.Class = "other"; return r }), []string{"order", "raise-and-read"}},
		{"the time is past", raises(func(r suite.Raised) suite.Raised {
			r.NotBefore, r.NotAfter = r.NotBefore.Add(time.Hour), r.NotAfter.Add(time.Hour)
			return r
		}), []string{"raise-and-read"}},
		{"ENOMEM asks for less", wrapped(smallBuffers(func(_ zevent.Device, small *zevent.BufferTooSmallError) error {
			return &zevent.BufferTooSmallError{NeedBytes: small.NeedBytes - 1}
		})), []string{"small-buffer"}},
		{"ENOMEM asks for more", wrapped(smallBuffers(func(_ zevent.Device, small *zevent.BufferTooSmallError) error {
			return &zevent.BufferTooSmallError{NeedBytes: small.NeedBytes + 1}
		})), []string{"small-buffer"}},
		{"ENOMEM moves the cursor", wrapped(smallBuffers(func(d zevent.Device, small *zevent.BufferTooSmallError) error {
			_, _, err := d.Next(make([]byte, small.NeedBytes), zevent.Nonblock)
			return errors.Join(small, err)
		})), []string{"small-buffer"}},
		{"a small buffer is EFAULT", wrapped(smallBuffers(func(zevent.Device, *zevent.BufferTooSmallError) error {
			return syscall.EFAULT
		})), []string{"small-buffer"}},
		{"seek does nothing", wrapped(faulty(func(d *device) {
			d.seek = func(uint64) error { return nil }
		})), []string{"seek", "shared-cursor"}},
		{"seek to an unknown EID succeeds", wrapped(faulty(func(d *device) {
			d.seek = func(eid uint64) error {
				err := d.Device.Seek(eid)
				if errors.Is(err, zevent.ErrUnknownEID) {
					err = nil
				}
				return err
			}
		})), []string{"seek"}},
		{"seek to an unknown EID moves the cursor", wrapped(faulty(func(d *device) {
			d.seek = func(eid uint64) error {
				err := d.Device.Seek(eid)
				if err != nil {
					err = errors.Join(err, d.Device.Seek(zevent.SeekStart))
				}
				return err
			}
		})), []string{"seek"}},
		{"seek to the end goes to the start", wrapped(faulty(func(d *device) {
			d.seek = func(eid uint64) error {
				if eid == zevent.SeekEnd {
					eid = zevent.SeekStart
				}
				return d.Device.Seek(eid)
			}
		})), []string{"seek"}},
		{"drops are not counted", wrapped(faulty(func(d *device) {
			d.next = func(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
				n, _, err := d.Device.Next(buf, flags)
				return n, 0, err
			}
		})), []string{"clear-seen-by-all", "overflow"}},
		{"a duplicate has a cursor of its own", separateCursors, []string{"shared-cursor"}},
		{"closing a duplicate rewinds", wrapped(faulty(func(d *device) {
			d.dup = func() (zevent.Device, error) {
				other, err := d.Device.(zevent.Duplicator).Dup()
				return &device{Device: other, close: func() error { return errors.Join(other.Seek(zevent.SeekEnd), other.Close()) }}, err
			}
		})), []string{"shared-cursor"}},
		{"NEXT never sleeps", wrapped(faulty(func(d *device) {
			d.wait = func(context.Context, []byte) (int, uint64, error) { return 0, 0, zevent.ErrEmpty }
		})), []string{"blocking-eintr", "blocking-wakes", "stress"}},
		{"a post does not wake", wrapped(faulty(func(d *device) {
			d.wait = func(ctx context.Context, buf []byte) (int, uint64, error) {
				n, dropped, err := d.Device.(zevent.Waiter).NextWait(ctx, buf)
				if err == nil {
					<-ctx.Done()
					return 0, 0, zevent.ErrInterrupted
				}
				return n, dropped, err
			}
		})), []string{"blocking-wakes", "stress"}},
		{"a signal is another error", wrapped(waits(func(_ *device, _ []byte, n int, err error) (int, error) {
			if errors.Is(err, syscall.EINTR) {
				err = syscall.EIO
			}
			return n, err
		})), []string{"blocking-eintr"}},
		{"a signal restarts the call", wrapped(faulty(func(d *device) {
			d.wait = func(_ context.Context, buf []byte) (int, uint64, error) {
				return d.Device.(zevent.Waiter).NextWait(context.Background(), buf)
			}
		})), []string{"blocking-eintr"}},
		{"a signal passes an event", wrapped(waits(func(d *device, _ []byte, n int, err error) (int, error) {
			if errors.Is(err, syscall.EINTR) {
				d.next = swallowOne(d.Device)
			}
			return n, err
		})), []string{"blocking-eintr"}},
		{"a blocked reader is passed over", wrapped(waits(func(d *device, buf []byte, n int, err error) (int, error) {
			if m, _, again := d.Device.Next(buf, zevent.Nonblock); err == nil && again == nil {
				n = m
			}
			return n, err
		})), []string{"stress"}},
		{"a blocked reader is given events twice", wrapped(waits(func(d *device, _ []byte, n int, err error) (int, error) {
			return n, errors.Join(err, d.Device.Seek(zevent.SeekStart))
		})), []string{"stress"}},
		{"a blocked reader is given another event", wrapped(waits(func(_ *device, buf []byte, n int, err error) (int, error) {
			if n > 0 {
				buf[lastEIDByte(buf[:n])] ^= 0x40
			}
			return n, err
		})), []string{"blocking-wakes", "stress"}},
		{"the length of the queue is kept", limits(func(uint64) uint64 { return 512 }), []string{"overflow"}},
		{"the queue is one shorter", limits(func(events uint64) uint64 { return events - 1 }), []string{"overflow"}},
		{"the queue is one longer", limits(func(events uint64) uint64 { return events + 1 }), []string{"overflow"}},
		{"destroying posts nothing", pools(func(p *pool) {
			p.destroy = func() error { return nil }
		}), []string{"payload", "pool-create-destroy"}},
		{"exporting posts nothing", idle(suite.Export), []string{"payload", "pool-export-import"}},
		{"importing posts nothing", idle(suite.Import), []string{"payload", "pool-export-import"}},
		{"scrubbing posts nothing", idle(suite.Scrub), []string{"inject-checksum", "inject-io", "payload", "pool-scrub", "stress"}},
		{"going offline posts nothing", idle(suite.Offline), []string{"payload", "pool-offline-online"}},
		{"going online posts nothing", idle(suite.Online), []string{"payload", "pool-offline-online"}},
		{"degrading posts nothing", idle(suite.Degrade), []string{"payload", "pool-clear"}},
		{"clearing posts nothing", idle(suite.Clear), []string{"payload", "pool-clear"}},
		{"posting posts nothing", idle(suite.Post), []string{"overflow", "stress"}},
		{"no read fails", idle(suite.FailReads), []string{"inject-io", "payload", "stress"}},
		{"no bit is flipped", idle(suite.FlipReads), []string{"inject-checksum", "payload"}},
		{"operations are refused", pools(func(p *pool) {
			p.do = func(suite.Operation) error { return syscall.EBUSY }
		}), []string{"inject-checksum", "inject-io", "overflow", "payload", "pool-clear", "pool-export-import", "pool-offline-online", "pool-scrub", "stress"}},
		{"events are of another leaf", pools(func(p *pool) {
			p.vdev = func() uint64 { return 7 }
		}), []string{"inject-checksum", "inject-io", "payload", "pool-clear", "pool-offline-online", "stress"}},
		{"a pair has another name", wrapped(altered(func(e []byte) {
			if i := bytes.Index(e, []byte("pool_state")); i >= 0 {
				e[i] = 'P'
			}
		})), []string{"payload"}},
		{"a state has another value", wrapped(altered(func(e []byte) {
			if i := bytes.Index(e, []byte("vdev_state")); i >= 0 {
				e[i+len("vdev_state")+6]++
			}
		})), []string{"payload", "pool-clear", "pool-offline-online"}},
		{"descriptors share a cursor", sharedCursor, []string{"blocking-eintr", "blocking-wakes", "clear-seen-by-all", "independent-cursors", "overflow", "shared-cursor", "small-buffer", "stress"}},
	}
	failed := map[string]bool{}
	for _, test := range tests {
		for _, name := range test.want {
			failed[name] = true
		}
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // whose patience takes no time
				got := failing(t, test.fault())
				slices.Sort(test.want)
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("checks that failed (-want +got):\n%s", diff)
				}
			})
		})
	}
	for _, c := range suite.Checks() {
		if !failed[c.Name] && !skipped[c.Name] { // see TestDeviceOnlyChecks
			t.Errorf("no fault makes %s fail", c.Name)
		}
	}
}

// failing runs all checks and returns those that fail.
func failing(t *testing.T, target suite.Target) (names []string) {
	for r := range suite.Run(t.Context(), target, suite.Checks()) {
		if r.Status != suite.Fail {
			continue
		}
		names = append(names, r.Name)
		if r.Detail == "" {
			t.Errorf("%s failed without a detail", r.Name)
		}
	}
	slices.Sort(names)
	return names
}

func wrapped(wrap func(zevent.Device) (zevent.Device, error)) func() *brokenTarget {
	return func() *brokenTarget {
		return &brokenTarget{EmulatedTarget: suite.NewEmulatedTarget(nil, ""), wrap: wrap}
	}
}

// swallowOne returns a Next that passes one event over.
func swallowOne(inner zevent.Device) func([]byte, zevent.NextFlags) (int, uint64, error) {
	swallowed := false
	return func(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
		if !swallowed {
			swallowed = true
			if n, dropped, err := inner.Next(make([]byte, zevent.MaxEventBytes), flags); err != nil {
				return n, dropped, err
			}
		}
		return inner.Next(buf, flags)
	}
}

func limits(change func(uint64) uint64) func() *brokenTarget {
	return func() *brokenTarget {
		return &brokenTarget{EmulatedTarget: suite.NewEmulatedTarget(nil, ""), limit: change}
	}
}

// separateCursors opens the queue anew for a duplicate.
func separateCursors() *brokenTarget {
	t := &brokenTarget{EmulatedTarget: suite.NewEmulatedTarget(nil, "")}
	t.wrap = faulty(func(d *device) { d.dup = t.EmulatedTarget.Open })
	return t
}

func raises(change func(suite.Raised) suite.Raised) func() *brokenTarget {
	return func() *brokenTarget {
		return &brokenTarget{EmulatedTarget: suite.NewEmulatedTarget(nil, ""), raise: change}
	}
}

// sharedCursor gives every open the same descriptor, which never closes.
func sharedCursor() *brokenTarget {
	var shared zevent.Device
	return wrapped(func(d zevent.Device) (zevent.Device, error) {
		if shared == nil {
			shared = &device{Device: d, close: func() error { return nil }}
		}
		return shared, nil
	})()
}

// fakeDevice is an emulated queue that answers what only a device is asked.
type fakeDevice struct {
	*suite.EmulatedTarget
	cleanupFD error
	unknown   error
	release   zevent.Release
	unload    error
	answers   func(*fakeDevice) ([]suite.Answer, error)
	compared  func() (*differential.Difference, error)
}

// newFakeDevice answers as a module of today does.
func newFakeDevice() *fakeDevice {
	return &fakeDevice{
		EmulatedTarget: suite.NewEmulatedTarget(nil, ""),
		cleanupFD:      syscall.EBADF,
		unknown:        zfscmd.ErrnoUnavailable,
		release:        zevent.Release{Major: 2, Minor: 4, Patch: 4},
		unload:         syscall.EWOULDBLOCK,
		answers:        refuseAll(syscall.EPERM),
		compared:       func() (*differential.Difference, error) { return nil, nil },
	}
}

func refuseAll(errno syscall.Errno) func(*fakeDevice) ([]suite.Answer, error) {
	return func(*fakeDevice) ([]suite.Answer, error) {
		return []suite.Answer{{Command: zfscmd.EventsNext, Errno: errno}, {Command: zfscmd.EventsSeek, Errno: errno}, {Command: zfscmd.EventsClear, Errno: errno}}, nil
	}
}

func (d *fakeDevice) ProbeCleanupFD() error                          { return d.cleanupFD }
func (d *fakeDevice) ProbeUnknownIoctl() error                       { return d.unknown }
func (d *fakeDevice) Release() (zevent.Release, error)               { return d.release, nil }
func (d *fakeDevice) Unload() error                                  { return d.unload }
func (d *fakeDevice) AnswersTo(suite.Caller) ([]suite.Answer, error) { return d.answers(d) }

func (d *fakeDevice) Compare(ctx context.Context, _ uint64, _ int, post func(context.Context) error) (*differential.Difference, error) {
	if err := post(ctx); err != nil {
		return nil, err
	}
	return d.compared()
}

// deviceOnly names the checks that the emulator is not asked.
func deviceOnly() map[string]bool {
	return map[string]bool{"bad-cleanup-fd": true, "unknown-ioctl": true, "module-in-use": true, "no-capability": true, "user-namespace": true, "differential": true}
}

func TestDeviceOnlyChecks(t *testing.T) {
	old := zevent.Release{Major: 0, Minor: 7, Patch: 13}
	tests := []struct {
		name   string
		change func(*fakeDevice)
		want   map[string]suite.Status // but for those that pass
	}{
		{"as it should be", func(*fakeDevice) {}, nil},
		{"another descriptor is taken", func(d *fakeDevice) { d.cleanupFD = nil }, map[string]suite.Status{"bad-cleanup-fd": suite.Fail}},
		{"another descriptor is an empty queue", func(d *fakeDevice) { d.cleanupFD = syscall.ENOENT }, map[string]suite.Status{"bad-cleanup-fd": suite.Fail}},
		{"any number is taken", func(d *fakeDevice) { d.unknown = nil }, map[string]suite.Status{"unknown-ioctl": suite.Fail}},
		{"an unknown number is ENOTTY", func(d *fakeDevice) { d.unknown = syscall.ENOTTY }, map[string]suite.Status{"unknown-ioctl": suite.Fail}},
		{"an unknown number is EINVAL", func(d *fakeDevice) { d.unknown = syscall.EINVAL }, map[string]suite.Status{"unknown-ioctl": suite.Fail}},
		{"an unknown number is EINVAL in 0.7", func(d *fakeDevice) { d.unknown, d.release = syscall.EINVAL, old }, nil},
		{"an unknown number is 1029 in 0.7", func(d *fakeDevice) { d.release = old }, map[string]suite.Status{"unknown-ioctl": suite.Fail}},
		{"the module is unloaded", func(d *fakeDevice) { d.unload = nil }, map[string]suite.Status{"module-in-use": suite.Fail}},
		{"the module counts no user", func(d *fakeDevice) { d.unload = suite.ErrUnused }, map[string]suite.Status{"module-in-use": suite.Fail}},
		{"ZFS is built in", func(d *fakeDevice) { d.unload = suite.ErrNotAModule }, map[string]suite.Status{"module-in-use": suite.Skip}},
		{"anybody is served", func(d *fakeDevice) { d.answers = refuseAll(0) }, map[string]suite.Status{"no-capability": suite.Fail, "user-namespace": suite.Fail}},
		{"anybody is served by 2.3.2", func(d *fakeDevice) {
			d.answers, d.release = refuseAll(0), zevent.Release{Major: 2, Minor: 3, Patch: 2}
		}, map[string]suite.Status{"no-capability": suite.Fail, "user-namespace": suite.Skip}},
		{"anybody is served by 2.1.11", func(d *fakeDevice) {
			d.answers, d.release = refuseAll(0), zevent.Release{Major: 2, Minor: 1, Patch: 11}
		}, map[string]suite.Status{"no-capability": suite.Fail, "user-namespace": suite.Fail}},
		{"nobody is served by 2.3.2", func(d *fakeDevice) { d.release = zevent.Release{Major: 2, Minor: 3, Patch: 2} }, nil},
		{"refused by EACCES", func(d *fakeDevice) { d.answers = refuseAll(syscall.EACCES) }, map[string]suite.Status{"no-capability": suite.Fail, "user-namespace": suite.Fail}},
		{"nothing is asked", func(d *fakeDevice) {
			d.answers = func(*fakeDevice) ([]suite.Answer, error) { return nil, nil }
		}, map[string]suite.Status{"no-capability": suite.Fail, "user-namespace": suite.Fail}},
		{"there is no caller", func(d *fakeDevice) {
			d.answers = func(*fakeDevice) ([]suite.Answer, error) { return nil, suite.ErrNoCaller }
		}, map[string]suite.Status{"no-capability": suite.Skip, "user-namespace": suite.Skip}},
		{"the emulator differs", func(d *fakeDevice) {
			d.compared = func() (*differential.Difference, error) { return &differential.Difference{}, nil }
		}, map[string]suite.Status{"differential": suite.Fail}},
		{"the emulator cannot be compared", func(d *fakeDevice) {
			d.compared = func() (*differential.Difference, error) { return nil, syscall.EIO }
		}, map[string]suite.Status{"differential": suite.Fail}},
		{"others post", func(d *fakeDevice) {
			d.compared = func() (*differential.Difference, error) { return nil, differential.ErrDisturbed }
		}, map[string]suite.Status{"differential": suite.Skip}},
		{"a refused CLEAR clears", func(d *fakeDevice) {
			d.answers = func(d *fakeDevice) ([]suite.Answer, error) {
				q, err := d.Open()
				if err == nil {
					_, err = q.Clear()
				}
				answers, _ := refuseAll(syscall.EPERM)(d)
				return answers, err
			}
		}, map[string]suite.Status{"no-capability": suite.Fail, "user-namespace": suite.Fail}},
	}
	failed := map[string]bool{}
	for _, test := range tests {
		d := newFakeDevice()
		test.change(d)
		want := allPass()
		for name, status := range test.want {
			want[name] = status
			failed[name] = failed[name] || status == suite.Fail
		}
		if diff := cmp.Diff(want, statuses(t.Context(), d)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	if diff := cmp.Diff(deviceOnly(), failed); diff != "" {
		t.Errorf("checks that some fault makes fail (-want +got):\n%s", diff)
	}
}
