package observe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// Compare lays traces beside a build. Binaries, which may be empty, are those of the same build: only they tell whether a trace is
// of it, what the depth at each call is, and which frames are realigned.
func Compare(traces []Trace, b stackcheck.Build, binaries Binaries) []Observation {
	c := comparison{statics: newStatics(b), graph: b.Graph, binaries: binaries,
		worst: make(map[*callgraph.Node]callgraph.Path), relations: make(map[ends]string)}
	var all []Observation
	for _, t := range traces {
		all = append(all, c.observe(t))
	}
	return all
}

type comparison struct {
	statics  *statics
	graph    *callgraph.Graph
	binaries Binaries

	worst     map[*callgraph.Node]callgraph.Path // what was found out: traces have the same functions again and again
	relations map[ends]string
}

type ends struct{ caller, callee *callgraph.Node }

// worstFrom returns the deepest path from a function.
func (c *comparison) worstFrom(n *callgraph.Node) callgraph.Path {
	p, ok := c.worst[n]
	if !ok {
		p = c.graph.WorstFrom(n)
		c.worst[n] = p
	}
	return p
}

// relation returns why the graph has no call from one entry's function to the next, or nothing.
func (c *comparison) relation(caller, callee *callgraph.Node) string {
	key := ends{caller, callee}
	text, ok := c.relations[key]
	if !ok {
		text = relation(caller, callee)
		c.relations[key] = text
	}
	return text
}

func (c *comparison) observe(t Trace) Observation {
	o := Observation{Title: t.Title, Bytes: t.Bytes(), Steps: make([]Step, len(t.Entries)), Findings: []Finding{}}
	var caller *callgraph.Node
	for i := len(t.Entries) - 1; i >= 0; i-- { // callers first: they tell which function of a name is meant
		s := c.step(t.Entries, i, caller)
		if s.Module != "" {
			o.ModuleBytes += s.Size
		}
		o.Steps[i], caller = s.Step, s.node
		o.Findings = append(o.Findings, s.findings...)
		if s.match == foreign {
			o.Foreign++
		}
	}
	for i := range o.Steps {
		if i+1 < len(o.Steps) {
			o.Steps[i].remark(c.relation(o.Steps[i+1].node, o.Steps[i].node))
		}
	}
	o.Run = c.longestRun(o.Steps)
	o.Findings = append(o.Findings, c.exceededPaths(o.Steps)...)
	return o
}

// judged is a step and what was found out on the way.
type judged struct {
	Step
	match    match
	findings []Finding
}

func (s *Step) remark(text string) {
	if text != "" {
		s.Remarks = append(s.Remarks, text)
	}
}

func (c *comparison) step(entries []Entry, i int, caller *callgraph.Node) judged {
	e := entries[i]
	code := c.binaries.modules[e.Module]
	copied := code.copiedBelow(i)
	e.Size -= copied
	s := judged{Step: Step{Entry: e}}
	if copied > 0 {
		s.remark(fmt.Sprintf("less %d bytes, below which the tracer has a copy of its return address: the kernel keeps frame pointers", copied))
	}
	at, match := code.find(e)
	if s.match = match; match == foreign {
		s.remark("the build has no such function of that length")
		return s
	}
	fn := c.statics.function(e)
	if fn != nil {
		s.Frame = &fn.Frames[0]
	}
	s.node = c.statics.node(e, caller, s.Frame)
	if strings.Contains(e.Function, coldSuffix) {
		s.remark("its cold part")
	}
	if excuse := excuse(entries, i); excuse != "" {
		s.remark(excuse)
		return s
	}
	if match == same {
		s.AtCallBytes = code.depthAtCall(at, e)
	}
	if s.AtCallBytes > 0 && s.AtCallBytes != e.Size {
		s.findings = append(s.findings, finding(CallDiffers, e, s.AtCallBytes, e.Size,
			fmt.Sprintf("%s had taken %d bytes when it called at +%#x; %s tells %d there", e.Function, e.Size, e.Offset, code.teller(), s.AtCallBytes)))
	}
	switch {
	case fn == nil:
		return s
	case s.Frame.Kind == frame.Dynamic:
		s.remark("grows at run time")
		return s
	}
	s.BoundBytes = s.Frame.Bytes
	if extra := s.realigned(); extra > 0 {
		s.remark(fmt.Sprintf("realigns its frame, of which %s leaves out %d bytes", sourceName(s.Frame.Source), extra))
	}
	if e.Size > s.BoundBytes {
		s.findings = append(s.findings, exceeded(s))
	}
	return s
}

