package ascii_test

import (
	"bytes"
	"testing"

	"github.com/kmodaudit/kmodaudit/ascii"
)

// Whatever byte stands wherever, it is told, and no other is.
func TestEveryByteEverywhere(t *testing.T) {
	for n := range 20 {
		for at := range n {
			for b := range 256 {
				text := append(bytes.Repeat([]byte(" "), at), bytes.Repeat([]byte("~"), n-at)...)
				text[at] = byte(b)
				print := ' ' <= b && b <= '~'
				quotable := print && b != '"' && b != '\\'
				if got := ascii.IsPrint(text); got != print {
					t.Fatalf("IsPrint(%q) = %v, want %v", text, got, print)
				}
				if got := ascii.IsQuotable(text); got != quotable {
					t.Fatalf("IsQuotable(%q) = %v, want %v", text, got, quotable)
				}
				if s := string(text); ascii.IsPrintString(s) != print || ascii.IsQuotableString(s) != quotable {
					t.Fatalf("as a string, %q is another", text)
				}
			}
		}
	}
}

func TestNothingIsPlain(t *testing.T) {
	if !ascii.IsPrint(nil) || !ascii.IsPrintString("") || !ascii.IsQuotable(nil) || !ascii.IsQuotableString("") {
		t.Error("an empty text needs a closer look")
	}
}
