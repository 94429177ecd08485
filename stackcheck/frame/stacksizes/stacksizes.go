// Package stacksizes reads what clang writes of the stack into objects.
//
// With -fstack-size-section the section .stack_sizes has an entry for each function: its address, and the size of its
// frame as ULEB128 (llvm/lib/CodeGen/AsmPrinter/AsmPrinter.cpp, emitStackSizeSection). Functions whose frame grows at
// run time have none. The sections survive the partial link of a kernel module; most linker scripts drop them from
// what is linked finally.
//
// LLVM does not count the return address. On x86-64 it is added here, so that the sizes are those of gcc.
package stacksizes

import (
	"debug/elf"
	"errors"
	"fmt"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

const (
	sectionName  = ".stack_sizes"
	addressBytes = 8
)

// ErrNone is the error of an object that has no .stack_sizes.
var ErrNone = errors.New("no .stack_sizes; clang writes it with -fstack-size-section")

// Sizes returns the frame of each of the object's Functions, in their order. Of one that has no entry the frame is zero. The
// others have a Symbol, which the Function is too; those of local symbols have a File, where the object tells it. With an
// error it returns what stands before the mistake.
func Sizes(f *object.File) ([]frame.Frame, error) {
	sections := f.Find(sectionName)
	if len(sections) == 0 {
		return nil, fmt.Errorf("%s: %w", f.Name, ErrNone)
	}
	sizes := make([]frame.Frame, len(f.Functions()))
	var all []error
	for _, s := range sections {
		all = append(all, read(f, s, sizes))
	}
	return sizes, errors.Join(all...)
}

func read(f *object.File, s *object.Section, sizes []frame.Frame) error {
	content, err := f.Data(s)
	if err != nil {
		return err
	}
	pointers, err := f.Pointers(s)
	if err != nil {
		return err
	}
	targets := make(map[uint64]object.Address, len(pointers))
	for _, p := range pointers {
		targets[p.Field] = p.Target
	}
	fail := func(at int, what string) error {
		return fmt.Errorf("%s: section %s: byte %d: %s; rebuild the object", f.Name, s.Name, at, what)
	}
	for at := 0; at < len(content); {
		if len(content)-at < addressBytes+1 {
			return fail(at, "the section ends in the middle of an entry")
		}
		where := object.Address{Offset: f.Order().Uint64(content[at:])}
		if !f.Linked {
			var ok bool
			if where, ok = targets[uint64(at)]; !ok {
				return fail(at, "no relocation tells the function")
			}
		}
		bytes, n := uleb128(content[at+addressBytes:])
		if n == 0 {
			return fail(at+addressBytes, fmt.Sprintf("want a size in bytes from 0 to %d as ULEB128", frame.MaxBytes))
		}
		fn, ok := f.Index(where)
		if !ok {
			return fail(at, fmt.Sprintf("no function begins at %#x of section %d", where.Offset, where.Section))
		}
		sizes[fn] = toFrame(f.Machine, f.Functions()[fn], bytes)
		at += addressBytes + n
	}
	return nil
}

func toFrame(machine elf.Machine, fn object.Function, bytes int) frame.Frame {
	f := frame.Frame{Function: fn.Symbol, Symbol: fn.Symbol, File: fn.File, Bytes: bytes, Kind: frame.Static, Source: frame.SourceStackSizes}
	if machine == elf.EM_X86_64 {
		f.AddReturnAddress(frame.ReturnAddressBytes)
	}
	return f
}

// uleb128 returns a frame's size and how many bytes it has; none for one that is cut off or too large for a frame.
func uleb128(data []byte) (value, n int) {
	const longest = 5 // bytes of 7 bits
	for i, b := range data[:min(len(data), longest)] {
		value |= int(b&0x7f) << (7 * i)
		if b < 0x80 {
			if value > frame.MaxBytes-frame.ReturnAddressBytes {
				return 0, 0
			}
			return value, i + 1
		}
	}
	return 0, 0
}
