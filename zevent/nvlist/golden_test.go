package nvlist_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

const testdata = "../../testdata"

// The headers of the golden vectors; recorded events have little.
var (
	little = nvlist.Header{}
	xdr    = nvlist.Header{Encoding: nvlist.XDR}
)

// vector is one stream that libnvpair packed.
type vector struct {
	name   string
	xdr    bool
	stream []byte
}

// goldenTypes reads blocks of "NAME enc=E err=0 len=N", hexadecimal words, and
// "unpack=0".
func goldenTypes(tb testing.TB) []vector {
	var vectors []vector
	for line := range lines(tb, "nvlist/golden_types.txt") {
		switch {
		case strings.Contains(line, " enc="):
			name, rest, _ := strings.Cut(line, " ")
			vectors = append(vectors, vector{name: name, xdr: strings.HasPrefix(rest, "enc=1")})
		case line != "" && !strings.HasPrefix(line, "unpack="):
			appendHex(tb, &vectors[len(vectors)-1], line)
		}
	}
	return vectors
}

// goldenEvents reads blocks of "# CLASS len=N" and hexadecimal lines.
func goldenEvents(tb testing.TB) []vector {
	var vectors []vector
	for line := range lines(tb, "nvlist/golden_events.txt") {
		if class, ok := strings.CutPrefix(line, "# "); ok {
			vectors = append(vectors, vector{name: class})
			continue
		}
		appendHex(tb, &vectors[len(vectors)-1], line)
	}
	return vectors
}

func recordedEvents(tb testing.TB) []vector {
	var vectors []vector
	for line := range lines(tb, "openzfs-2.1.11/events.zevents") {
		var rec struct{ Nvlist []byte }
		if err := json.Unmarshal([]byte(line), &rec); err != nil {
			tb.Fatal(err)
		}
		if rec.Nvlist != nil {
			vectors = append(vectors, vector{name: "recorded", stream: rec.Nvlist})
		}
	}
	return vectors
}

func lines(tb testing.TB, name string) func(func(string) bool) {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(testdata, name))
	if err != nil {
		tb.Fatal(err)
	}
	return func(yield func(string) bool) {
		s := bufio.NewScanner(bytes.NewReader(data))
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			if !yield(s.Text()) {
				return
			}
		}
	}
}

func appendHex(tb testing.TB, v *vector, line string) {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(line, " ", ""))
	if err != nil {
		tb.Fatalf("%s: %v", v.name, err)
	}
	v.stream = append(v.stream, b...)
}

func pair(name string, t nvlist.Type, v any) nvlist.List {
	return nvlist.New(nvlist.Pair{Name: name, Type: t, Value: v})
}

func TestGoldenTypes(t *testing.T) {
	detector := nvlist.New(
		nvlist.Pair{Name: "version", Type: nvlist.Uint8, Value: uint8(0)},
		nvlist.Pair{Name: "scheme", Type: nvlist.String, Value: "zfs"},
	)
	want := map[string]nvlist.List{
		"empty":         nvlist.New(),
		"boolean":       pair("b", nvlist.Boolean, nil),
		"boolean_value": pair("bv", nvlist.BooleanValue, true),
		"byte":          pair("by", nvlist.Byte, uint8(0xab)),
		"int8":          pair("i8", nvlist.Int8, int8(-1)),
		"uint8":         pair("u8", nvlist.Uint8, uint8(0xfe)),
		"int16":         pair("i16", nvlist.Int16, int16(-2)),
		"uint32":        pair("u32", nvlist.Uint32, uint32(0x11223344)),
		"uint64":        pair("u64", nvlist.Uint64, uint64(0x1122334455667788)),
		"string":        pair("s", nvlist.String, "abc"),
		"string_empty":  pair("s", nvlist.String, ""),
		"hrtime":        pair("hr", nvlist.HRTime, int64(0x0102030405060708)),
		"double":        pair("d", nvlist.Double, 1.5),
		"byte_array":    pair("ba", nvlist.ByteArray, []byte{1, 2, 3, 4, 5}),
		"int8_array":    pair("i8a", nvlist.Int8Array, []int8{-1, 2, 3}),
		"uint8_array":   pair("u8a", nvlist.Uint8Array, []uint8{0xff, 2, 3}),
		"int16_array":   pair("i16a", nvlist.Int16Array, []int16{-1, 2, 3}),
		"boolean_array": pair("ba", nvlist.BooleanArray, []bool{true, false}),
		"int64_array":   pair("time", nvlist.Int64Array, []int64{0x551237b8, 0x2be6d613}),
		"string_array":  pair("sa", nvlist.StringArray, []string{"a", "", "xyz"}),
		"string_array0": pair("vdev_spare_paths", nvlist.StringArray, []string{}),
		"uint64_array0": pair("vdev_spare_guids", nvlist.Uint64Array, []uint64{}),
		"nvlist":        pair("detector", nvlist.NVList, detector),
		"nvlist_array":  pair("la", nvlist.NVListArray, []nvlist.List{detector, {}}),
		"nvlist_array0": pair("la", nvlist.NVListArray, []nvlist.List{}),
	}
	for _, v := range goldenTypes(t) {
		name := v.name
		if v.xdr {
			name += " in XDR"
		}
		t.Run(name, func(t *testing.T) {
			got, err := nvlist.Decode(v.stream)
			if err != nil {
				t.Fatal(err)
			}
			list, ok := want[v.name]
			if !ok {
				t.Fatalf("the table lacks this vector, which decodes to %+v", got)
			}
			if diff := cmp.Diff(list, got); diff != "" {
				t.Errorf("Decode (-want +got):\n%s", diff)
			}
			wantEncoded(t, list, v.stream)
		})
	}
}

