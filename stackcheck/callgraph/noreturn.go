package callgraph

import (
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// NoReturn are the functions that are known not to return: what runs of the stack below them is the end of the thread, or
// of the system. Those of the kernel are from the list by which objtool knows them (tools/objtool/noreturns.h, and
// tools/objtool/check.c before Linux 6.4), without those that run as long as the system does, such as cpu_startup_entry.
// spl_panic is that of OpenZFS, where all of its assertions end (module/os/linux/spl/spl-err.c).
var NoReturn = []string{
	"__fortify_panic", "__module_put_and_kthread_exit", "__stack_chk_fail", "__ubsan_handle_builtin_unreachable",
	"do_exit", "do_group_exit", "do_task_dead", "ex_handler_msr_mce", "fortify_panic", "hlt_play_dead", "hv_ghcb_terminate",
	"kthread_complete_and_exit", "kthread_exit", "lbug_with_loc", "machine_real_restart", "make_task_dead", "mpt_halt_firmware",
	"nmi_panic_self_stop", "panic", "panic_smp_self_stop", "rewind_stack_and_make_dead", "sev_es_terminate", "snp_abort", "spl_panic",
	"stop_this_cpu", "usercopy_abort",
}

// ReturnsNever tells the symbols of NoReturn.
func ReturnsNever(symbol string) bool { return slices.Contains(NoReturn, frame.BaseName(symbol)) }

// markNoReturn notes which functions do not return, and which of the options are about none.
func (g *Graph) markNoReturn(more []string) {
	known := make(map[string]bool, len(NoReturn)+len(more))
	for _, symbol := range slices.Concat(NoReturn, more) {
		known[symbol] = true
	}
	found := make(map[string]bool)
	for _, n := range g.Nodes {
		base := frame.BaseName(n.Symbol)
		n.NoReturn = known[base]
		found[base] = true
	}
	for _, symbol := range more {
		if !found[symbol] {
			g.Stale.NoReturn = append(g.Stale.NoReturn, symbol)
		}
	}
}
