// Package nvlist encodes and decodes name-value lists, the format in which
// OpenZFS passes structured data through ioctls, on-disk labels and events.
//
// Terms, as in libnvpair:
//
//   - An nvlist is an ordered sequence of nvpairs. Its nvflag says whether
//     names are unique (NV_UNIQUE_NAME); order is kept either way.
//   - An nvpair has a name, a type (one of 27) and a value. A name may be
//     empty, and a list without a unique flag may hold one name many times.
//   - An embedded list is the value of a pair of type NVLIST or NVLIST_ARRAY.
//   - A stream, or packed list, is an nvlist in bytes. Its 4-byte header names
//     the encoding (native or XDR) and the byte order of the writer.
//   - The native encoding holds C structures in the byte order of the writer;
//     every event that the kernel returns is native. XDR (RFC 4506,
//     big-endian) is what labels and zpool.cache hold.
//
// [Parse] checks a whole stream and returns a [View] of it: names and values
// are found in the stream when asked for, without allocating. [Decode] makes a
// [List] of Go values from the same checks. Both trust nothing: sizes, counts,
// names, types, termination and depth are checked before they are used, time
// and memory are proportional to the length of the stream, and an error is a
// [*DecodeError]. They read what libnvpair reads, but for strings with a NUL
// within and XDR padding or integers with stray bits, which only the kernel
// refuses.
//
// For a list that libnvpair packed, [Encode] gives the bytes that Decode read.
// There is one exception. In XDR, libnvpair on x86-64 extends the sign of
// BYTE, INT8, UINT8 and INT16, also in arrays, and Linux kernels write zeros
// instead, and refuse anything else. Both are read; libnvpair's is written.
//
// Source of the format: module/nvpair/nvpair.c and include/sys/nvpair.h of
// OpenZFS; unchanged from 0.6.0 to 2.4.
package nvlist
