package x86

import (
	"encoding/hex"
	"strings"
	"testing"
)

func decoded(t *testing.T, text string) (Instruction, []byte) {
	t.Helper()
	code, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	i, ok := Decode(code)
	if !ok {
		t.Fatalf("%s is not known", text)
	}
	return i, code
}

func TestPushed(t *testing.T) {
	for text, want := range map[string]struct {
		bytes int
		ok    bool
	}{
		"55": {8, true}, "41 57": {8, true}, "6a 08": {8, true}, "ff 35 00 00 00 00": {8, true}, "5d": {-8, true},
		"48 83 ec 18": {24, true}, "48 81 ec 00 01 00 00": {256, true}, "48 83 c4 18": {-24, true}, "48 83 c4 80": {128, true},
		"48 83 e4 f0":       {0, true},  // and $-16,%rsp: what it takes is not counted
		"49 83 ec 18":       {0, true},  // of %r12
		"83 ec 18":          {0, false}, // of %esp, which clears the upper half
		"48 89 e5":          {0, true},
		"48 89 ec":          {0, false}, // mov %rbp,%rsp
		"48 8b 65 00":       {0, false},
		"4c 8b 65 00":       {0, true},
		"48 8d 64 24 08":    {0, false}, // lea
		"bc 01 00 00 00":    {0, false},
		"41 bc 01 00 00 00": {0, true},
		"5c":                {0, false},
		"66 55":             {0, false},
		"74 00":             {0, true},
		"e8 00 00 00 00":    {0, true},
		"e9 00 00 00 00":    {0, false},
		"ff e0":             {0, false},
		"c3":                {0, false},
		"c9":                {0, false},
		"c5 f8 77":          {0, false},
		"0f b6 e0":          {0, false}, // movzbl %al,%esp
		"0f 05":             {0, false},
	} {
		i, code := decoded(t, text)
		if bytes, ok := i.Pushed(code); ok != want.ok || ok && bytes != want.bytes {
			t.Errorf("%s: %d bytes, %v; want %d, %v", text, bytes, ok, want.bytes, want.ok)
		}
	}
}

func TestAlignment(t *testing.T) {
	for text, want := range map[string]int{
		"48 83 e4 f0": 16, "48 83 e4 c0": 64, "48 81 e4 00 ff ff ff": 256,
		"48 83 e4 0f": 0, "48 83 e4 f3": 0, "83 e4 f0": 0, "49 83 e4 f0": 0, "48 83 ec 10": 0, "48 83 e0 f0": 0,
	} {
		if i, code := decoded(t, text); i.Alignment(code) != want {
			t.Errorf("%s: %d, want %d", text, i.Alignment(code), want)
		}
	}
}
