package zevent_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
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
	if _, err := zevent.Open(t.TempDir() + "/zfs"); err == nil || !strings.Contains(err.Error(), "load the zfs module") {
		t.Errorf("no device: got error %v", err)
	}
}
