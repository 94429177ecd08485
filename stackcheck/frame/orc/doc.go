// Package orc reads what a kernel's unwinder knows of the stack, and what code itself tells, for any module or kernel of x86-64 or aarch64, without building it again.
//
// Terms:
//
//   - ORC is the table with which the kernel unwinds stacks (Documentation/arch/x86/orc-unwinder.rst). objtool computes it
//     from the machine code of each object, assembly included, when CONFIG_UNWINDER_ORC is set.
//   - The CFA (canonical frame address) is where the stack pointer was before the call of the function: the return address
//     lies right below it.
//   - A row tells, for the code from its address to that of the next, how to find the CFA: a register and an offset.
//   - The depth at an instruction is the distance from the CFA down to the stack pointer: what the activation has
//     taken of the stack when the instruction begins. It is the row's offset, where the register is the stack pointer. At
//     a function's first instruction it is 8, the return address.
//   - An interrupt's frame has no return address but registers (struct pt_regs), wholly or in part. They count.
//
// A function's frame is the largest depth at any of its rows, those of its cold parts included (see package object), less the depth at its first
// instruction, plus the 8 bytes of the return address. For nearly all functions that is the largest depth. It is what
// gcc means by its size in .su: "the maximum stack usage", return address included, arguments that are pushed too
// (gcc/toplev.cc, output_stack_usage_1). Code that is jumped to with something on the stack counts only what it adds.
//
// Where the CFA is told by another register, mostly the frame pointer, the stack pointer may be anywhere below: such a frame
// is Dynamic, and its bytes are the least that it has. They are what the function's first instructions take, as far as they
// can be followed; that is all but what realignment, a variable array, or arguments that are pushed later add. ORC tells no
// size of a function that objtool told nothing about, as of objects that the build excludes (OBJECT_FILES_NON_STANDARD).
//
// Of these functions, and of objects that have no ORC, as all of aarch64, FromCode makes such rows by following instructions. A call of aarch64 pushes nothing: there
// the depth at a function's first instruction is 0.
//
// The structure of a row (arch/x86/include/asm/orc_types.h, 6 bytes) was changed twice in what matters here: Linux 6.4 made room
// for more types of rows, and 7.2 numbered the registers anew. Rows tell by themselves what they have; no version is asked, since distributions
// backport.
package orc
