package x86

import (
	"encoding/hex"
	"strings"
	"testing"
)

// Encodings of all kinds, as objdump 2.40 takes them apart. All code of vmlinux 6.1 and of OpenZFS's modules, 7 million
// instructions, was compared with it in the same way.
var instructions = []string{
	"c3", "90", "f3 90", "cc", "55", "41 57", "0f 05", "0f 0b", "0f 77", "c2 08 00", "c8 10 00 01", "f3 0f 1e fa",
	"48 89 e5", "48 8b 40 08", "48 8b 05 00 00 00 00", "48 8b 04 25 00 00 00 00", "48 8b 84 24 80 00 00 00", "8b 44 98 10", "65 48 8b 04 25 00 00 00 00",
	"48 83 ec 08", "48 81 ec 00 01 00 00", "66 81 c3 01 00", "48 c7 c7 00 00 00 00", "66 c7 04 24 01 00", "c6 40 10 01", "48 b8 01 02 03 04 05 06 07 08",
	"b8 01 00 00 00", "66 b8 01 00", "b0 01", "6a 08", "68 00 01 00 00", "69 c0 e8 03 00 00", "6b c0 64", "a8 01", "66 a9 01 00", "a1 01 02 03 04 05 06 07 08",
	"f6 c1 01", "f6 d1", "f7 c1 01 00 00 00", "66 f7 c1 01 00", "f7 d8", "ff d0", "ff 15 00 00 00 00", "ff 24 c5 00 00 00 00", "3e ff e0", "41 ff e3",
	"e8 00 00 00 00", "e9 00 00 00 00", "eb 00", "74 00", "0f 84 00 00 00 00", "2e 74 00", "e3 00",
	"0f a2", "0f 01 f9", "0f 20 c0", "0f 22 e0", "0f ba e0 05", "0f a4 c2 08", "0f c8", "0f ae f0", "66 0f 1f 84 00 00 00 00 00", "f0 48 0f b1 0a",
	"66 0f 70 c0 4e", "66 0f 38 00 c1", "66 0f 3a 0f c1 08", "0f 38 f0 00", "66 0f 3a 44 c1 11", "f2 48 0f 38 f1 c1",
	"c5 f8 77", "c5 fd 6f 06", "c5 f9 70 c0 4e", "c4 e2 7d 00 c1", "c4 e3 7d 46 c1 31", "c4 e2 fb f6 c1", "62 f1 7d 48 6f 06", "62 f1 7c 48 c6 c1 01", "62 f3 75 48 25 c2 96",
	"62 f1 7d 48 6f 46 01", "62 f1 7d 48 6f 86 01 00 00 00",
}

func TestDecode(t *testing.T) {
	for _, text := range instructions {
		code, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if i, ok := Decode(append(code, 0xff, 0xff, 0xff)); !ok || i.Size != len(code) {
			t.Errorf("%s: %d bytes, known %v; want %d", text, i.Size, ok, len(code))
		}
		if i, ok := Decode(code[:len(code)-1]); ok && i.Size >= len(code) {
			t.Errorf("%s, cut off: %d bytes", text, i.Size)
		}
	}
	for _, text := range []string{"", "06", "62", "c4 e0 00 00 00", "0f", "0f 04", "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", "48", "ea 00 00 00 00 00 00"} {
		code, _ := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if i, ok := Decode(code); ok {
			t.Errorf("%q: %d bytes, want none", text, i.Size)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range instructions {
		code, _ := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		i, ok := Decode(code)
		if ok && (i.Size < 1 || i.Size > min(len(code), Longest)) {
			t.Errorf("% x: %d bytes", code, i.Size)
		}
	})
}
