package callgraph

import (
	"cmp"
	"slices"
	"strings"
)

// An EntryPoint is a function at which a path may begin, and why.
type EntryPoint struct {
	Node   *Node
	Group  Group
	Reason string // the table that holds it, the function that takes its address, or what it is passed to; empty if nothing tells
}

// A Group is a kind of entry points.
type Group string

const (
	Named      Group = "named"    // it was asked for
	Initcalls  Group = "init"     // the kernel calls it when a module is loaded, or when it starts
	Exits      Group = "exit"     // the kernel calls it when the module is unloaded
	Threads    Group = "thread"   // code passes its address to a function that makes threads, or queues work
	Tables     Group = "table"    // data holds its address
	Callbacks  Group = "callback" // code takes its address, for whatever purpose
	ForModules Group = "exported" // other modules may call it
	Uncalled   Group = "uncalled" // nothing calls it by name, and nothing tells how it is called
)

// Groups are all, each with what it says. A function is in the first that it belongs to.
var Groups = []struct {
	Group Group
	What  string
}{
	{Named, "asked for"},
	{Initcalls, "called when a module is loaded"},
	{Exits, "called when a module is unloaded"},
	{Threads, "become a thread, or queued work"},
	{Tables, "held by data, such as a table of operations"},
	{Callbacks, "whose address code takes"},
	{ForModules, "exported to modules"},
	{Uncalled, "called by nothing that is known"},
}

// makers are functions to which the address of a function is passed that is to run on a stack of its own: threads, queued
// work, timers; of Linux (include/linux/kthread.h, workqueue.h, timer.h, smp.h), and of OpenZFS (include/os/linux/spl/sys/thread.h,
// taskq.h).
var makers = []string{
	"kernel_thread", "kthread_create_on_cpu", "kthread_create_on_node", "kthread_create_worker", "kthread_run_on_cpu",
	"call_rcu", "init_timer_key", "irq_work_queue", "on_each_cpu_cond_mask", "queue_delayed_work_on", "queue_work_on", "smp_call_function_many",
	"smp_call_function_single", "stop_machine", "task_work_add", "tasklet_init", "tasklet_setup", "user_mode_thread",
	"__thread_create", "spl_kthread_create", "taskq_dispatch", "taskq_dispatch_delay", "taskq_dispatch_ent", "thread_create", "zthr_create",
	"zthr_create_timer", "request_threaded_irq",
}

// EntryPoints returns the functions at which paths may begin, in the order of Groups, then of Nodes: those that can be
// reached in another way than by a call by name, and those that nothing else calls. The kernel's are none.
func (g *Graph) EntryPoints() []EntryPoint {
	uncalled := make(map[*Node]bool)
	for _, n := range g.Entries() {
		uncalled[n] = true
	}
	var all []EntryPoint
	for _, n := range g.Nodes {
		if n.Defined && !n.Kernel && n.Symbol != anywhere {
			if e, ok := entryPoint(n, uncalled[n]); ok {
				all = append(all, e)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b EntryPoint) int { return cmp.Compare(rank(a.Group), rank(b.Group)) })
	return all
}

func rank(group Group) int {
	for i, g := range Groups {
		if g.Group == group {
			return i
		}
	}
	return len(Groups)
}

func entryPoint(n *Node, uncalled bool) (e EntryPoint, ok bool) {
	e = EntryPoint{Node: n, Group: Uncalled}
	for _, use := range n.Uses {
		if group, reason := use.group(); rank(group) < rank(e.Group) {
			e.Group, e.Reason = group, reason
		}
	}
	return e, uncalled || e.Group != Uncalled
}

// group returns to which group a use adds a function, and why.
func (u *Use) group() (Group, string) {
	switch u.Kind {
	case Initial:
		return Initcalls, ""
	case Final:
		return Exits, ""
	case Exported:
		return ForModules, ""
	case InTable:
		return Tables, u.Holder
	}
	if u.PassedTo == "" {
		return Callbacks, "in " + u.Holder
	}
	if slices.Contains(makers, strings.TrimSuffix(u.PassedTo, "_noprof")) {
		return Threads, "by " + u.PassedTo + " in " + u.Holder
	}
	return Callbacks, "passed to " + u.PassedTo + " in " + u.Holder
}
