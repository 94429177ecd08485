// Package callgraph knows which function calls which, and how deep the stack gets along the way.
//
// Terms:
//
//   - A unit is what one run of the compiler translated, and what one .ci file describes; or the code of one object (.o, .ko,
//     vmlinux), see ReadObject.
//   - A title names a function within its unit's .ci file. The title of a symbol that other units can see is the symbol
//     itself. The title of a local or weak symbol begins with the unit's source file and a colon, or in an object with its address and a colon. Symbols are assembler names.
//   - A node is a function: defined when a unit of the graph holds its body, external otherwise.
//   - A call is an edge of the graph: at least one call site in the caller that names the callee. A call through a pointer
//     has no callee and is no edge; the caller only keeps its site, unless a Policy says where it may lead. Calls in assembly are
//     not in a .ci file at all, but in code.
//   - The depth of a call site is what the caller has of the stack when the callee begins. Code tells it where ORC does; otherwise it
//     is the caller's frame. A tail call is a jump, at which the caller has nothing of the stack any more.
//   - A function that does not return ends its thread, or the system. Paths leave it out, and tell beside what they take with it.
//   - A component is a largest set of functions that can all reach each other. It is a cycle when it has a call inside:
//     functions that recurse, directly or in turn. Between components the calls have no cycle: they are the condensation.
//   - A path is a chain of calls. Its bytes are the sum of the depths of its call sites, and the frame at its end; a cycle on the
//     path is charged once, with the sum of all its members, or as often as is given. One of the kernel is charged with a chain.
//   - A use is a way to reach a function other than by a call of its name. It makes the function an entry point.
//   - A verdict tells whether the bytes of a path are exact, or a lower bound, and because of what.
//
// Reading (Reader, ReadUnit, ReadObject), linking units into a graph (Link), and each analysis of the graph stand in a file of their own.
package callgraph
