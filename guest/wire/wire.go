// Package wire is what the host and the init of the guest tell each other: the payload, which lies in the guest's memory,
// and on the guest's second serial port one line of each, before records, JSON lines, as one raw
// DEFLATE stream (RFC 1951) that is flushed when no record is at hand.
//
//	init  Ready
//	host  Start, a JSON line
//	init  records
//
// Between Ready and Start nothing of a run has reached the guest, so that a machine which is kept there serves many.
package wire

// Paths in the guest. InitPath is in the initramfs, which holds nothing else.
const (
	InitPath   = "init"
	ProgramDir = "guest/programs"
)

// Ready is the line with which the init says that the guest may start, or be kept.
const Ready = "ready"

// MaxStartBytes bounds the line with Start.
const MaxStartBytes = 1 << 10

// Start is what a guest learns when it starts.
type Start struct {
	Time    int64  `json:"time"`    // nanoseconds since 1970, for the guest's clock
	Seed    []byte `json:"seed"`    // for the guest's random numbers, which would be those of each machine that was kept at this point
	Payload int64  `json:"payload"` // bytes at PayloadAddress
	Memory  int64  `json:"memory"`  // bytes there, with those after the payload, in which the init lends texts
}

// Area is a part of the memory behind PayloadAddress.
type Area struct {
	Offset int64 `json:"offset"`
	Bytes  int64 `json:"bytes"`
}

// Job is what the init is to do.
type Job struct {
	Modules  []File    `json:"modules"`  // in load order
	Programs []Program `json:"programs"` // to run one after the other; none to only boot and load
}

// Program is a program to run.
type Program struct {
	File File     `json:"file"`
	Args []string `json:"args"` // without its name
	Env  []string `json:"env"`  // KEY=VALUE, its whole environment
}

// Record is one line from the guest. Kind says which fields it has.
type Record struct {
	Kind    Kind    `json:"kind"`
	Uptime  float64 `json:"uptime"` // seconds since the kernel began, as CLOCK_BOOTTIME has it, which stands while the machine is kept
	Release string  `json:"release,omitempty"`
	Module  string  `json:"module,omitempty"`
	Program int     `json:"program,omitempty"` // index in Job.Programs
	Text    string  `json:"text,omitempty"`
	Lent    *Area   `json:"lent,omitempty"` // holds Text in its place
	Code    int     `json:"code,omitempty"`
}

// Kind is what a record tells.
type Kind string

const (
	Booted Kind = "booted" // the guest started; Uptime is when its init ran, Release the kernel's
	Loaded Kind = "loaded" // Module is loaded
	Stdout Kind = "stdout" // Text is a line of Program's output, or several
	Stderr Kind = "stderr" // Text is a line of Program's error output, or several
	Exited Kind = "exited" // Code is Program's exit status, 128 + n for signal n
	Done   Kind = "done"   // there is nothing left to do
	Broken Kind = "broken" // init could not go on: Text says why, Module which module if one did not load
)
