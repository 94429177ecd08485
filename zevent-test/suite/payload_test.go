package suite

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// Recorded returns the events of a real recording.
func Recorded(t *testing.T) []zevent.Event {
	t.Helper()
	f, err := os.Open("../../testdata/openzfs-2.1.11/events.zevents")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := zevent.NewRecordingReader(f, "events.zevents")
	if err != nil {
		t.Fatal(err)
	}
	var events []zevent.Event
	for r.Scan() {
		e, err := r.Event()
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

func TestRecordedPayloads(t *testing.T) {
	for _, e := range Recorded(t) {
		if err := wantPayload(e); err != nil {
			t.Errorf("EID %d, class %s: %v", e.EID, e.Class, err)
		}
	}
}

// TestPayloadNeedsEveryPair leaves out each pair of one real event of each class in turn, and
// gives it another type.
func TestPayloadNeedsEveryPair(t *testing.T) {
	// What a release, a kind of vdev or a command may lack.
	optional := strings.Fields("vdev_path vdev_ashift vdev_complete_ts vdev_delta_ts vdev_delays zio_priority resilver_type " +
		"history_command history_internal_name history_internal_str history_txg history_dsname history_dsid history_zone history_who history_ioctl")
	seen := map[string]bool{}
	for _, e := range Recorded(t) {
		if seen[e.Class] {
			continue
		}
		seen[e.Class] = true
		for i, p := range e.Pairs.Pairs {
			if _, known := pairTypes()[p.Name]; !known {
				t.Errorf("%s: pair %s is not known", e.Class, p.Name)
			}
			less := e
			less.Pairs.Pairs = append(append([]nvlist.Pair{}, e.Pairs.Pairs[:i]...), e.Pairs.Pairs[i+1:]...)
			if err := wantPayload(less); (err == nil) != slices.Contains(optional, p.Name) {
				t.Errorf("%s without %s: got error %v", e.Class, p.Name, err)
			}
			other := e
			other.Pairs.Pairs = append([]nvlist.Pair{}, e.Pairs.Pairs...)
			other.Pairs.Pairs[i] = nvlist.Pair{Name: p.Name, Type: nvlist.Int16, Value: int16(7)}
			if err := wantPayload(other); err == nil || !strings.Contains(err.Error(), p.Name) {
				t.Errorf("%s with %s of another type: got error %v", e.Class, p.Name, err)
			}
		}
	}
}
