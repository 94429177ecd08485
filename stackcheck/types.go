package stackcheck

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/kmodaudit/kmodaudit/kmod"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
	"github.com/kmodaudit/kmodaudit/stackcheck/prototype"
)

// ErrNoTypes is the error of matching calls by prototype where nothing tells the types of pointers.
var ErrNoTypes = errors.New("calls through pointers cannot be matched by prototype: no object has debug information or BTF; build with -g, give objects before they are stripped, or match by slot")

// ReadTypes reads the prototypes of the build's functions, and of the pointers that they call, from the objects that it was read from, as With does for
// a policy that needs them. ErrNoTypes tells that there are none; what objects lack is no error.
func (b Build) ReadTypes() error {
	_, err := readTypes(b.Units, nil)
	return err
}

// readTypes tells units the prototypes of their functions and of the pointers that they call. Those of snapshots have them, or nobody knows.
// That some need the types of their kernel stands apart.
func readTypes(units []*callgraph.Unit, kernel *prototype.Kernel) (needsKernel, err error) {
	errs := make([]error, len(units))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, u := range units {
		if u.File == "" {
			continue
		}
		group.Go(func() error {
			errs[i] = readTypesOf(u, kernel)
			return nil
		})
	}
	group.Wait()
	var failed []error
	withKernel := 0
	for _, err := range errs {
		switch {
		case err == nil, errors.Is(err, prototype.ErrNone), errors.Is(err, object.ErrMachine):
		case errors.Is(err, prototype.ErrKernelTypes):
			withKernel++
			needsKernel = err
		default:
			failed = append(failed, err)
		}
	}
	if needsKernel != nil {
		needsKernel = fmt.Errorf("%w (%d in all)", needsKernel, withKernel)
	}
	if len(failed) == 0 && !hasTypes(units) {
		return needsKernel, ErrNoTypes
	}
	return needsKernel, errors.Join(failed...)
}

func hasTypes(units []*callgraph.Unit) bool {
	for _, u := range units {
		for _, f := range u.Functions {
			if f.Prototype != "" {
				return true
			}
		}
	}
	return false
}

func readTypesOf(u *callgraph.Unit, kernel *prototype.Kernel) error {
	return withObject(u.File, func(r io.ReaderAt, f *object.File) error {
		p, err := prototype.Read(r, f, kernel)
		if p != nil {
			u.SetPrototypes(p)
		}
		return err
	})
}

// withObject calls do with an object that is open.
func withObject(name string, do func(io.ReaderAt, *object.File) error) error {
	input, size, closeInput, err := kmod.Open(name)
	if err != nil {
		return err
	}
	defer closeInput()
	f, err := object.Open(input, size, name)
	if err != nil {
		return err
	}
	if err := do(input, f); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// btfMagic begins BTF (include/uapi/linux/btf.h), little endian.
var btfMagic = []byte{0x9f, 0xeb}

// maxKernelTypesBytes bounds the BTF of a kernel, which has 6 MB.
const maxKernelTypesBytes = 256 << 20

// kernelTypes are those of the first of the files that has any: a vmlinux, or BTF alone, as /sys/kernel/btf/vmlinux.
func kernelTypes(names []string) (kernel *prototype.Kernel, err error) {
	for _, name := range names {
		if isTypes(name) {
			f, err := os.Open(name)
			if err != nil {
				return nil, err
			}
			defer f.Close()
			data, err := io.ReadAll(io.LimitReader(f, maxKernelTypesBytes))
			if err == nil {
				kernel, err = prototype.ReadKernel(data)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			return kernel, nil
		}
		err := withObject(name, func(_ io.ReaderAt, f *object.File) (err error) {
			if f.Linked {
				kernel, err = prototype.ReadKernelOf(f)
			}
			return err
		})
		if kernel != nil || err != nil {
			return kernel, err
		}
	}
	return nil, nil
}

// isTypes reports whether a file is BTF, and nothing else.
func isTypes(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	magic := make([]byte, len(btfMagic))
	_, err = io.ReadFull(f, magic)
	return err == nil && bytes.Equal(magic, btfMagic)
}
