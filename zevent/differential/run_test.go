package differential

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// real is an emulator in the place of the module.
type real struct {
	Emulator
	posts int
}

func newEmulator() Emulator { return Emulator{emulator.New(emulator.DefaultMaxEvents, time.Now)} }

func (r *real) Post(context.Context) error {
	r.posts++
	_, err := r.Queue.Post(nvlist.New(
		nvlist.Pair{Name: "class", Type: nvlist.String, Value: "sysevent.fs.zfs.vdev_clear"},
		nvlist.Pair{Name: "text", Type: nvlist.String, Value: strings.Repeat("x", r.posts%100)},
	))
	return err
}

const operations = 20_000

func TestRunFindsNothing(t *testing.T) {
	for seed := range uint64(3) {
		r := &real{Emulator: newEmulator()}
		d, err := Run(t.Context(), seed, operations, r, newEmulator())
		if err != nil || d != nil {
			t.Errorf("seed %d: got %v, %v", seed, d, err)
		}
		if r.posts < operations/10 {
			t.Errorf("seed %d: only %d posts", seed, r.posts)
		}
		if p := r.Parameters(); p.QueueEvents != emulator.DefaultMaxEvents {
			t.Errorf("seed %d: zfs_zevent_len_max is left at %d", seed, p.QueueEvents)
		}
	}
}

// broken answers otherwise than the module.
type broken struct {
	Emulator
	change func(*device)
}

type device struct {
	Descriptor
	next  func(buf []byte, flags zevent.NextFlags) (int, uint64, error)
	wait  func(ctx context.Context, buf []byte) (int, uint64, error)
	seek  func(uint64) error
	clear func() (uint64, error)
	dup   func() (zevent.Device, error)
	open  func() (Descriptor, error)
}

func (b broken) Open() (Descriptor, error) {
	inner, err := b.Emulator.Open()
	if err != nil {
		return nil, err
	}
	d := &device{Descriptor: inner, open: b.Open}
	d.next, d.wait, d.seek, d.clear, d.dup = inner.Next, inner.NextWait, inner.Seek, inner.Clear, inner.Dup
	b.change(d)
	return d, nil
}

func (d *device) Next(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
	return d.next(buf, flags)
}
func (d *device) NextWait(ctx context.Context, buf []byte) (int, uint64, error) {
	return d.wait(ctx, buf)
}
func (d *device) Seek(eid uint64) error       { return d.seek(eid) }
func (d *device) Clear() (uint64, error)      { return d.clear() }
func (d *device) Dup() (zevent.Device, error) { return d.dup() }

// Each mistake is found, and shrunk to the few operations that it takes.
func TestRunFindsMistakes(t *testing.T) {
	tests := []struct {
		name   string
		change func(*device)
		most   int // operations
	}{
		{"dropped is not reported", func(d *device) {
			d.next = func(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
				n, _, err := d.Descriptor.Next(buf, flags)
				return n, 0, err
			}
		}, 8},
		{"ENOMEM passes the event", func(d *device) {
			d.next = func(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
				n, dropped, err := d.Descriptor.Next(buf, flags)
				if small := (*zevent.BufferTooSmallError)(nil); errors.As(err, &small) {
					_, _, _ = d.Descriptor.Next(make([]byte, zevent.MaxEventBytes), flags)
				}
				return n, dropped, err
			}
		}, 8},
		{"an empty queue answers EAGAIN", func(d *device) {
			d.next = func(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
				n, dropped, err := d.Descriptor.Next(buf, flags)
				if errors.Is(err, zevent.ErrEmpty) {
					err = syscall.EAGAIN
				}
				return n, dropped, err
			}
		}, 8},
		{"an unknown EID moves the cursor", func(d *device) {
			d.seek = func(eid uint64) error {
				err := d.Descriptor.Seek(eid)
				if err != nil {
					_ = d.Descriptor.Seek(zevent.SeekStart)
				}
				return err
			}
		}, 8},
		{"the end is the start", func(d *device) {
			d.seek = func(eid uint64) error {
				if eid == zevent.SeekEnd {
					eid = zevent.SeekStart
				}
				return d.Descriptor.Seek(eid)
			}
		}, 8},
		{"CLEAR counts nothing", func(d *device) {
			d.clear = func() (uint64, error) {
				_, err := d.Descriptor.Clear()
				return 0, err
			}
		}, 8},
		{"a wait answers ENOENT", func(d *device) {
			d.wait = func(_ context.Context, buf []byte) (int, uint64, error) {
				return d.Descriptor.Next(buf, zevent.Nonblock)
			}
		}, 2},
		{"dup has a cursor of its own", func(d *device) {
			d.dup = func() (zevent.Device, error) { return d.open() }
		}, 8},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			found, err := Run(t.Context(), 1, operations, &real{Emulator: newEmulator()}, broken{newEmulator(), test.change})
			if err != nil || found == nil {
				t.Fatalf("got %v, %v, want a difference", found, err)
			}
			if len(found.Sequence) > test.most {
				t.Errorf("want at most %d operations:\n%v", test.most, found)
			}
			t.Log(found)
		})
	}
}

func TestRunIsDisturbed(t *testing.T) {
	r := &disturbed{real{Emulator: newEmulator()}}
	if _, err := Run(t.Context(), 1, operations, r, newEmulator()); !errors.Is(err, ErrDisturbed) {
		t.Errorf("got error %v, want ErrDisturbed", err)
	}
}

// disturbed posts an event at each open.
type disturbed struct{ real }

func (d *disturbed) Open() (Descriptor, error) {
	if err := d.Post(context.Background()); err != nil {
		return nil, err
	}
	return d.real.Open()
}

func TestRunIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, 1, operations, &real{Emulator: newEmulator()}, newEmulator()); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want context.Canceled", err)
	}
}
