// Package wire is what the host and the init of the guest tell each other: the
// job, a JSON file in the initramfs, and records, JSON lines on the guest's second serial port, as one raw
// DEFLATE stream (RFC 1951) that is flushed when no record is at hand.
package wire

// Paths in the initramfs.
const (
	InitPath   = "init"
	JobPath    = "guest/job.json"
	ProgramDir = "guest/programs"
	ModuleDir  = "guest/modules"
)

// Job is what the init is to do.
type Job struct {
	Modules  []string  `json:"modules"`  // files below ModuleDir, in load order
	Programs []Program `json:"programs"` // to run one after the other; none to only boot and load
}

// Program is a program to run.
type Program struct {
	File string   `json:"file"` // below ProgramDir
	Args []string `json:"args"` // without its name
	Env  []string `json:"env"`  // KEY=VALUE, its whole environment
}

// Record is one line from the guest. Kind says which fields it has.
type Record struct {
	Kind    Kind    `json:"kind"`
	Uptime  float64 `json:"uptime"` // seconds since the kernel began, as CLOCK_BOOTTIME has it
	Release string  `json:"release,omitempty"`
	Module  string  `json:"module,omitempty"`
	Program int     `json:"program,omitempty"` // index in Job.Programs
	Text    string  `json:"text,omitempty"`
	Code    int     `json:"code,omitempty"`
}

// Kind is what a record tells.
type Kind string

const (
	Booted Kind = "booted" // init runs; Release is the kernel's
	Loaded Kind = "loaded" // Module is loaded
	Stdout Kind = "stdout" // Text is a line of Program's output
	Stderr Kind = "stderr" // Text is a line of Program's error output
	Exited Kind = "exited" // Code is Program's exit status, 128 + n for signal n
	Done   Kind = "done"   // there is nothing left to do
	Broken Kind = "broken" // init could not go on: Text says why, Module which module if one did not load
)
