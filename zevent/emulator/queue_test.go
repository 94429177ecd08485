package emulator_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

func clock() time.Time { return time.Unix(1795327935, 736000000) }

func post(t *testing.T, q *emulator.Queue, class string) zevent.Event {
	t.Helper()
	e, err := q.Post(nvlist.New(nvlist.Pair{Name: "class", Type: nvlist.String, Value: class}))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// read returns EIDs and dropped counts up to ErrEmpty.
func read(t *testing.T, d zevent.Device) (eids, dropped []uint64) {
	t.Helper()
	c := zevent.NewClient(d)
	for {
		e, err := c.Next()
		if errors.Is(err, zevent.ErrEmpty) {
			return eids, dropped
		}
		if err != nil {
			t.Fatal(err)
		}
		eids, dropped = append(eids, e.EID), append(dropped, e.Dropped)
	}
}

func wantRead(t *testing.T, d zevent.Device, wantEIDs, wantDropped []uint64) {
	t.Helper()
	eids, dropped := read(t, d)
	if diff := cmp.Diff(wantEIDs, eids); diff != "" {
		t.Errorf("EIDs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantDropped, dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
}

func TestPostAppendsTimeAndEID(t *testing.T) {
	q := emulator.New(4, clock)
	e := post(t, q, "c")
	want := nvlist.New(
		nvlist.Pair{Name: "class", Type: nvlist.String, Value: "c"},
		nvlist.Pair{Name: "time", Type: nvlist.Int64Array, Value: []int64{1795327935, 736000000}},
		nvlist.Pair{Name: "eid", Type: nvlist.Uint64, Value: uint64(1)},
	)
	if diff := cmp.Diff(want, e.Pairs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEvictionCountsOneDrop(t *testing.T) {
	q := emulator.New(2, clock)
	reader, idle := q.Open(), q.Open()
	post(t, q, "c")
	wantRead(t, reader, []uint64{1}, []uint64{0})
	for range 4 { // evicts 1, 2 and 3
		post(t, q, "c")
	}
	wantRead(t, reader, []uint64{4, 5}, []uint64{1, 0})
	wantRead(t, idle, []uint64{4, 5}, []uint64{0, 0})
}

func TestQueueOfZeroKeepsNothing(t *testing.T) {
	q := emulator.New(0, clock)
	post(t, q, "c")
	wantRead(t, q.Open(), nil, nil)
}

func TestClearIsForEveryReader(t *testing.T) {
	q := emulator.New(8, clock)
	reader, clearer := q.Open(), q.Open()
	post(t, q, "c")
	post(t, q, "c")
	wantRead(t, reader, []uint64{1, 2}, []uint64{0, 0})
	for _, want := range []uint64{2, 0} {
		if got, err := clearer.Clear(); got != want || err != nil {
			t.Errorf("Clear: got %d, %v, want %d", got, err, want)
		}
	}
	post(t, q, "c")
	wantRead(t, reader, []uint64{3}, []uint64{1})
}

func TestSeek(t *testing.T) {
	q := emulator.New(8, clock)
	d := q.Open()
	for range 3 {
		post(t, q, "c")
	}
	tests := []struct {
		eid     uint64
		wantErr error
		want    []uint64
	}{
		{zevent.SeekStart, nil, []uint64{1, 2, 3}},
		{1, nil, []uint64{2, 3}},
		{3, nil, nil},
		{zevent.SeekStart, nil, []uint64{1, 2, 3}},
		{99, zevent.ErrUnknownEID, nil},
		{zevent.SeekEnd, nil, nil},
	}
	for _, test := range tests {
		if err := d.Seek(test.eid); !errors.Is(err, test.wantErr) {
			t.Errorf("Seek(%d): got error %v, want %v", test.eid, err, test.wantErr)
		}
		if eids, _ := read(t, d); !slices.Equal(eids, test.want) {
			t.Errorf("after Seek(%d): got EIDs %v, want %v", test.eid, eids, test.want)
		}
	}
}

func TestSmallBufferKeepsCursor(t *testing.T) {
	q := emulator.New(8, clock)
	d := q.Open()
	e := post(t, q, "c")
	_, _, err := d.Next(make([]byte, len(e.Raw)-1), zevent.Nonblock)
	var small *zevent.BufferTooSmallError
	if !errors.As(err, &small) || small.NeedBytes != uint64(len(e.Raw)) {
		t.Fatalf("got error %v, want a need of %d bytes", err, len(e.Raw))
	}
	wantRead(t, d, []uint64{1}, []uint64{0})
}

func TestTooLongEventTakesItsEID(t *testing.T) {
	q := emulator.New(8, clock)
	long := nvlist.New(nvlist.Pair{Name: "class", Type: nvlist.String, Value: strings.Repeat("c", zevent.MaxEventBytes)})
	var tooLong *emulator.TooLongError
	if _, err := q.Post(long); !errors.As(err, &tooLong) || tooLong.EID != 1 {
		t.Errorf("got error %v, want one of a too long event 1", err)
	}
	if got, want := q.Counters(), (emulator.Counters{Dropped: 1}); got != want {
		t.Errorf("counters: got %+v, want %+v", got, want)
	}
	post(t, q, "c")
	wantRead(t, q.Open(), []uint64{2}, []uint64{0})
}

func TestClosed(t *testing.T) {
	d := emulator.New(8, clock).Open()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, nextErr := d.Next(nil, zevent.Nonblock)
	_, _, waitErr := d.Next(nil, 0)
	_, clearErr := d.Clear()
	_, dupErr := d.Dup()
	for call, err := range map[string]error{"Next": nextErr, "wait": waitErr, "Clear": clearErr, "Dup": dupErr, "Seek": d.Seek(0), "Close": d.Close()} {
		if !errors.Is(err, emulator.ErrClosed) || !errors.Is(err, syscall.EBADF) {
			t.Errorf("%s after Close: got error %v, want ErrClosed", call, err)
		}
	}
}

func TestDupSharesCursor(t *testing.T) {
	q := emulator.New(8, clock)
	for range 3 {
		post(t, q, "c")
	}
	d := q.Open()
	twin, err := d.Dup()
	if err != nil {
		t.Fatal(err)
	}
	for want, device := range []zevent.Device{d, twin} {
		if e, err := zevent.NewClient(device).Next(); err != nil || e.EID != uint64(want+1) {
			t.Errorf("got EID %d, %v, want %d", e.EID, err, want+1)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	wantRead(t, twin, []uint64{3}, []uint64{0})
}

// A lower bound evicts one event a post, so that the queue keeps its length.
func TestLowerBoundShrinksNothing(t *testing.T) {
	q := emulator.New(4, clock)
	for range 4 {
		post(t, q, "c")
	}
	p := q.Parameters()
	p.QueueEvents = 1
	q.SetParameters(p)
	post(t, q, "c")
	d := q.Open()
	wantRead(t, d, []uint64{2, 3, 4, 5}, []uint64{0, 0, 0, 0})
	if n, err := d.Clear(); n != 4 || err != nil {
		t.Errorf("Clear: got %d, %v, want 4", n, err)
	}
	post(t, q, "c")
	post(t, q, "c")
	wantRead(t, d, []uint64{7}, []uint64{1})
}

func TestPlay(t *testing.T) {
	text, err := os.ReadFile("../../testdata/openzfs-2.1.11/events.zevents")
	if err != nil {
		t.Fatal(err)
	}
	r, err := zevent.NewRecordingReader(bytes.NewReader(text), "events.zevents")
	if err != nil {
		t.Fatal(err)
	}
	q := emulator.New(emulator.DefaultMaxEvents, clock)
	n, err := q.Play(r)
	if n != 252 || err != nil {
		t.Fatalf("Play: got %d events, %v, want 252", n, err)
	}
	var played bytes.Buffer
	w, err := zevent.NewRecordingWriter(&played, r.Header())
	if err != nil {
		t.Fatal(err)
	}
	c := zevent.NewClient(q.Open())
	for range n {
		e, err := c.Next()
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	// Recordings may differ in the spaces of their JSON.
	unspaced := func(b []byte) string { return strings.ReplaceAll(string(b), " ", "") }
	if unspaced(played.Bytes()) != unspaced(text) {
		t.Error("what was played is not what was recorded")
	}
	if e := post(t, q, "c"); e.EID != 253 {
		t.Errorf("a post after the recording has EID %d, want 253", e.EID)
	}
}

func TestPlayStopsAtBadLine(t *testing.T) {
	r, err := zevent.NewRecordingReader(strings.NewReader("{\"format\":\"zevents/1\"}\n{\n"), "bad")
	if err != nil {
		t.Fatal(err)
	}
	n, err := emulator.New(8, clock).Play(r)
	if n != 0 || err == nil || !strings.Contains(err.Error(), "bad:2:") {
		t.Errorf("got %d events, error %v, want bad:2:", n, err)
	}
}

// TestConcurrentUse is for the race detector; it asserts that no event is
// lost. As in the module, posts at the same time may be queued in another order
// than that of their EIDs.
func TestConcurrentUse(t *testing.T) {
	const posters, posts = 4, 50
	q := emulator.New(posters*posts, clock)
	list := nvlist.New(nvlist.Pair{Name: "class", Type: nvlist.String, Value: "c"})
	var wg sync.WaitGroup
	for range posters {
		wg.Go(func() {
			for range posts {
				if _, err := q.Post(list); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			d := q.Open()
			_, err := zevent.NewClient(d).Next()
			if errors.Is(err, zevent.ErrEmpty) {
				err = nil
			}
			if err := errors.Join(err, d.Seek(zevent.SeekEnd), d.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	eids, _ := read(t, q.Open())
	slices.Sort(eids)
	if n := len(eids); n != posters*posts || eids[n-1] != uint64(n) {
		t.Errorf("got %d EIDs up to %d, want %d", n, eids[n-1], posters*posts)
	}
}
