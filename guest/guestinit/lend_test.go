//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/guest/wire"
)

func TestLend(t *testing.T) {
	const payload = 100
	l := lender{memory: make([]byte, payload+2*leastLentBytes+1), next: payload}
	long := strings.Repeat("a", leastLentBytes)
	for i, test := range []struct {
		text string
		want wire.Record
	}{
		{"short", wire.Record{Text: "short"}},
		{long, wire.Record{Lent: &wire.Area{Offset: payload, Bytes: leastLentBytes}}},
		{long + "aa", wire.Record{Text: long + "aa"}}, // which is more than is left
		{long + "a", wire.Record{Lent: &wire.Area{Offset: payload + leastLentBytes, Bytes: leastLentBytes + 1}}},
		{long, wire.Record{Text: long}}, // nothing is left
	} {
		r := wire.Record{Text: test.text}
		l.lend(&r)
		if diff := cmp.Diff(test.want, r); diff != "" {
			t.Errorf("text %d (-want +got):\n%s", i, diff)
		}
		if r.Lent != nil && string(l.memory[r.Lent.Offset:r.Lent.Offset+r.Lent.Bytes]) != test.text {
			t.Errorf("text %d is not in memory", i)
		}
	}
}
