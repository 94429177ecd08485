// Package zpoolevents holds zevents against the zpool events of the same release: in a guest, the loaded module is
// brought to post every class of event that it can, and the distribution's zpool and zevents print the same queue.
//
// Terms:
//
//   - the userland is zpool, zfs and zinject of the module's release, as the distribution packs them, with their
//     libraries.
//   - a print is one command line in one time zone, which zpool and zevents are both given. Their texts are to be
//     the same to the byte.
//   - a pair is a recording of the queue and what zpool printed of it, from which tests do the same without a guest.
//
// What the guest runs is the command in the directory raise.
package zpoolevents
