package closure

// guardState says how far a header looks like a guarded one.
type guardState int

const (
	guardOutside guardState = iota // nothing but comments has come
	guardOpen                      // inside of the #ifndef
	guardClosed                    // after its #endif
	guardBroken                    // something is outside of it, or it has an #else
)

// A guard follows the conditional that may be a header's guard.
type guard struct {
	state   guardState
	macro   string
	defined bool    // the header defines macro
	branch  *branch // what lies inside
	once    bool    // #pragma once
}

// content is told of everything but comments, and depth, the number of conditionals around it.
func (g *guard) content(depth int) {
	if depth == 0 {
		g.state = guardBroken
	}
}

// opened is told of every conditional that begins, and depth, the number of those around it.
func (g *guard) opened(depth int, directive string, expression []byte, inside *branch) {
	if depth > 0 {
		return
	}
	macro := undefinedMacro(expression)
	if directive == "ifndef" {
		macro, _ = cutIdentifier(expression)
	}
	if g.state != guardOutside || len(macro) == 0 || directive != "ifndef" && directive != "if" {
		g.state = guardBroken
		return
	}
	g.state, g.macro, g.branch = guardOpen, string(macro), inside
}

// turned is told of every #elif and #else of the conditional at that depth.
func (g *guard) turned(depth int) {
	if depth == 1 {
		g.state = guardBroken
	}
}

func (g *guard) closed(depth int) {
	if depth == 1 && g.state == guardOpen {
		g.state = guardClosed
	}
}

// pragmaOnce is told of #pragma once, and of the number of conditionals around it. Under one that is no guard, it counts for some
// compilers only.
func (g *guard) pragmaOnce(depth int) {
	g.once = g.once || depth == 0 || depth == 1 && g.state == guardOpen
}

func (g *guard) macroDefined(name []byte) {
	if g.state == guardOpen && string(name) == g.macro {
		g.defined = true
	}
}

// settled tells whether what the header defines does not matter any more.
func (g *guard) settled() bool { return g.defined || g.state != guardOpen }

// complete tells whether the header that has been read cannot do anything when it is included again.
func (g *guard) complete() bool { return g.once || g.state == guardClosed && g.defined }
