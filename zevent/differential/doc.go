// Package differential runs the same random operations on the event queue of
// the loaded module and on an emulated one, and compares each answer: errno,
// size, dropped count and bytes. Where they differ the module is right.
//
// Terms, beside those of package zevent:
//
//   - An operation is one call, such as a NEXT into a small buffer. It names
//     descriptors and events by their order, so that it means something also
//     when operations before it are left out.
//   - A sequence is some operations from an empty queue on.
//   - The watch is a descriptor of the real queue that reads what is posted, to
//     have it posted in the emulated one, time and EID included.
//   - To shrink a sequence that shows a difference is to leave out operations
//     as long as the difference stays.
//
// Random numbers come from a seed, and operations alone are drawn from them:
// the same seed gives the same operations on any machine.
package differential
