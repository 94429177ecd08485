// Package libnvpair calls OpenZFS's C library for name-value lists, so that
// package nvlist can be checked against it and measured beside it. It is a
// module of its own: kmodaudit itself needs no C.
package libnvpair

/*
#cgo CFLAGS: -D_GNU_SOURCE -I/usr/include/libzfs -I/usr/include/libspl
#cgo LDFLAGS: -lnvpair
#include <errno.h>
#include <stdlib.h>
#include <libnvpair.h>

static int repack(char *packed, size_t bytes, int encoding, char **out, size_t *outbytes) {
	nvlist_t *list;
	int err = nvlist_unpack(packed, bytes, &list, 0);
	if (err != 0)
		return err;
	*out = NULL;
	err = nvlist_pack(list, out, outbytes, encoding, 0);
	nvlist_free(list);
	return err;
}

static int lookup_uint64(char *packed, size_t bytes, const char *name, uint64_t *value) {
	nvlist_t *list;
	int err = nvlist_unpack(packed, bytes, &list, 0);
	if (err != 0)
		return err;
	err = nvlist_lookup_uint64(list, name, value);
	nvlist_free(list);
	return err;
}

static int lookup_string(char *packed, size_t bytes, const char *name) {
	nvlist_t *list;
	char *value;
	int err = nvlist_unpack(packed, bytes, &list, 0);
	if (err != 0)
		return err;
	err = nvlist_lookup_string(list, name, &value);
	nvlist_free(list);
	return err;
}
*/
import "C"

import (
	"fmt"
	"syscall"
	"unsafe"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// Repack unpacks a list and packs it again, in either encoding.
func Repack(packed []byte, to nvlist.Encoding) ([]byte, error) {
	var out *C.char
	var bytes C.size_t
	if err := result(C.repack(start(packed), C.size_t(len(packed)), C.int(to), &out, &bytes)); err != nil {
		return nil, fmt.Errorf("repacking: %w", err)
	}
	defer C.free(unsafe.Pointer(out))
	return C.GoBytes(unsafe.Pointer(out), C.int(bytes)), nil
}

// LookupUint64 unpacks a list, looks one pair up and frees the list.
func LookupUint64(packed []byte, name string) (uint64, error) {
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	var value C.uint64_t
	err := result(C.lookup_uint64(start(packed), C.size_t(len(packed)), cname, &value))
	return uint64(value), err
}

// Name is a name in C's memory. The caller keeps it.
type Name *C.char

// NewName makes one.
func NewName(name string) Name { return C.CString(name) }

// LookupString unpacks a list, looks one pair up and frees the list. It
// allocates nothing of Go's.
func LookupString(packed []byte, name Name) error {
	return result(C.lookup_string(start(packed), C.size_t(len(packed)), name))
}

func start(packed []byte) *C.char { return (*C.char)(unsafe.Pointer(unsafe.SliceData(packed))) }

func result(errno C.int) error {
	if errno == 0 {
		return nil
	}
	return syscall.Errno(errno)
}