// realigned returns how much of the frame is what gcc leaves out of realigning it.
func (s *judged) realigned() int {
	if s.Frame.IsGCC() {
		return s.Frame.AddedBytes
	}
	return 0
}

func exceeded(s judged) Finding {
	says := fmt.Sprintf("%s says %d (%s)", sourceName(s.Frame.Source), s.Frame.Bytes-s.realigned(), s.Frame.Kind)
	if extra := s.realigned(); extra > 0 {
		says += fmt.Sprintf(", with %d more for realigning", extra)
	}
	f := finding(FrameExceeded, s.Entry, s.BoundBytes, s.Size, fmt.Sprintf("%s took %d bytes, and %s", s.Function, s.Size, says))
	if s.match == unknown {
		f.Remedy = "read the module (.ko) too: it tells whether the build is what ran, and whether the function realigns its frame, which gcc counts in part"
	}
	return f
}

func sourceName(s frame.Source) string {
	switch s {
	case frame.SourceSU, frame.SourceCI:
		return "gcc (." + string(s) + ")"
	case frame.SourceStackSizes:
		return "clang (.stack_sizes)"
	case frame.SourceCode:
		return "its code"
	}
	return "ORC"
}

func finding(kind FindingKind, e Entry, bound, observed int, message string) Finding {
	return Finding{
		Kind: kind, Function: e.Function, Module: e.Module, BoundBytes: bound, ObservedBytes: observed, Message: message,
		Remedy: "make sure that the build is what ran, with its .ko files in it; if it is, what is known of its stack is wrong: report it",
	}
}

// excuse tells why the size of an entry is not the function's own.
func excuse(entries []Entry, i int) string {
	e := entries[i]
	switch {
	case i == 0:
		return "was just entered; the bytes are the tracer's"
	case entersKernel(e.Function):
		return "the registers that were saved on entry to the kernel"
	case randomised[e.Function]:
		return "with up to 1,023 random bytes (CONFIG_RANDOMIZE_KSTACK_OFFSET)"
	case interrupts(entries[i-1].Function):
		return "was interrupted here; part of the registers is counted"
	case slices.Contains(lostReturns, entries[i-1].Function):
		return "its return address was taken by a tracer; the caller's bytes are in it"
	case e.Length == 0:
		return "no symbol"
	}
	return ""
}

// Functions that system calls enter the kernel by; those on the right make room that is random since Linux 5.13 (add_random_kstack_offset).
var (
	randomised  = map[string]bool{"do_syscall_64": true, "invoke_syscall": true, "__do_fast_syscall_32": true, "do_int80_syscall_32": true}
	lostReturns = []string{"return_to_handler", "kretprobe_trampoline", "__kretprobe_trampoline", "arch_rethook_trampoline"}
)

// entersKernel tells the assembly that saves registers (arch/x86/entry, arch/arm64/kernel/entry.S).
func entersKernel(function string) bool {
	return strings.HasPrefix(function, "entry_") || strings.HasPrefix(function, "ret_from_fork") || interrupts(function)
}

// interrupts tells the assembly that interrupts and exceptions run first.
func interrupts(function string) bool {
	for _, prefix := range []string{"asm_", "el0", "el1", "apic_timer_interrupt", "common_interrupt", "ret_from_intr", "page_fault", "error_entry", "irq_entries", "reschedule_interrupt", "call_function_"} {
		if strings.HasPrefix(function, prefix) {
			return true
		}
	}
	return false
}