// TestXDR has each event in XDR and back. The bytes are checked against libnvpair
// by the tests of the module in libnvpair/.
func TestXDR(t *testing.T) {
	for _, v := range append(goldenEvents(t), recordedEvents(t)...) {
		list, err := nvlist.Decode(v.stream)
		if err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		packed, err := nvlist.Encode(list, xdr)
		if err != nil {
			t.Fatal(err)
		}
		got, err := nvlist.Decode(packed)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(list, got); diff != "" {
			t.Fatalf("XDR (-want +got):\n%s", diff)
		}
		wantEncoded(t, got, packed)
	}
}

// TestKernelXDR has the vectors as a Linux kernel writes them: what is narrower
// than 4 bytes extended by zeros.
func TestKernelXDR(t *testing.T) {
	for name, word := range map[string]uint32{"byte": 0xab, "int8": 0xff, "uint8": 0xfe, "int16": 0xfffe} {
		userland := golden(t, name, true)
		kernel := bytes.Clone(userland)
		binary.BigEndian.PutUint32(kernel[xdrValueAt:], word)
		if diff := cmp.Diff(decoded(t, userland), decoded(t, kernel)); bytes.Equal(userland, kernel) || diff != "" {
			t.Errorf("%s (-libnvpair +kernel):\n%s", name, diff)
		}
	}
}

func TestEventsRoundTrip(t *testing.T) {
	for _, v := range append(goldenEvents(t), recordedEvents(t)...) {
		list, err := nvlist.Decode(v.stream)
		if err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		wantEncoded(t, list, v.stream)
	}
}

func wantEncoded(t *testing.T, list nvlist.List, want []byte) {
	t.Helper()
	h, err := nvlist.ParseHeader(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := nvlist.Encode(list, h)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("Encode: got\n%swant\n%s", hex.Dump(got), hex.Dump(want))
	}
}

// TestBigEndian has no vector of a real machine: it checks that both orders
// hold the same values.
func TestBigEndian(t *testing.T) {
	for _, v := range recordedEvents(t)[:20] {
		list, err := nvlist.Decode(v.stream)
		if err != nil {
			t.Fatal(err)
		}
		big, err := nvlist.Encode(list, nvlist.Header{BigEndian: true})
		if err != nil {
			t.Fatal(err)
		}
		got, err := nvlist.Decode(big)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(list, got); diff != "" {
			t.Fatalf("big-endian (-want +got):\n%s", diff)
		}
	}
}

// BenchmarkLookup checks an event and finds one pair: what libnvpair takes an
// unpack, a lookup and a free for.
func BenchmarkLookup(b *testing.B) {
	eachEvent(b, func(packed []byte) error {
		v, err := nvlist.Parse(packed)
		if _, ok := v.Lookup("class", nvlist.String); !ok {
			return errors.New("no class")
		}
		return err
	})
}

func BenchmarkDecode(b *testing.B) {
	eachEvent(b, func(packed []byte) error {
		_, err := nvlist.Decode(packed)
		return err
	})
}

func eachEvent(b *testing.B, do func(packed []byte) error) {
	events := recordedEvents(b)
	var size int64
	for _, v := range events {
		size += int64(len(v.stream))
	}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, v := range events {
			if err := do(v.stream); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N*len(events))/b.Elapsed().Seconds(), "events/s")
}
