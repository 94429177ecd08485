package stackcheck

import (
	"errors"
	"fmt"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
)

// Beside is what a build's paths are judged by beside the build itself.
type Beside struct {
	callgraph.Options

	// Kernel are objects, vmlinux or modules, that the build calls: what they take counts on paths that lead there, but none begins
	// there, and no frame of theirs is one of the build.
	Kernel []string
}

// IsNone reports whether there is nothing beside the build.
func (b Beside) IsNone() bool {
	return len(b.Kernel) == 0 && len(b.NoReturn) == 0 && len(b.External) == 0 && b.ExternalBytes == 0 && len(b.Turns) == 0 &&
		(b.Indirect == "" || b.Indirect == callgraph.NoCallee)
}

// With returns the build with a graph of what is beside it too. A build without calls stays as it is. What cannot be read
// is an error, and the graph is of all the others.
func (b Build) With(beside Beside) (Build, error) {
	if b.Graph == nil || beside.IsNone() {
		return b, nil
	}
	units := b.Units
	var failed []error
	for _, name := range beside.Kernel {
		if isTypes(name) {
			continue
		}
		k, err := readKernel(name)
		if err != nil {
			failed = append(failed, fmt.Errorf("reading the kernel: %w", err))
		}
		units = append(units[:len(units):len(units)], k...)
	}
	if beside.Indirect == callgraph.ByPrototype {
		kernel, err := kernelTypes(beside.Kernel)
		if err == nil {
			var needsKernel error
			if needsKernel, err = readTypes(units, kernel); needsKernel != nil && err == ErrNoTypes {
				err = nil
			}
			err = errors.Join(needsKernel, err)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("reading types: %w", err))
		}
	}
	b.Graph = callgraph.LinkWith(units, beside.Options)
	return b, errors.Join(failed...)
}

// readKernel returns the units of what a build calls.
func readKernel(name string) ([]*callgraph.Unit, error) {
	read, failed := readEvidence(true, name)
	all := []evidence{read}
	b, units, _ := gather(all)
	b.describe(all, units)
	for _, u := range units {
		u.Kernel = true
	}
	if len(failed) == 0 && len(units) == 0 {
		failed = append(failed, fmt.Errorf("%s: has no code of x86-64 or aarch64; give vmlinux as the kernel's package of debug information has it", name))
	}
	return units, errors.Join(failed...)
}
