package observe

import (
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// An Observation is a trace beside what a build tells of its functions.
type Observation struct {
	Title       string    `json:"title,omitempty"`
	Bytes       int       `json:"bytes"`
	ModuleBytes int       `json:"module_bytes"` // of entries of modules; the others are the kernel's
	Steps       []Step    `json:"steps"`        // the innermost first, as the trace has them
	Run         *Run      `json:"run,omitempty"`
	Findings    []Finding `json:"findings"`
	Foreign     int       `json:"foreign,omitempty"` // entries of functions that have another length in the build: nothing is said of them
}

// A Step is an entry, and what is known of its function without running.
type Step struct {
	Entry
	Frame       *frame.Frame `json:"frame,omitempty"`         // nil when the build does not tell
	AtCallBytes int          `json:"at_call_bytes,omitempty"` // depth at the call, where ORC or code tells it exactly
	BoundBytes  int          `json:"bound_bytes,omitempty"`   // what the entry cannot be above: the frame, and what realigning it may take; 0 for none
	Remarks     []string     `json:"remarks,omitempty"`       // what explains a difference

	node *callgraph.Node
}

// Slack returns by how much the observed bytes are below the bound, which has to exist.
func (s Step) Slack() int { return s.BoundBytes - s.Size }

// A Run is the longest run of modules, in bytes, beside what the call graph tells between its ends.
type Run struct {
	From          string             `json:"from"` // functions
	To            string             `json:"to"`
	Calls         int                `json:"calls"`
	ObservedBytes int                `json:"observed_bytes"`
	FrameBytes    int                `json:"frame_bytes,omitempty"`   // sum of the frames of its functions; 0 when one is not known
	BetweenBytes  int                `json:"between_bytes,omitempty"` // deepest path between the ends; 0 when calls by name do not lead from one to the other
	WorstFrom     string             `json:"worst_from,omitempty"`    // of its functions, that from which known calls lead to the deepest stack; empty without call graph
	BelowBytes    int                `json:"below_bytes,omitempty"`   // what was observed from that one on, kernel included
	WorstBytes    int                `json:"worst_bytes,omitempty"`   // deepest path from that one
	Verdict       *callgraph.Verdict `json:"verdict,omitempty"`       // of WorstBytes
	LowerBound    bool               `json:"lower_bound"`             // WorstBytes is no more than that

	Worst *callgraph.Path `json:"-"` // that of WorstBytes
	Above int             `json:"-"` // index of the entry that called WorstFrom, in Observation.Steps; or behind the last
}

// A FindingKind says what was found. The values are stable.
type FindingKind string

const (
	FrameExceeded FindingKind = "frame-exceeded" // a frame of known size took more
	CallDiffers   FindingKind = "call-differs"   // the depth at a call is not what ORC tells
	PathExceeded  FindingKind = "path-exceeded"  // the stack got deeper than an exact bound
)

// A Finding is a bound that a run disproved.
type Finding struct {
	Kind          FindingKind `json:"kind"`
	Function      string      `json:"function"`
	Module        string      `json:"module,omitempty"`
	BoundBytes    int         `json:"bound_bytes"`
	ObservedBytes int         `json:"observed_bytes"`
	Message       string      `json:"message"`
	Remedy        string      `json:"remedy"`
}