func relation(caller, callee *callgraph.Node) string {
	if caller == nil || callee == nil || calls(caller, callee) {
		return ""
	}
	switch chain := tailCallers(caller, callee); len(chain) {
	case 0:
	case 1:
		return fmt.Sprintf("called by %s, which is gone: a tail call", chain[0])
	default:
		return fmt.Sprintf("called by way of %s, which are gone: tail calls", strings.Join(chain, ", "))
	}
	if len(caller.Indirect) > 0 {
		return "called through a pointer"
	}
	return "called by assembly, by a static call, or through a pointer by a function that is gone"
}

// longestRun returns the run that has taken most. The traced function, which has no frame, does not count.
func (c *comparison) longestRun(steps []Step) *Run {
	var best *Run
	for end := 1; end < len(steps); {
		if steps[end].Module == "" || steps[end].Frame == nil {
			end++
			continue
		}
		begin := end
		r := Run{To: steps[end].Function}
		for ; begin < len(steps) && steps[begin].Module != "" && steps[begin].Frame != nil; begin++ {
			r.Calls++
			r.ObservedBytes += steps[begin].Size
			r.FrameBytes += steps[begin].Frame.Bytes
		}
		first, last := steps[begin-1], steps[end]
		r.From = first.Function
		if first.node != nil && last.node != nil {
			r.BetweenBytes, _ = between(c.graph, first.node, last.node)
		}
		c.addWorst(&r, steps, end, begin)
		if best == nil || r.ObservedBytes > best.ObservedBytes {
			best = &r
		}
		end = begin
	}
	return best
}

// addWorst adds what the graph tells of the functions of a run, which are steps from one index up to another. It is that of the
// function from which the stack can get deepest: calls through pointers hide from those above what those below can do.
func (c *comparison) addWorst(r *Run, steps []Step, from, to int) {
	deepest := -1
	for i := from; i < to; i++ {
		if n := steps[i].node; n != nil && below(steps, i+1)+c.graph.DepthFrom(n) >= deepest { // of equally deep ones, the outermost
			deepest, r.Above = below(steps, i+1)+c.graph.DepthFrom(n), i+1
		}
	}
	if deepest < 0 {
		return
	}
	s := steps[r.Above-1]
	worst := c.worstFrom(s.node)
	r.WorstFrom, r.Worst, r.WorstBytes, r.Verdict, r.LowerBound = s.Function, &worst, worst.Bytes, &worst.Verdict, !worst.Verdict.Exact()
	r.BelowBytes = steps[1].Depth + frame.ReturnAddressBytes - below(steps, r.Above)
}

// below returns the depth of the entry at an index, 0 behind the last.
func below(steps []Step, i int) int {
	if i < len(steps) {
		return steps[i].Depth
	}
	return 0
}

// exceededPaths finds functions from which the stack got deeper than an exact bound. What an interrupt took, and what the
// tracer took, is not theirs.
func (c *comparison) exceededPaths(steps []Step) []Finding {
	var found []Finding
	taken := 0 // below the step
	for i, s := range steps {
		switch {
		case i == 0:
			taken += min(s.Size, frame.ReturnAddressBytes)
		case interrupts(s.Function):
			taken = 0
		case interrupts(steps[i-1].Function):
			if taken = s.Size; s.Frame != nil {
				taken = min(taken, s.Frame.Bytes)
			}
		default:
			taken += s.Size
		}
		if s.node == nil || s.BoundBytes == 0 {
			continue
		}
		worst := c.worstFrom(s.node)
		most := worst.Bytes
		if worst.NoReturn != nil {
			most = worst.NoReturn.Bytes
		}
		if worst.Verdict.Exact() && taken > most {
			found = append(found, finding(PathExceeded, s.Entry, most, taken,
				fmt.Sprintf("the stack got %d bytes deep from %s on; the deepest path from there has exactly %d", taken, s.Function, most)))
		}
	}
	return found
}
