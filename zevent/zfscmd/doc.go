// Package zfscmd issues the legacy ioctls of /dev/zfs: those that pass a
// zfs_cmd_t.
//
// Terms:
//
//   - zfs_cmd_t is the fixed-size C structure that carries the arguments and
//     results of an ioctl both ways. The kernel copies it in, runs a handler,
//     and copies it out again, also when the handler failed.
//   - dst is a buffer of the caller that the kernel fills with a packed
//     nvlist; src and conf are packed nvlists that the caller hands over.
//   - cleanup_fd names, in the events ioctls, the open descriptor of /dev/zfs
//     whose cursor is meant.
//
// The layout differs between releases: 13728 bytes in 0.6.3 to 0.6.5, 13736 in
// 0.7 and 0.8, 13744 since 2.0, and 13760 in 2.3.1 alone. Every field that
// these ioctls read stands at the same offset in all of them, except
// cleanup_fd; so one zeroed buffer, longer than the longest, with the
// descriptor written at each of the three offsets, suits any release.
// On Linux the layout does not depend on the architecture.
package zfscmd
