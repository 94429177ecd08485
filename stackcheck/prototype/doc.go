// Package prototype tells of calls through pointers which prototype the pointer has, and of functions which is theirs: it reads the
// types of an object from its debug information (DWARF) or from BTF, and follows them through the code.
//
// Terms:
//
//   - A prototype is the types of what a function returns and of its parameters. Here it is a text that is the same for types that are
//     compatible in C, whichever unit they are from: structures go by their tags, numbers by their sizes and signs, typedefs and
//     qualifiers do not count. An enumeration is an unsigned number of its size, as gcc has it.
//   - A value is what a register or a place in the frame holds: a pointer to a type, at an offset in it. What is not known to be one is
//     no value.
//
// How types are followed (perf annotate --data-type does the like, for the type of what an instruction reads):
//
//   - At a function's first instruction the parameters are where the System V ABI of x86-64 puts them. Clones whose parameters the
//     compiler has changed (.isra, .constprop) have none.
//   - A load from where a value points gives the type of the member there, which counts if that is a pointer. Members of all structures
//     of a union count as far as they agree.
//   - The place of a variable is a value, and a call gives what the function returns.
//   - What is stored into the frame is there until something else is, or until a call may change it: what lies in the frame at or above an
//     address that is in a register is no longer known after a call.
//   - Where the debug information says that a variable is in a register, or in the frame, of which the code does not tell what it
//     holds, that is a value of the variable's type: it may have been a void pointer before.
//   - Where ways through the code meet, the values stay that are the same on all of them.
//   - Casts are not seen: C code that calls a function by a pointer of another prototype is not right, and none of the kernel's checks
//     for control flow integrity lets it pass.
//
// A call is left out if its pointer's type is not known: it comes out of a void pointer, a number, assembly, or container_of.
package prototype
