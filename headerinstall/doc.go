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
//   - The manifest lists what the last installation wrote. A file is owned if the manifest lists
//     it, and foreign if not. It is stale if it is owned and no source leads to it any more.
//   - A deviation is a difference between what the manifest lists and what is in the destination:
//     a file that is missing, changed or foreign.
//   - A plan says what an installation will do, header by header. It is a value: nothing is
//     written before all of it has been read and checked.
//
// An installation compares content, never times. An equal file keeps its inode and its mtime, so
// that nothing is rebuilt because of it; a different one is replaced by rename, and gets a new
// mtime, so that everything that includes it is.
//
// The destination is reached through [os.Root]: a symbolic link in it cannot lead a write
// outside. The package needs Unix.
package headerinstall
