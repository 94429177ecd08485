package nvlist_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

type group struct {
	Path string `nvlist:"path"`
}

type inner struct {
	N    int         `nvlist:"n"`
	Rest nvlist.List `nvlist:",rest"`
}

type state uint64

type outer struct {
	Wide    uint64      `nvlist:"wide"`
	Narrow  int8        `nvlist:"narrow"`
	State   state       `nvlist:"state"`
	Yes     bool        `nvlist:"yes"`
	Flag    bool        `nvlist:"flag"`
	Text    string      `nvlist:"text"`
	Texts   []string    `nvlist:"texts"`
	Numbers []int       `nvlist:"numbers"`
	Bytes   []byte      `nvlist:"bytes"`
	Real    float64     `nvlist:"real"`
	Inner   inner       `nvlist:"inner"`
	Inners  []inner     `nvlist:"inners"`
	List    nvlist.List `nvlist:"list"`
	Maybe   *uint32     `nvlist:"maybe"`
	Never   *uint32     `nvlist:"never"`
	Group   *group      `nvlist:",inline"`
	None    *struct {
		X int `nvlist:"x"`
	} `nvlist:",inline"`
	Untagged int
	Rest     nvlist.List `nvlist:",rest"`
}

func TestUnmarshal(t *testing.T) {
	n := func(v int32) nvlist.Pair { return nvlist.Pair{Name: "n", Type: nvlist.Int32, Value: v} }
	other := nvlist.Pair{Name: "other", Type: nvlist.Uint8, Value: uint8(9)}
	list := nvlist.New(
		nvlist.Pair{Name: "wide", Type: nvlist.Int32, Value: int32(5)},
		nvlist.Pair{Name: "narrow", Type: nvlist.Int64, Value: int64(-5)},
		nvlist.Pair{Name: "state", Type: nvlist.Uint64, Value: uint64(7)},
		other,
		nvlist.Pair{Name: "yes", Type: nvlist.BooleanValue, Value: true},
		nvlist.Pair{Name: "flag", Type: nvlist.Boolean},
		nvlist.Pair{Name: "text", Type: nvlist.String, Value: "first"},
		nvlist.Pair{Name: "text", Type: nvlist.String, Value: "last"},
		nvlist.Pair{Name: "texts", Type: nvlist.StringArray, Value: []string{"a", ""}},
		nvlist.Pair{Name: "numbers", Type: nvlist.Uint16Array, Value: []uint16{1, 2}},
		nvlist.Pair{Name: "bytes", Type: nvlist.ByteArray, Value: []byte{3}},
		nvlist.Pair{Name: "real", Type: nvlist.Double, Value: 1.5},
		nvlist.Pair{Name: "inner", Type: nvlist.NVList, Value: nvlist.New(n(1), other)},
		nvlist.Pair{Name: "inners", Type: nvlist.NVListArray, Value: []nvlist.List{nvlist.New(n(2)), nvlist.New(other)}},
		nvlist.Pair{Name: "list", Type: nvlist.NVList, Value: nvlist.New(n(3))},
		nvlist.Pair{Name: "maybe", Type: nvlist.Uint32, Value: uint32(0)},
		nvlist.Pair{Name: "path", Type: nvlist.String, Value: "/dev/sda"},
	)
	var got outer
	if err := list.Unmarshal(&got); err != nil {
		t.Fatal(err)
	}
	want := outer{
		Wide: 5, Narrow: -5, State: 7, Yes: true, Flag: true, Text: "last", Texts: []string{"a", ""}, Numbers: []int{1, 2},
		Bytes: []byte{3}, Real: 1.5,
		Inner:  inner{N: 1, Rest: nvlist.New(other)},
		Inners: []inner{{N: 2, Rest: nvlist.New()}, {Rest: nvlist.New(other)}},
		List:   nvlist.New(n(3)), Maybe: new(uint32), Group: &group{"/dev/sda"},
		Rest: nvlist.New(other, nvlist.Pair{Name: "text", Type: nvlist.String, Value: "first"}),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What does not fit is an error of its own and stays in the rest; the others are
// filled.
func TestUnmarshalMisfits(t *testing.T) {
	misfits := []nvlist.Pair{
		{Name: "narrow", Type: nvlist.Int32, Value: int32(200)},
		{Name: "wide", Type: nvlist.Int32, Value: int32(-1)},
		{Name: "text", Type: nvlist.Uint64, Value: uint64(65)},
		{Name: "yes", Type: nvlist.Uint64, Value: uint64(1)},
		{Name: "numbers", Type: nvlist.StringArray, Value: []string{"x"}},
		{Name: "inner", Type: nvlist.String, Value: "x"},
		{Name: "maybe", Type: nvlist.Uint64, Value: uint64(1 << 40)},
		{Name: "bytes", Type: nvlist.Boolean},
	}
	fits := nvlist.Pair{Name: "state", Type: nvlist.Uint64, Value: uint64(7)}
	var got outer
	err := nvlist.New(append(misfits, fits)...).Unmarshal(&got)
	if diff := cmp.Diff(outer{State: 7, Rest: nvlist.New(misfits...)}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != len(misfits) {
		t.Fatalf("got error %v, want %d", err, len(misfits))
	}
	var misfit *nvlist.UnmarshalTypeError
	if !errors.As(err, &misfit) || misfit.Name != "wide" {
		t.Errorf("got %+v first, want the one of the first field, wide", misfit)
	}
}

func TestUnmarshalNeedsAStruct(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("want a panic: this is a mistake of the program, not of its input")
		}
	}()
	_ = nvlist.New().Unmarshal(new(int))
}
