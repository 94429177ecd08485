package nvlist

import "testing"

// FuzzUsual wants that passUsual passes nothing in which pair and checkNative find something wrong, and ends where a pair does.
func FuzzUsual(f *testing.F) {
	list := List{Pairs: []Pair{
		{"class", String, "ereport.fs.zfs.io"}, {"seven_c", String, "seven b"}, {"", String, ""}, {"eid", Uint64, uint64(7)},
		{"ends a word", Int8, int8(-1)}, {"flag", BooleanValue, true}, {"time", Int64Array, []int64{1, 2}}, {"hr", HRTime, int64(3)},
		{"ratio", Double, 0.5}, {"names", StringArray, []string{"a", "b"}}, {"list", NVList, List{Pairs: []Pair{{"x", Byte, uint8(1)}}}}, {"there", Boolean, nil},
	}}
	packed, err := Encode(list, Header{}) // little-endian
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed[headerBytes+versionBytes:])
	f.Fuzz(func(t *testing.T, pairs []byte) {
		s := stream{bytes: pairs}
		w := watch{lengths: 1<<3 | 1<<5} // eid, class
		end := s.passUsual(0, &w)
		watched := 0
		var p pair
		for off := 0; off < end; off = p.end {
			if _, err := s.pair(&p, off); err != nil {
				t.Fatal(err)
			}
			if p.typ == 0 {
				t.Fatalf("passed the end of the list, at %d", off)
			}
			if err := s.checkNative(&p, off); err != nil {
				t.Fatal(err)
			}
			if length := p.nameEnd - p.nameAt; length == 3 || length == 5 {
				if watched < len(w.at) && w.at[watched] != off {
					t.Fatalf("the pair at %d was watched for, and found at %d", off, w.at[watched])
				}
				watched++
			}
			if p.end > end {
				t.Fatalf("ended at %d, within a pair up to %d", end, p.end)
			}
		}
		if watched != w.n {
			t.Fatalf("%d pairs were watched for, %d found", watched, w.n)
		}
	})
}
