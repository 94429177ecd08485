// Package compile checks that each header of an installed directory compiles for those who include it.
//
// The terms, used the same way in every name below:
//
//   - A check compiles one generated translation unit for each header: two lines that include it, by its path below the
//     directory, and nothing else. So each header is alone, and included twice. Nothing is generated but diagnostics.
//   - The directory comes first on the include path, so that it is the installed header that is found. What follows are the
//     flags of a consumer: given, or those that a .pc file prints (pkg-config(1)). Further directories have to be among them.
//   - A failure is a header that does not compile. Its class is that of its first error; what the compiler only warns of is none,
//     but for a call of a function that is not declared, in C.
//   - An excuse says that a header need not compile, and why. One that is not needed is a failure of its own: the header compiles
//     now, or is not there.
//   - What was not checked is listed with the reason, a missing compiler or a cancellation; it is never taken for good.
//
// The kernel checks its headers for user space alike (usr/include/Makefile, CONFIG_UAPI_HEADER_TEST).
package compile
