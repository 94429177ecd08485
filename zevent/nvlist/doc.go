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
// [Decode] trusts nothing: it checks sizes, counts, names, types, termination
// and depth before it reads, and what it allocates is proportional to the
// length of its input. For a list that libnvpair packed, [Encode] gives the
// bytes that Decode read. XDR streams are recognised and refused with
// [ErrEncoding].
//
// Source of the format: module/nvpair/nvpair.c and include/sys/nvpair.h of
// OpenZFS; unchanged from 0.6.0 to 2.4.
package nvlist
