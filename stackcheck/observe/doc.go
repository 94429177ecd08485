// Package observe lays what a run really used of the stack beside what is known of it without running: it reads the kernel's
// stack tracer, and compares its trace with a build, call by call.
//
// Terms:
//
//   - The stack tracer (CONFIG_STACK_TRACER, kernel/trace/trace_stack.c) looks at the depth of the stack whenever a function is
//     entered, and keeps a trace of the deepest that it has seen, on any processor, in any task.
//   - A trace is a list of entries, the innermost first. Its bytes are the depth of the first.
//   - An entry is a return address that was found on the stack: it lies in a function, so many bytes behind its start (the
//     offset) of so many (the length). The length tells builds of a function apart.
//   - The depth of an entry is the distance from the end of the stack down to that return address. The size of an entry is its
//     depth less that of the next: from the return address that the function pushed by a call, to the one that was pushed
//     when it was called itself. That is what the function had taken of the stack at that call, one return address
//     included: gcc's size of a frame, or less where the frame was not at its deepest.
//   - The traced function is the first entry: it was entered just then and has no frame yet. What lies above its own return
//     address is the tracer's.
//     Where the kernel keeps frame pointers, the caller of the traced function is shown 24 bytes larger, by which its size is corrected.
//   - The depth at a call is what ORC tells of the instruction before the return address, or where the module has none, its code. It has to be the size of the entry.
//   - A run is a sequence of entries of modules of the build, with no other function in between.
//
// A bound that is said to be exact and is below what was observed is a Finding: no stack is deeper than an exact bound, so
// either the trace is of another build, or what is known of this one is wrong.
//
// What the tracer does not see: functions that it does not trace (noinstr, those of its filter), interrupts that run on a
// stack of their own, and what a function takes after it was entered, unless it calls another.
package observe
