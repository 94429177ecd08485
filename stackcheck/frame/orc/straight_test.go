package orc

import (
	"encoding/hex"
	"strings"
	"testing"
)

func TestStraight(t *testing.T) {
	tests := []struct {
		name, code string
		want       int
	}{
		{"pushes", "55 4889e5 4157 6a01 68ff000000 ff7508", 48},
		{"a frame", "55 4889e5 4154 53 4881ecf0010000 4883ec10", 8 + 24 + 0x1f0 + 16},
		{"what is popped was there", "53 5b 55", 16},
		{"add", "4883ec40 4883c440 53", 72},
		{"realignment is not counted", "4c8d542408 4883e4f0 41ff72f8 55", 24},
		{"instructions between", "e800000000 488b07 8b4c2410 8d0485ffffffff 4c8b0500000000 66c7070100 48b80102030405060708 0fb6c0 f6c101 f7c100000001 f7d8 7403 0f8400000000 f3480fb8c0 55", 8},
		{"and all of them known", "e800000000 488b07 8b4c2410 8d0485ffffffff 4c8b0500000000 66c7070100 48b80102030405060708 0fb6c0 f6c101 f7c100000001 f7d8 7403 0f8400000000 55", 16},
		{"size at run time", "55 4829c4 53", 16},
		{"another stack", "55 4889fc 53", 16},
		{"lea", "55 488d6424f0 53", 16},
		{"r12 is not the stack pointer", "4983ec40 4989fc 415c 53", 8},
		{"jump", "eb00 55", 0},
		{"return", "55 c3 55", 16},
		{"more than any stack", "4881ecffffff7f 55", 0},
		{"cut off", "55 4881ecf001", 16},
		{"nothing", "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code, err := hex.DecodeString(strings.ReplaceAll(test.code, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := straight(code); got != test.want {
				t.Errorf("%d bytes deep, want %d", got, test.want)
			}
		})
	}
}

func FuzzStraight(f *testing.F) {
	for _, code := range []string{"U\x48\x89\xe5\x41\x54S\x48\x81\xec\xf0\x01\x00\x00", "\x4c\x8d\x54\x24\x08\x48\x83\xe4\xf0\x41\xff\x72\xf8U", "\x66\x66\x0f\x1f\x84\x00"} {
		f.Add([]byte(code))
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		if got, _ := straight(code); got < 0 || got > 1<<16 {
			t.Errorf("%d bytes deep", got)
		}
	})
}
