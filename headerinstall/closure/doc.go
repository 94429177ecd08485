// Package closure finds what a tree of installed headers includes but does not hold, without a compiler.
//
// The terms, used the same way in every name below:
//
//   - The tree is the installed directory: what a consumer names with one -I.
//   - A system directory is searched after the tree, as a consumer's further -I and -isystem are. Its files are only
//     looked for, never read: what they include is not the tree's matter.
//   - A consumer is source code outside the tree that includes it. A header that no other header includes is missed by its
//     consumers alone: in OpenZFS, sys/fm/fs/zfs.h is included by the module's .c files only.
//   - A branch is what lies between two directives of one conditional (#if, #elif, #else, #endif). Its condition is the
//     directive that opens it, as text. A branch is dead if its condition is the literal 0, or an earlier one the literal 1;
//     what is dead is not looked at.
//   - An include is missing if it leads to no file of the tree or of a system directory, whatever its conditions are: they
//     are reported, not evaluated. So is an absolute name, wherever it leads here. It is optional instead if a conditional around it asks __has_include for the same name.
//   - A computed include has a macro in place of a name; where it leads is not known here.
//   - A guard is #ifndef X, or #if !defined(X), around all of a header but its comments, without #else, where the header
//     itself defines X; this is what gcc recognises (gcc/doc/cppinternals.texi, "The Multiple-Include Optimization").
//     #pragma once does as well, unless it stands under a condition. Only a header that declares or defines something needs one.
//   - A CONFIG_ leak is a line (a condition, the body of a macro, or code) that uses a CONFIG_ macro which the tree does not define,
//     in a branch that user space can reach: not one for which __KERNEL__ or _KERNEL must be defined. Such a header means one
//     thing or another with the configuration of the kernel that its consumer is built for, or with none. For headers for
//     user space each leak is an error, as it is for the kernel's scripts/headers_install.sh; for headers for other kernel modules, it
//     is what to look at.
//
// Headers are read as translation phases 2 and 3 of C read them (C11 5.1.1.2): lines are joined, then comments become a
// space. Raw strings and separated digits of C++ are known, as gcc knows them in its C; trigraphs and digraphs are not.
package closure
