package stackcheck

import (
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// Reach tells whether a function can be running at all.
type Reach string

const (
	// Reached: an entry is known from which calls lead to it. Entries are init_module and cleanup_module, functions that
	// are configured as such, those of Build.Entries, and local functions that nothing calls by name: the compiler would have
	// left them out, if not for their address.
	Reached Reach = "reached"

	// Unreached: no calls lead to it but from functions of global symbols that nothing calls by name. Those may be called
	// through a pointer, or be exported where no object was read; if they are, they have to be configured as entries.
	Unreached Reach = "unreached"
)

// reachOf returns how each function of the build's graph is reached, by place.
func reachOf(b Build, entries []Entry) map[string]Reach {
	local := localPlaces(b.Units)
	uncalled := make(map[*callgraph.Node]bool)
	for _, n := range b.Graph.Entries() {
		uncalled[n] = true
	}
	reached := make(map[*callgraph.Node]bool)
	var pending []*callgraph.Node
	visit := func(n *callgraph.Node) {
		if !reached[n] {
			reached[n] = true
			pending = append(pending, n)
		}
	}
	for _, n := range b.Graph.Nodes {
		if n.Defined && (uncalled[n] && local[place(n.Frame)] || b.isEntry(n.Symbol) || isConfigured(n, entries)) {
			visit(n)
		}
	}
	for len(pending) > 0 {
		n := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		for _, call := range n.Calls {
			visit(call.Callee)
		}
	}
	all := make(map[string]Reach, len(b.Graph.Nodes))
	for _, n := range b.Graph.Nodes {
		switch key := place(n.Frame); {
		case reached[n]:
			all[key] = Reached
		case n.Defined && all[key] == "":
			all[key] = Unreached
		}
	}
	return all
}

// localPlaces returns where functions of local symbols are: those whose title begins with the unit's source.
func localPlaces(units []*callgraph.Unit) map[string]bool {
	local := make(map[string]bool)
	for _, u := range units {
		for _, f := range u.Functions {
			switch {
			case !f.Defined || f.CodeOf != nil || !strings.Contains(f.Title, ":"):
			case f.Frame != nil:
				local[place(*f.Frame)] = true
			default:
				local[place(frame.Frame{Object: u.Object, Function: f.Name, Line: f.Position.Line})] = true
			}
		}
	}
	return local
}

func (b Build) isEntry(symbol string) bool {
	_, found := slices.BinarySearch(b.Entries, symbol)
	return found || symbol == "init_module" || symbol == "cleanup_module"
}

func isConfigured(n *callgraph.Node, entries []Entry) bool {
	for _, e := range entries {
		if e.matches(n.Frame) {
			return true
		}
	}
	return false
}
