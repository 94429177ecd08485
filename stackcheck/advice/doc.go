// Package advice says why a frame is heavy, and what would help: whose variables it holds, and what the deepest paths would
// take if a function were not inlined, or a variable were on the heap.
//
// Terms, beyond those of the packages framemap and callgraph:
//
//   - An option is one change of the source. It makes a frame smaller; whether it helps is a question of paths, not of frames.
//   - A function that is no longer inlined (noinline_for_stack of the kernel, include/linux/compiler_types.h) takes a frame of
//     its own. Paths that go on through it grow by what that frame has beside the variables that it takes along: a return address,
//     saved registers. Paths that leave the function elsewhere shrink, and so does each turn of a recursion that does.
//   - The frame of a function that has none yet is an estimate, see calleeBytes. That of one that has code of its own too, because
//     it is called elsewhere, is known.
//   - A verdict compares the deepest path through the function before and after.
//
// What the compiler would do beside that is not foreseen: it may inline another function instead, since the one that is left has
// become smaller (-fconserve-stack limits growth), or keep other variables in registers.
package advice
