package callgraph

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
	"github.com/kmodaudit/kmodaudit/stackcheck/prototype"
)

// unit makes one of functions with their frames, and of calls given as caller, callee, depth; 0 for one that is not known.
func unit(object string, bytes map[string]int, calls ...[3]any) *Unit {
	u := &Unit{Object: object}
	for name, n := range bytes {
		u.Functions = append(u.Functions, &Function{Title: name, Name: name, Defined: true, Sized: true, Bytes: n, Kind: frame.Static})
	}
	for _, c := range calls {
		site := &CallSite{Caller: c[0].(string), Callee: c[1].(string)}
		if depth := c[2].(int); depth > 0 {
			site.Code = &Code{Depth: depth, Measured: true}
		}
		u.CallSites = append(u.CallSites, site)
	}
	return u
}

func text(p Path) string { return fmt.Sprintf("%d %s %v", p.Bytes, p.Verdict, names(p)) }

// What a caller has at the call counts, and not its whole frame: a path may also end where a frame is largest.
func TestCallSites(t *testing.T) {
	u := unit("m.ko", map[string]int{"top": 100, "middle": 500, "end": 40}, [3]any{"top", "middle", 24}, [3]any{"top", "end", 100}, [3]any{"middle", "end", 48})
	u.CallSites = append(u.CallSites, &CallSite{Caller: "tail", Callee: "end", Code: &Code{Measured: true, Tail: true}})
	u.Functions = append(u.Functions, &Function{Title: "tail", Name: "tail", Defined: true, Sized: true, Bytes: 32, Kind: frame.Static})
	g := Link([]*Unit{u})
	for function, want := range map[string]string{
		"top":  "524 exact [top+24 middle+500]",
		"tail": "40 exact [tail+0 end+40]",
	} {
		if got := text(g.WorstFrom(g.Find(function)[0])); got != want {
			t.Errorf("from %s: %s, want %s", function, got, want)
		}
	}
	if got, want := text(g.WorstThrough(g.Find("end")[0])), "140 exact [top+100 end+40]"; got != want {
		t.Errorf("through end: %s, want %s", got, want)
	}
	if steps := g.WorstFrom(g.Find("tail")[0]).Steps; !steps[1].Tail {
		t.Errorf("steps %+v, want a tail call", steps)
	}
}

