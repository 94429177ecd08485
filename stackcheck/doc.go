// Package stackcheck audits what a kernel module takes of the stack: it reads what the compiler wrote beside a build's
// objects, and what the objects themselves tell, and checks it against limits.
//
// Terms, beyond those of the packages frame and callgraph:
//
//   - A build is a tree of objects with their .su files, and with their .ci files where the compiler writes them (gcc >= 10).
//     The build's root is the directory of that tree as the compiler named it; paths in frames are relative to it.
//   - A source is one kind of evidence of a frame's size: .su, .ci, .stack_sizes, ORC or code. What several tell of one function is
//     brought together by its name, and by its file where both tell it; where names leave a choice, as of clones, by its size.
//   - A limit is the largest size that a frame, or a path, may have.
//   - A waiver lets frames above the limit pass, for a stated reason and up to a ceiling. A waiver that excuses nothing is
//     a finding like a frame that is too large: what it excused is fixed, or renamed and no longer watched.
//   - A snapshot is what was read of a build, in one file. It stands for the build.
//   - A baseline is an earlier build, mostly a snapshot, that a build may be no worse than.
//   - An entry is a function that is called from outside of the build, or through a pointer. What no calls lead to from an entry
//     is not reached.
//   - A finding is one thing that has to change before the module ships.
package stackcheck
