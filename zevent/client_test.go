package zevent_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// scriptedDevice gives one answer a call of Next.
type scriptedDevice struct {
	zevent.Device // Clear, Seek and Close are not called
	answers       []any
	bufBytes      []int // of each call
}

func (d *scriptedDevice) Next(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
	if flags != zevent.Nonblock {
		return 0, 0, errors.New("want Nonblock")
	}
	d.bufBytes = append(d.bufBytes, len(buf))
	answer := d.answers[0]
	d.answers = d.answers[1:]
	switch a := answer.(type) {
	case error:
		return 0, 0, a
	case []byte:
		return copy(buf, a), 7, nil
	}
	panic("unknown answer")
}

func TestClientNext(t *testing.T) {
	_, events := recorded(t)
	d := &scriptedDevice{answers: []any{
		syscall.EINTR, events[0].Raw,
		&zevent.BufferTooSmallError{NeedBytes: 10000}, events[1].Raw,
		zevent.ErrEmpty,
		syscall.EPERM,
	}}
	c := zevent.NewClient(d)
	for _, want := range events[:2] {
		got, err := c.Next()
		if err != nil {
			t.Fatal(err)
		}
		want.Dropped = 7
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if _, err := c.Next(); !errors.Is(err, zevent.ErrEmpty) {
		t.Errorf("got error %v, want ErrEmpty", err)
	}
	if _, err := c.Next(); !errors.Is(err, syscall.EPERM) {
		t.Errorf("got error %v, want EPERM", err)
	}
	if diff := cmp.Diff([]int{6144, 6144, 6144, 10000, 10000, 10000}, d.bufBytes); diff != "" {
		t.Errorf("sizes of the buffers (-want +got):\n%s", diff)
	}
}

// A device that cannot wait is polled, ever more seldom.
func TestWaitPolls(t *testing.T) {
	_, events := recorded(t)
	synctest.Test(t, func(t *testing.T) {
		answers := []any{zevent.ErrEmpty, zevent.ErrEmpty, zevent.ErrEmpty, events[0].Raw}
		start := time.Now()
		e, err := zevent.NewClient(&scriptedDevice{answers: answers}).Wait(t.Context())
		if err != nil || e.EID != events[0].EID {
			t.Errorf("got EID %d, %v, want %d", e.EID, err, events[0].EID)
		}
		if took := time.Since(start); took != 7*time.Millisecond {
			t.Errorf("it took %v, want 1, 2 and 4 ms", took)
		}
	})
}

func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("why")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, why)
		defer cancel()
		start := time.Now()
		c := zevent.NewClient(emptyDevice{})
		if _, err := c.Wait(ctx); !errors.Is(err, why) {
			t.Errorf("got error %v, want the cause", err)
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("it took %v, want a minute", took)
		}
		if _, err := c.Wait(ctx); !errors.Is(err, why) {
			t.Errorf("when the context had ended: got error %v, want the cause", err)
		}
	})
}

type emptyDevice struct{ zevent.Device }

func (emptyDevice) Next([]byte, zevent.NextFlags) (int, uint64, error) {
	return 0, 0, zevent.ErrEmpty
}

func TestWaitReturnsErrors(t *testing.T) {
	c := zevent.NewClient(&scriptedDevice{answers: []any{zevent.ErrEmpty, syscall.EPERM}})
	if _, err := c.Wait(t.Context()); !errors.Is(err, syscall.EPERM) {
		t.Errorf("got error %v, want EPERM", err)
	}
}

// Gaps follow what is read, and begin anew where Seek goes.
func TestClientGaps(t *testing.T) {
	q := emulator.New(4, time.Now)
	d := q.Open()
	c := zevent.NewClient(d)
	post := func(n int) {
		for range n {
			if _, err := q.Post(nvlist.New(nvlist.Pair{Name: "class", Type: nvlist.String, Value: "c"})); err != nil {
				t.Fatal(err)
			}
		}
	}
	read := func() (last uint64) {
		for {
			e, err := c.Next()
			if errors.Is(err, zevent.ErrEmpty) {
				return last
			}
			if err != nil {
				t.Fatal(err)
			}
			last = e.EID
		}
	}
	want := func(ranges ...zevent.EIDRange) {
		t.Helper()
		if diff := cmp.Diff(ranges, c.Gaps().Ranges(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("gaps (-want +got):\n%s", diff)
		}
	}
	post(6)
	read() // 3 to 6: what went before the client came is no gap
	want()
	post(7)
	read() // 10 to 13
	want(zevent.EIDRange{First: 7, Last: 9})
	if err := c.Seek(zevent.SeekStart); err != nil {
		t.Fatal(err)
	}
	read()
	want()
	if err := c.Seek(11); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Clear(); n != 4 || err != nil {
		t.Errorf("Clear: got %d, %v, want 4", n, err)
	}
	post(1)
	if last := read(); last != 14 {
		t.Errorf("read up to EID %d, want 14", last)
	}
	want(zevent.EIDRange{First: 12, Last: 13})
	if err := c.Seek(99); !errors.Is(err, zevent.ErrUnknownEID) {
		t.Errorf("Seek(99): got error %v, want ErrUnknownEID", err)
	}
	want(zevent.EIDRange{First: 12, Last: 13})
}

func TestClientRefusesAbsurdSizes(t *testing.T) {
	for _, need := range []uint64{0, 16, zevent.MaxEventBytes, 1 << 40} {
		c := zevent.NewClient(&scriptedDevice{answers: []any{&zevent.BufferTooSmallError{NeedBytes: need}}})
		if _, err := c.Next(); err == nil || !strings.Contains(err.Error(), "refuses a buffer") {
			t.Errorf("need of %d bytes: got error %v, want a refusal", need, err)
		}
	}
}

func TestDecodeKeepsRaw(t *testing.T) {
	class := nvlist.Pair{Name: "class", Type: nvlist.String, Value: "c"}
	eid := nvlist.Pair{Name: "eid", Type: nvlist.Uint64, Value: uint64(1)}
	tests := []struct {
		name string
		list nvlist.List
		want string
	}{
		{"no class", nvlist.New(eid), "no string named class"},
		{"no EID", nvlist.New(class), "no uint64 named eid"},
		{"no time", nvlist.New(class, eid), "no int64[2] named time"},
		{"short time", nvlist.New(class, eid, nvlist.Pair{Name: "time", Type: nvlist.Int64Array, Value: []int64{1}}), "no int64[2] named time"},
	}
	for _, test := range tests {
		raw, err := nvlist.Encode(test.list, nvlist.Host())
		if err != nil {
			t.Fatal(err)
		}
		e, err := zevent.NewClient(&scriptedDevice{answers: []any{raw}}).Next()
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want ...%s...", test.name, err, test.want)
		}
		if string(e.Raw) != string(raw) {
			t.Errorf("%s: Raw is not what the device returned", test.name)
		}
	}
}

func TestOpenSaysWhatToDo(t *testing.T) {
	if _, err := zevent.Open(t.TempDir() + "/zfs"); !errors.Is(err, zevent.ErrNoModule) || !strings.Contains(err.Error(), "load the zfs module") {
		t.Errorf("no device: got error %v", err)
	}
	if _, err := zevent.Open(t.TempDir()); !errors.Is(err, zevent.ErrNotZFS) || !strings.Contains(err.Error(), "open /dev/zfs") {
		t.Errorf("a directory: got error %v", err)
	}
}
