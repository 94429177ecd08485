package orc

import "github.com/kmodaudit/kmodaudit/stackcheck/x86"

// straightBytes bounds the code that is followed for one function: frames are made at its beginning.
const straightBytes = 1 << 10

// straight returns how deep x86-64 code takes the stack when it runs from its first byte, where the depth is 8, takes no
// conditional jump, and comes back from each call. It goes on until an instruction that ends this, that moves the stack
// pointer by what only run time knows, or that it does not know. What realignment may add is not counted: deepest is
// what the code takes at least, and alignment what it rounds the stack pointer down to, 0 if it does not.
func straight(code []byte) (deepest, alignment int) {
	const most = 1 << 16 // more than any kernel's stack
	depth := returnAddressBytes
	for {
		i, ok := x86.Decode(code)
		if !ok {
			return deepest, alignment
		}
		pushed, ok := i.Pushed(code)
		if !ok || depth+pushed > most {
			return deepest, alignment
		}
		alignment = max(alignment, i.Alignment(code))
		depth += pushed
		deepest = max(deepest, depth)
		code = code[i.Size:]
	}
}
