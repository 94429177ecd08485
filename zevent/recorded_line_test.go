package zevent

import (
	"bytes"
	"encoding/base64"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever byte stands wherever in base64, appendDecoded takes or refuses it as encoding/base64 does, but for
// line ends.
func TestAppendDecoded(t *testing.T) {
	raw := make([]byte, 100)
	for i := range raw {
		raw[i] = byte(i * 37)
	}
	for length := range len(raw) {
		good := base64.StdEncoding.AppendEncode(nil, raw[:length])
		for at := range len(good) {
			for b := range 256 {
				text := bytes.Clone(good)
				text[at] = byte(b)
				want, wantErr := base64.StdEncoding.AppendDecode([]byte("kept"), text)
				if bytes.ContainsAny(text, "\r\n") {
					wantErr = errLineEnd
				}
				got, err := appendDecoded([]byte("kept"), text)
				if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
					t.Fatalf("%q: %q, %v; want %q, %v", text, got, err, want, wantErr)
				}
			}
		}
	}
}

// What is read without the JSON decoder is what the decoder reads.
func FuzzRecordedLine(f *testing.F) {
	text, err := os.ReadFile("../testdata/openzfs-2.1.11/events.zevents")
	if err != nil {
		f.Fatal(err)
	}
	for _, line := range bytes.Split(text, []byte("\n"))[1:5] {
		f.Add(line)
	}
	for _, line := range []string{
		`{"eid":1,"time":[-1,-0],"dropped":3,"nvlist":""}`, `{"eid": 01, "time": [1, 2], "dropped": 0, "nvlist": "AA=="}`,
		`{"eid":18446744073709551615,"time":[1,2],"dropped":0,"nvlist":"AAAA"}`, `{"eid":1,"time":[1,2],"dropped":0,"nvlist":"AAAA","x":"AAAA"}`,
		`{"eid":1e3,"time":[ 1 , 2 ],"dropped":0,"nvlist": "AAAA"}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		got, text, ok := cutRecorded(line)
		if !ok {
			return
		}
		var err error
		if got.Nvlist, err = appendDecoded([]byte{}, text); err != nil {
			return
		}
		want, err := decodeRecorded(line)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-JSON +cut):\n%s", diff)
		}
	})
}
