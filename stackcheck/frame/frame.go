// Package frame knows what one function takes of the stack, and reads it from what compilers write.
//
// Terms:
//
//   - A frame is the part of the stack that one activation of a function takes. Its size is in bytes. On x86-64 the return
//     address is part of it, as gcc counts (a leaf function has 8 bytes), so that the frames along a call path add up
//     to the distance that the stack pointer moves. clang does not count it (a leaf function has 0 bytes): it is added to
//     what clang says, and the frame tells so.
//   - The kind of a frame tells how much of it the compiler knew: a static frame has one size, a dynamic one also grows
//     at run time (alloca, variable length array), a dynamic,bounded one grows by at most what its size already includes.
//   - A clone is a copy of a function that the compiler specialised. It has the function's name and a suffix that begins
//     with a dot: f.constprop, f.isra, f.part.0. The name without suffixes is the base name.
//   - A .su file is what -fstack-usage writes beside each object: one row for each function that was compiled.
//
// Packages below this one read what objects themselves tell: frame/orc, frame/stacksizes.
package frame

import (
	"cmp"
	"strings"
)

// A Frame is the stack frame of one compiled function. A field that the source does not have is zero, and is left out of the JSON.
type Frame struct {
	Function string `json:"function"`         // printable name, with the clone's suffix as the source prints it
	Symbol   string `json:"symbol,omitempty"` // assembler name; .su has it since gcc 17
	File     string `json:"file,omitempty"`   // as the compiler was given it, or relative to the build's root; objects know the base name, of local functions
	Line     int    `json:"line,omitempty"`   // of the function's name, from 1
	Column   int    `json:"column,omitempty"` // in bytes, from 1; clang has none
	Bytes    int    `json:"bytes"`
	Kind     Kind   `json:"kind,omitempty"`
	Object   string `json:"object,omitempty"` // the object that the function was compiled into
	Source   Source `json:"source,omitempty"`

	// AddedBytes are those of Bytes that the source does not count: clang the return address and, where code tells, arguments that are
	// pushed for calls; both compilers a part of what rounding the stack pointer down may take, where code tells.
	AddedBytes int `json:"added_bytes,omitempty"`

	RealignBytes int `json:"realign_bytes,omitempty"` // what rounding the stack pointer down may take beside Bytes; ORC's code tells
}

// A Kind tells how much of the frame's size the compiler knew, in the words of gcc/toplev.cc (output_stack_usage_1).
type Kind string

const (
	Static  Kind = "static"          // Bytes is the size
	Dynamic Kind = "dynamic"         // Bytes is the part that is known, the frame can be larger
	Bounded Kind = "dynamic,bounded" // Bytes is the largest size; in C mostly pushed arguments, not arrays
)

// A Source is the evidence that a frame was read from.
type Source string

const (
	SourceSU         Source = "su"          // -fstack-usage
	SourceCI         Source = "ci"          // -fcallgraph-info=su
	SourceStackSizes Source = "stack_sizes" // -fstack-size-section, clang's
	SourceORC        Source = "orc"         // the kernel's unwind table
	SourceCode       Source = "code"        // the instructions of modules and kernels, followed where nothing else tells
)

// MaxBytes is the largest frame that a reader accepts. Larger is a damaged file: no stack has it, and sums along a path
// could no longer be trusted not to overflow.
const MaxBytes = 1<<31 - 1

// ReturnAddressBytes is what a call pushes on x86-64.
const ReturnAddressBytes = 8

// AddReturnAddress makes of a size that clang printed what gcc would print for a machine whose calls push so many bytes.
func (f *Frame) AddReturnAddress(bytes int) {
	f.AddedBytes = bytes
	f.Bytes += bytes
}

// IsClang reports whether a frame was printed by clang, which prints no column into .su files.
func (f Frame) IsClang() bool {
	return f.Source == SourceStackSizes || f.Source == SourceSU && f.File != "" && f.Column == 0
}

// IsGCC reports whether a frame was printed by gcc.
func (f Frame) IsGCC() bool {
	return f.Source == SourceCI || f.Source == SourceSU && !f.IsClang()
}

// IsCompilers reports whether a frame is of a file that the compiler wrote.
func (f Frame) IsCompilers() bool { return f.Source == SourceSU || f.Source == SourceCI }

// BaseName returns the function's name without the suffixes of a clone: the part before the first dot.
func BaseName(function string) string {
	if i := strings.IndexByte(function, '.'); i > 0 {
		return function[:i]
	}
	return function
}

// Compare orders frames as [Frame.Compare] does.
func Compare(a, b Frame) int { return a.Compare(&b) }

// Compare orders frames for people: largest first, then by file, function, line, column and object.
func (a *Frame) Compare(b *Frame) int {
	if a.Bytes != b.Bytes {
		return cmp.Compare(b.Bytes, a.Bytes)
	}
	if a.File != b.File {
		return strings.Compare(a.File, b.File)
	}
	if a.Function != b.Function {
		return strings.Compare(a.Function, b.Function)
	}
	return cmp.Or(
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Column, b.Column),
		strings.Compare(a.Object, b.Object),
	)
}
