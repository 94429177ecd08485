// Package callgraph knows which function calls which, and how deep the stack gets along the way.
//
// Terms:
//
//   - A unit is what one run of the compiler translated, and what one .ci file describes.
//   - A title names a function within its unit's .ci file. The title of a symbol that other units can see is the symbol
//     itself. The title of a local or weak symbol begins with the unit's source file and a colon. Symbols are assembler names.
//   - A node is a function: defined when a unit of the graph holds its body, external otherwise.
//   - A call is an edge of the graph: at least one call site in the caller that names the callee. A call through a pointer
//     has no callee and is no edge; the caller only keeps its site. Calls in assembly are not in a .ci file at all.
//   - A component is a largest set of functions that can all reach each other. It is a cycle when it has a call inside:
//     functions that recurse, directly or in turn. Between components the calls have no cycle: they are the condensation.
//   - A path is a chain of calls. Its bytes are the sum of the frames along it; a cycle on the path is charged once, with
//     the sum of all its members.
//   - A verdict tells whether the bytes of a path are exact, or a lower bound, and because of what.
//
// Reading (Reader, ReadUnit), linking units into a graph (Link), and each analysis of the graph stand in a file of their own.
package callgraph
