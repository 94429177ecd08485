package nvlist_test

import (
	"fmt"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

func ExampleParse() {
	packed, err := nvlist.Encode(nvlist.New(
		nvlist.Pair{Name: "class", Type: nvlist.String, Value: "sysevent.fs.zfs.scrub_start"},
		nvlist.Pair{Name: "eid", Type: nvlist.Uint64, Value: uint64(7)},
	), nvlist.Host())
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := nvlist.Parse(packed)
	if err != nil {
		fmt.Println(err)
		return
	}
	if p, ok := v.Lookup("eid", nvlist.Uint64); ok {
		eid, _ := p.Uint(0)
		fmt.Println(eid)
	}
	for p := range v.Pairs() {
		fmt.Printf("%s %v\n", p.Name(), p.Type())
	}
	// Output:
	// 7
	// class STRING
	// eid UINT64
}
