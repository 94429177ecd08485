package callgraph

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame/orc"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

const small = "../../testdata/small-module/gcc/small.ko"

func readCode(t testing.TB, name string) *Unit {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := object.Open(bytes.NewReader(data), int64(len(data)), name)
	if err != nil {
		t.Fatal(err)
	}
	table, _ := orc.Read(f)
	u, err := ReadObject(f, table)
	if err != nil {
		t.Fatal(err)
	}
	u.Object = "code.o"
	return u
}

// sites describes the calls of each function, in the order of the code.
func sites(u *Unit) map[string][]string {
	all := make(map[string][]string)
	for _, site := range u.CallSites {
		caller, _ := frame.SymbolOf(site.Caller)
		text, _ := frame.SymbolOf(site.Callee)
		if site.Code.Tail {
			text += " by jump"
		}
		if site.Code.Measured {
			text += fmt.Sprintf(" at %d", site.Code.Depth)
		}
		if s := site.Code.Slot; s.Known {
			text += fmt.Sprintf(" from %s+%d", s.Table, s.Offset)
		}
		all[caller] = append(all[caller], text)
	}
	return all
}

func uses(u *Unit) []string {
	var all []string
	for _, use := range u.Uses {
		name, _ := frame.SymbolOf(use.Function)
		text := fmt.Sprintf("%s %s %s+%d", name, use.Kind, use.Holder, use.Offset)
		if use.PassedTo != "" {
			text += " to " + use.PassedTo
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

// Calls of local functions have no relocation; those of others have one; of a switch's jumps none is told.
func TestReadObject(t *testing.T) {
	want := map[string][]string{
		"helper": {"sink"}, "my_open": {"helper"}, "my_close": {"helper"}, "by_table": {"helper"}, "thread": {"helper by jump"}, "callback": {"helper"},
		"by_slot":         {"__indirect_call from +8"},
		"by_tail_pointer": {"__indirect_call by jump from hook+0"},
		"by_static_call":  {"__SCT__hook"},
		"by_two":          {"sink", "tail_target"},
		"start":           {"kthread_create_on_node", "register_callback by jump", "panic"},
		"chooses":         {"sink by jump", "sink by jump", "sink by jump", "sink by jump", "sink by jump", "sink by jump"},
		"weak_one":        {"helper"},
	}
	used := []string{
		"callback taken start+0 to register_callback", "my_close table my_ops+8", "my_open table my_ops+0", "thread taken start+0 to kthread_create_on_node",
	}
	for name, change := range map[string]func(map[string][]string){
		"retpoline.o": func(map[string][]string) {},
		"plain.o":     func(map[string][]string) {},
		"aarch64.o": func(want map[string][]string) { // clang's choice, and without where pointers come from
			want["by_slot"], want["by_tail_pointer"] = []string{"__indirect_call"}, []string{"__indirect_call by jump"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := readCode(t, "testdata/code/"+name)
			want := cloneOf(want)
			change(want)
			got := sites(u)
			if !slices.Contains(got["recurses"], "recurses") || !slices.Contains(got["recurses"], "helper") {
				t.Errorf("the sites of recurses are %q", got["recurses"])
			}
			delete(got, "recurses")    // compilers unroll it as they like
			if name != "retpoline.o" { // where compilers order code as they like
				for _, function := range []string{"chooses", "start"} {
					delete(want, function)
					delete(got, function)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("sites (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(used, uses(u)); diff != "" {
				t.Errorf("uses (-want +got):\n%s", diff)
			}
		})
	}
}

func cloneOf(m map[string][]string) map[string][]string {
	c := make(map[string][]string)
	for k, v := range m {
		c[k] = v
	}
	return c
}

// Linked, calls of what is there are found by their distance alone, and data by its words.
func TestReadLinkedObject(t *testing.T) {
	u := readCode(t, "testdata/code/linked")
	got := sites(u)
	for function, want := range map[string][]string{
		"my_open": {"helper"}, "by_slot": {"__indirect_call from +8"}, "by_table": {"helper"}, "thread": {"helper by jump"},
	} {
		if diff := cmp.Diff(want, got[function]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", function, diff)
		}
	}
	for _, want := range []string{"my_open table my_ops+0", "my_close table my_ops+8", "thread taken start+0"} {
		if !slices.ContainsFunc(uses(u), func(s string) bool { return len(s) >= len(want) && s[:len(want)] == want }) {
			t.Errorf("%q is not among the uses %q", want, uses(u))
		}
	}
}

// ORC tells how deep the stack is at each call.
func TestReadObjectWithDepths(t *testing.T) {
	want := map[string][]string{
		"local": {"sink at 64", "sink at 224"}, "cloned.constprop.0": {"sink at 144"}, "fixed": {"sink at 312"},
		"in_assembly": {"sink at 64"}, "has_cold_part": {"sink at 32", "sink at 40"},
	}
	got := sites(readCode(t, small))
	for function := range got {
		if want[function] == nil {
			delete(got, function)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sites (-want +got):\n%s", diff)
	}
}

func FuzzReadObject(f *testing.F) {
	for _, name := range []string{small, "testdata/code/retpoline.o", "testdata/code/plain.o", "testdata/code/aarch64.o", "testdata/code/linked"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := object.Open(bytes.NewReader(data), int64(len(data)), "x.ko")
		if err != nil {
			return
		}
		table, _ := orc.Read(o)
		u, err := ReadObject(o, table)
		if err != nil {
			return
		}
		if len(u.Functions) != len(o.Functions()) {
			t.Errorf("%d functions, want %d", len(u.Functions), len(o.Functions()))
		}
		g := LinkWith([]*Unit{u}, Options{Indirect: BySlot})
		for _, n := range g.Nodes {
			if p := g.WorstFrom(n); p.Bytes != g.DepthFrom(n) {
				t.Errorf("%s: a path of %d bytes, want %d", n.Symbol, p.Bytes, g.DepthFrom(n))
			}
		}
	})
}
