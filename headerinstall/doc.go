// Package headerinstall installs a tree of C headers, and keeps what it installed up to date.
//
// The terms, used the same way in every name below:
//
//   - A source pattern is a directory or a doublestar glob, kept as the user wrote it:
//     ./zfs/include and zfs/include are two patterns.
//   - A source is one header that a pattern leads to, by its path as written: the pattern's own
//     text, then the path below it (./zfs/include/sys/fm/fs/zfs.h).
//   - Stripping removes leading components from a source. A "." is a component, as it is for
//     tar --strip-components; an empty one (//) is not.
//   - A destination is what is left: a clean, slash-separated path relative to the destination
//     directory (sys/fm/fs/zfs.h). Its depth is the number of directories in it (3).
//   - Rules say what becomes of a source: an include rule makes it a header, an exclusion keeps it from
//     being installed, a mapping moves its destination. A *.h that no rule speaks of is forgotten.
//   - The manifest lists what the last installation wrote. A file is owned if the manifest lists
//     it, or the journal of a killed run, and foreign if not. It is stale if it is owned and no source leads
//     to it any more.
//   - A deviation is a difference between what the manifest lists and what is in the destination:
//     a file that is missing, changed or foreign.
//   - A plan says what an installation will do, header by header. It is a value: nothing is
//     written before all of it has been checked.
//   - A stage is the directory that a staged installation takes for the root directory (DESTDIR).
//
// An installation compares content, and times only where it is told to trust them. An equal file keeps its inode
// and its mtime, so that nothing is rebuilt because of it; a different one is replaced by rename, and gets a new
// mtime, so that everything that includes it is.
//
// The destination is opened once, each directory below it by openat2(2) with RESOLVE_BENEATH and
// RESOLVE_NO_SYMLINKS, or component by component where the kernel has no such call, and every file by its name alone relative to
// its directory: no symbolic link in the destination leads a call elsewhere, whenever it is put there. In the
// sources, a symbolic link to a file may lead to another place in the same source. The package needs Linux.
//
// As many headers are worked on at once as Go has processors (GOMAXPROCS, eight at most), and each holds its processor while it waits
// for the file system: a program that installs from a slow one waits with it.
package headerinstall