func TestNoReturn(t *testing.T) {
	u := unit("m.ko", map[string]int{"top": 16, "asserts": 32, "works": 64, "spl_panic": 400, "my_end": 500},
		[3]any{"top", "asserts", 0}, [3]any{"asserts", "works", 0}, [3]any{"asserts", "spl_panic", 0}, [3]any{"spl_panic", "printk", 0}, [3]any{"works", "my_end", 0})
	g := Link([]*Unit{u})
	top := g.Find("top")[0]
	p := g.WorstFrom(top)
	if got, want := text(p), "612 exact [top+16 asserts+32 works+64 my_end+500]"; got != want || p.NoReturn != nil {
		t.Errorf("%s, and %v; want %s", got, p.NoReturn, want)
	}
	g = LinkWith([]*Unit{u}, Options{NoReturn: []string{"my_end", "none"}})
	top = g.Find("top")[0]
	p = g.WorstFrom(top)
	if got, want := text(p), "112 exact [top+16 asserts+32 works+64]"; got != want || g.DepthFrom(top) != 112 {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := text(*p.NoReturn), "612 lower bound: 1 external function [top+16 asserts+32 works+64 my_end+500]"; got != want || g.NoReturnDepthFrom(top) != 612 {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := text(g.WorstThrough(g.Find("spl_panic")[0])), "448 lower bound: 1 external function [top+16 asserts+32 spl_panic+400]"; got != want {
		t.Errorf("through spl_panic: %s, want %s", got, want)
	}
	if diff := cmp.Diff(Stale{NoReturn: []string{"none"}}, g.Stale); diff != "" {
		t.Errorf("stale (-want +got):\n%s", diff)
	}
}

func TestGivenFigures(t *testing.T) {
	u := unit("m.ko", map[string]int{"top": 16, "ring": 32, "back": 64}, [3]any{"top", "ring", 0}, [3]any{"ring", "back", 0}, [3]any{"back", "ring", 0},
		[3]any{"back", "kmalloc", 0}, [3]any{"top", "other", 0})
	for _, test := range []struct {
		options Options
		want    string
	}{
		{Options{}, "112 lower bound: 2 external functions, 1 cycle [top+16 ring+96]"},
		{Options{External: map[string]int{"kmalloc": 1000}}, "1112 lower bound: 1 external function, 1 cycle; 1 figure is given [top+16 ring+96 kmalloc+1000]"},
		{Options{External: map[string]int{"kmalloc": 1000}, ExternalBytes: 8}, "1112 lower bound: 1 cycle; 2 figures are given [top+16 ring+96 kmalloc+1000]"},
		{Options{ExternalBytes: 200, Turns: map[string]int{"back": 3}}, "504 exact if right: 3 figures are given [top+16 ring+288 kmalloc+200]"},
	} {
		g := LinkWith([]*Unit{u}, test.options)
		if got := text(g.WorstFrom(g.Find("top")[0])); got != test.want {
			t.Errorf("%+v: %s, want %s", test.options, got, test.want)
		}
		if diff := cmp.Diff(Stale{}, g.Stale); diff != "" {
			t.Errorf("stale (-want +got):\n%s", diff)
		}
	}
	g := LinkWith([]*Unit{u}, Options{External: map[string]int{"top": 8, "gone": 8}, Turns: map[string]int{"top": 2, "gone": 2}})
	if diff := cmp.Diff(Stale{External: []string{"gone", "top"}, Turns: []string{"gone", "top"}}, g.Stale); diff != "" {
		t.Errorf("stale (-want +got):\n%s", diff)
	}
}

// Modules call what the kernel exports, by its own depths; nothing begins there. Its cycles are charged with a chain.
func TestKernel(t *testing.T) {
	module := unit("m.ko", map[string]int{"top": 16}, [3]any{"top", "alloc", 0}, [3]any{"top", "same", 0})
	kernel := unit("vmlinux", map[string]int{"alloc": 32, "reclaim": 64, "warn": 100, "print": 200, "same": 8},
		[3]any{"alloc", "reclaim", 24}, [3]any{"alloc", "warn", 32}, [3]any{"reclaim", "warn", 64}, [3]any{"warn", "alloc", 100}, [3]any{"warn", "print", 100})
	kernel.Kernel = true
	local := unit("other", map[string]int{"same": 4000})
	local.Kernel = true
	kernel.Uses = []*Use{{Function: "same", Kind: Exported}}
	g := Link([]*Unit{module, kernel, local})
	top := g.Find("top")[0]
	// From alloc, warn is one call away, so that the way by reclaim is not counted.
	if got, want := text(g.WorstFrom(top)), "348 lower bound: 1 cycle [top+16 alloc+132 print+200]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if entries := g.Entries(); len(entries) != 1 || entries[0] != top {
		t.Errorf("%d entries, want top", len(entries))
	}
	g = LinkWith([]*Unit{module, kernel}, Options{External: map[string]int{"warn": 10}})
	if got, want := text(g.WorstFrom(g.Find("top")[0])), "114 exact if right: 1 figure is given [top+16 alloc+24 reclaim+64 warn+10]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestPointers(t *testing.T) {
	u := readCode(t, "testdata/code/retpoline.o")
	for i, f := range u.Functions {
		f.Frame = &frame.Frame{Function: f.Name, Bytes: 100 + i, Kind: frame.Static, Source: frame.SourceSU}
	}
	callees := func(p Policy, function string) (all []string) {
		g := LinkWith([]*Unit{u}, Options{Indirect: p})
		n := g.Find(function)[0]
		for _, call := range n.Calls {
			if call.Pointer {
				all = append(all, call.Callee.Function)
			}
		}
		return append(all, g.WorstFrom(n).Verdict.String())
	}
	for _, test := range []struct {
		policy   Policy
		function string
		want     []string
	}{
		{NoCallee, "by_slot", []string{"lower bound: 1 indirect call"}},
		{BySlot, "by_slot", []string{"my_close", "lower bound: 1 indirect call of matched functions, 1 external function"}},
		{BySlot, "by_tail_pointer", []string{"lower bound: 1 indirect call"}},
		{AnyTaken, "by_slot", []string{anywhere, "lower bound: 1 external function; 1 call may lead to any function whose address is taken"}},
		{AnyTaken, anywhere, []string{"callback", "my_close", "my_open", "thread", "lower bound: 1 external function"}},
	} {
		if diff := cmp.Diff(test.want, callees(test.policy, test.function)); diff != "" {
			t.Errorf("%s of %s (-want +got):\n%s", test.policy, test.function, diff)
		}
	}
}

func TestEntryPoints(t *testing.T) {
	var got []string
	for _, e := range Link([]*Unit{readCode(t, "testdata/code/retpoline.o"), readCode(t, small)}).EntryPoints() {
		if e.Group != Uncalled {
			got = append(got, fmt.Sprintf("%s: %s %s", e.Group, e.Node.Function, e.Reason))
		}
	}
	want := []string{
		"init: start ", "thread: thread by kthread_create_on_node in start", "table: my_close my_ops", "table: my_open my_ops",
		"callback: callback passed to register_callback in start",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entry points (-want +got):\n%s", diff)
	}
}

// Code adds to what a .ci file tells of a function.
func TestCodeOf(t *testing.T) {
	source := unit("a.o", map[string]int{"a.c:top": 100, "leaf": 48})
	source.CallSites = []*CallSite{{Caller: "a.c:top", Callee: "leaf", Position: Position{"a.c", 3, 1}}, {Caller: "a.c:top", Callee: indirect}}
	code := unit("m.ko", map[string]int{".text+0x0:top": 0, "leaf": 0, "assembly": 0})
	for _, f := range code.Functions {
		switch f.Name {
		case ".text+0x0:top":
			f.CodeOf = &Place{"a.o", "a.c:top"}
		case "leaf":
			f.CodeOf, f.Aliases = &Place{"a.o", "leaf"}, []string{"alias"}
		case "assembly":
			f.Frame = &frame.Frame{Function: "assembly", Bytes: 64, Kind: frame.Static, Source: frame.SourceORC}
		}
	}
	code.CallSites = []*CallSite{
		{Caller: ".text+0x0:top", Callee: "leaf", Code: &Code{Depth: 24, Measured: true}},
		{Caller: ".text+0x0:top", Callee: indirect, Code: &Code{}},
		{Caller: "leaf", Callee: "assembly", Code: &Code{Depth: 40, Measured: true}},
	}
	user := unit("b.o", map[string]int{"user": 16}, [3]any{"user", "alias", 0})
	g := Link([]*Unit{source, code, user})
	if len(g.Nodes) != 4 {
		t.Errorf("%d functions, want 4", len(g.Nodes))
	}
	p := g.WorstFrom(g.Find("a.c:top")[0])
	if got, want := text(p), "128 lower bound: 1 indirect call [a.c:top+24 leaf+40 assembly+64]"; got != want || p.Steps[1].Site.Line != 3 {
		t.Errorf("%s, called at line %d; want %s at 3", got, p.Steps[1].Site.Line, want)
	}
	if got, want := text(g.WorstFrom(g.Find("user")[0])), "120 exact [user+16 leaf+40 assembly+64]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// All at once, the verdicts are those of each path.
func TestVerdicts(t *testing.T) {
	g := Link([]*Unit{readGolden(t, "kinds"), readGolden(t, "caller"), readCode(t, small)})
	for i, v := range g.Verdicts(g.Nodes) {
		if diff := cmp.Diff(g.WorstFrom(g.Nodes[i]).Verdict, v); diff != "" {
			t.Errorf("%s (-want +got):\n%s", g.Nodes[i].Function, diff)
		}
	}
}

// By prototype a pointer leads to all functions that have it and whose address is taken: not to others, nor to those whose prototype is not known.
func TestPrototypes(t *testing.T) {
	u := readCode(t, "testdata/code/retpoline.o")
	p := &prototype.Prototypes{Pointers: map[object.Address]string{}}
	of := map[string]string{"my_open": "i32(i32)", "callback": "i32(i32)", "thread": "i32(void*)", "helper": "i32(i32)"}
	for i, f := range u.Functions {
		f.Frame = &frame.Frame{Function: f.Name, Bytes: 100 + i, Kind: frame.Static, Source: frame.SourceSU}
		p.Functions = append(p.Functions, of[f.Name])
	}
	at := 0
	for _, site := range u.CallSites {
		if site.Callee == indirect {
			if site.Caller == "by_slot" {
				p.Pointers[u.Pointers[at]] = "i32(i32)"
			}
			if site.Caller == "by_tail_pointer" {
				p.Pointers[u.Pointers[at]] = "void()"
			}
			at++
		}
	}
	u.SetPrototypes(p)
	g := LinkWith([]*Unit{u}, Options{Indirect: ByPrototype})
	for function, want := range map[string][]string{
		"by_slot":         {"callback", "my_open", "lower bound: 1 indirect call of matched functions, 1 external function"},
		"by_tail_pointer": {"lower bound: 1 indirect call"},
	} {
		n := g.Find(function)[0]
		var got []string
		for _, call := range n.Calls {
			if call.Pointer {
				got = append(got, call.Callee.Function)
			}
		}
		got = append(got, g.WorstFrom(n).Verdict.String())
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", function, diff)
		}
	}
}

// What is matched makes no path less deep, though it joins cycles, of which the charge is that of a chain then. The steps of each path add up.
func TestMatchingAddsDepth(t *testing.T) {
	for seed := range uint64(400) {
		graph := func(p Policy) *Graph {
			r := rand.New(rand.NewPCG(seed, 1))
			nodes := make([]*Node, 2+r.IntN(9))
			for i := range nodes {
				nodes[i] = &Node{Defined: true, Sized: true, prototype: fmt.Sprint(r.IntN(3))}
				nodes[i].Symbol = fmt.Sprint("f", i)
				nodes[i].Bytes, nodes[i].Kind = 8*r.IntN(40), frame.Static
				if r.IntN(3) > 0 {
					nodes[i].Uses = []*Use{{Kind: Taken}}
				}
			}
			for _, n := range nodes {
				called := map[*Node]bool{}
				for range r.IntN(3) {
					if callee := nodes[r.IntN(len(nodes))]; !called[callee] {
						called[callee] = true
						n.Calls = append(n.Calls, Call{Callee: callee})
					}
				}
				for range r.IntN(2) {
					n.code = append(n.code, &Code{Prototype: fmt.Sprint(r.IntN(4))})
				}
			}
			nodes[r.IntN(len(nodes))].NoReturn = r.IntN(4) == 0
			return newGraphWith(nodes, Options{Indirect: p})
		}
		none, matched := graph(NoCallee), graph(ByPrototype)
		for i, n := range none.Nodes {
			m := matched.Nodes[i]
			if none.DepthFrom(n) > matched.DepthFrom(m) || none.NoReturnDepthFrom(n) > matched.NoReturnDepthFrom(m) {
				t.Errorf("seed %d: %s is %d and %d deep, with what is matched %d and %d", seed, n.Symbol,
					none.DepthFrom(n), none.NoReturnDepthFrom(n), matched.DepthFrom(m), matched.NoReturnDepthFrom(m))
			}
			if p := matched.WorstFrom(m); p.Bytes != matched.DepthFrom(m) {
				t.Errorf("seed %d: the path from %s has %d bytes, not %d", seed, m.Symbol, p.Bytes, matched.DepthFrom(m))
			}
			if a, b := none.WorstThrough(n), matched.WorstThrough(m); a.Bytes > b.Bytes {
				t.Errorf("seed %d: the path through %s has %d bytes, with what is matched %d", seed, n.Symbol, a.Bytes, b.Bytes)
			}
		}
	}
}
