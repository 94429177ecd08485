package suite_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent-test/suite"
)

// brokenTarget is an emulated queue with one fault.
type brokenTarget struct {
	*suite.EmulatedTarget
	wrap  func(zevent.Device) (zevent.Device, error)
	raise func(suite.Raised) suite.Raised
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
	close func() error
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
		d := &device{Device: inner}
		set(d)
		return d, nil
	}
}

// altered returns a wrapper that changes what Next delivered.
func altered(change func(event []byte)) func(zevent.Device) (zevent.Device, error) {
	return faulty(func(d *device) {
		d.next = func(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
			n, dropped, err := d.Device.Next(buf, flags)
			change(buf[:n])
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
	all := []string{"clear", "empty-enoent", "raise-and-read", "order", "small-buffer", "seek", "independent-cursors"}
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
		})), []string{"clear", "empty-enoent", "seek"}},
		{"clear counts without clearing", wrapped(faulty(func(d *device) {
			first := true
			d.clear = func() (uint64, error) {
				if first {
					first = false
					return 1, nil
				}
				return 0, nil
			}
		})), []string{"empty-enoent", "seek"}},
		{"clear always counts one", wrapped(faulty(func(d *device) {
			d.clear = func() (uint64, error) {
				_, err := d.Device.Clear()
				return 1, err
			}
		})), []string{"clear"}},
		{"an empty queue answers EAGAIN", wrapped(faulty(func(d *device) {
			d.next = func(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
				n, dropped, err := d.Device.Next(buf, flags)
				if errors.Is(err, zevent.ErrEmpty) {
					err = syscall.EAGAIN
				}
				return n, dropped, err
			}
		})), []string{"empty-enoent", "raise-and-read", "order", "seek"}},
		{"the first event is swallowed", wrapped(faulty(func(d *device) {
			swallowed := false
			d.next = func(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
				if !swallowed {
					swallowed = true
					if n, dropped, err := d.Device.Next(make([]byte, zevent.MaxEventBytes), flags); err != nil {
						return n, dropped, err
					}
				}
				return d.Device.Next(buf, flags)
			}
		})), []string{"raise-and-read", "order", "small-buffer", "seek", "independent-cursors"}},
		{"an event is delivered for ever", wrapped(faulty(func(d *device) {
			d.next = func(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
				n, dropped, err := d.Device.Next(buf, flags)
				return n, dropped, errors.Join(err, d.Device.Seek(zevent.SeekStart))
			}
		})), []string{"raise-and-read", "order", "seek", "independent-cursors"}},
		{"the EID is another", wrapped(altered(func(e []byte) {
			if len(e) > 0 {
				e[lastEIDByte(e)] ^= 0x40
			}
		})), []string{"raise-and-read", "seek"}},
		{"the EID is 0", wrapped(altered(func(e []byte) {
			if len(e) > 0 {
				e[lastEIDByte(e)] = 0
			}
		})), []string{"raise-and-read", "order", "seek"}},
		{"EIDs descend", wrapped(altered(func(e []byte) {
			if len(e) > 0 {
				e[lastEIDByte(e)] = ^e[lastEIDByte(e)]
			}
		})), []string{"raise-and-read", "order", "seek"}},
		{"padding is not zero", wrapped(altered(func(e []byte) {
			if len(e) > 0 {
				e[35+16] = 1 // behind the value of the uint8 named version
			}
		})), []string{"raise-and-read"}},
		{"the event does not decode", wrapped(altered(func(e []byte) {
			if len(e) > 0 {
				e[0] = 1
			}
		})), []string{"raise-and-read", "order", "small-buffer", "seek", "independent-cursors"}},
		{"the pool is another", raises(func(r suite.Raised) suite.Raised { r.Pool = "other"; return r }), []string{"raise-and-read", "order"}},
		{"the class is another", raises(func(r suite.Raised) suite.Raised { r.Class = "other"; return r }), []string{"raise-and-read", "order"}},
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
		})), []string{"seek"}},
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
		{"descriptors share a cursor", sharedCursor, []string{"small-buffer", "independent-cursors"}},
	}
	failed := map[string]bool{}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for r := range suite.Run(t.Context(), test.fault(), suite.Checks()) {
				if r.Status == suite.Fail {
					got = append(got, r.Name)
					failed[r.Name] = true
				}
				if r.Status == suite.Fail && r.Detail == "" {
					t.Errorf("%s failed without a detail", r.Name)
				}
			}
			slices.Sort(got)
			slices.Sort(test.want)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("checks that failed (-want +got):\n%s", diff)
			}
		})
	}
	for _, c := range suite.Checks() {
		if !failed[c.Name] && c.Name != "bad-cleanup-fd" { // see TestBadCleanupFD
			t.Errorf("no fault makes %s fail", c.Name)
		}
	}
}

func wrapped(wrap func(zevent.Device) (zevent.Device, error)) func() *brokenTarget {
	return func() *brokenTarget {
		return &brokenTarget{EmulatedTarget: suite.NewEmulatedTarget(nil, ""), wrap: wrap}
	}
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

type probedTarget struct {
	*suite.EmulatedTarget
	answer error
}

func (t *probedTarget) ProbeCleanupFD() error { return t.answer }

func TestBadCleanupFD(t *testing.T) {
	tests := map[error]suite.Status{
		syscall.EBADF:   suite.Pass,
		nil:             suite.Fail,
		syscall.ENOENT:  suite.Fail,
		zevent.ErrEmpty: suite.Fail,
	}
	for answer, want := range tests {
		got := statuses(t.Context(), &probedTarget{suite.NewEmulatedTarget(nil, ""), answer})
		if got["bad-cleanup-fd"] != want {
			t.Errorf("answer %v: got %s, want %s", answer, got["bad-cleanup-fd"], want)
		}
	}
}
