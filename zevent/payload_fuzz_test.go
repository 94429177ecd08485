package zevent_test

import (
	"testing"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// FuzzPayload: no pair is lost or made up, whatever the types.
func FuzzPayload(f *testing.F) {
	_, events := recorded(f)
	for _, e := range events {
		f.Add(e.Raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := zevent.Decode(raw, 0)
		if err != nil {
			return
		}
		p, err := e.Payload()
		if len(p.Rest.Pairs) > len(e.Pairs.Pairs) {
			t.Fatalf("%d pairs of %d are left", len(p.Rest.Pairs), len(e.Pairs.Pairs))
		}
		if err != nil && len(p.Rest.Pairs) == 0 && (p.Detector == nil || len(p.Detector.Rest.Pairs) == 0) {
			t.Fatalf("a pair that did not fit is nowhere: %v", err)
		}
	})
}
