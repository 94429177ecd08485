// Package framemap tells what lies in a function's frame, and whose it is: it reads the debug information (DWARF) of an object.
//
// Terms:
//
//   - The canonical frame address (CFA) is where the stack pointer was before the call that began the function. A frame lies below
//     it: first the return address, then saved registers, and then variables and what the compiler spills.
//   - A scope is a function's own body, or that of a function that was inlined into it, at one place. Scopes form a tree: inlined
//     functions have functions inlined into them. Blocks within a function are no scopes here.
//   - A variable lies in the frame when its location is an offset from the frame's base (DW_OP_fbreg), or from the stack pointer where gcc rounds it down or clang does without a base, for all of the
//     scope or for a part of it: one that is mostly in a register has a place on the stack where it was spilled. One
//     that has no such location takes nothing.
//   - A span is a range of bytes in the frame. Variables that do not live at once share spans: compilers put those of two inlined
//     functions, called one after the other, at the same place. So bytes are those of the union of spans, and do not add up.
//   - What variables cover of a frame is the union of all of their spans. The rest is the return address, saved registers, arguments that
//     are pushed, spills and temporaries without a name, and alignment: debug information does not tell these apart.
//   - The marginal bytes of an inlined function are those that nothing else covers: what the frame would be without it
//     is less by that much. They are no more than its bytes, and less as far as it shares.
//
// The format is DWARF 2 to 5 of 32 bits (dwarfstd.org), as gcc and clang write it with -g. Each unit is read for itself, so that
// what one says wrongly does not hurt the others. debug/dwarf reads the entries; the tables that it would allocate without
// looking at how much there is (those of abbreviations and of files) are measured, or read, here.
package framemap
