// Package wire is what the host and the init of the guest tell each other: the
// job, a JSON file in the initramfs, and records, JSON lines on the guest's second serial port.
package wire

// Paths in the initramfs.
const (
	InitPath    = "init"
	JobPath     = "guest/job.json"
	ProgramPath = "guest/program"
	ModuleDir   = "guest/modules"
)

// Job is what the init is to do.
type Job struct {
	Modules []string `json:"modules"` // files below ModuleDir, in load order
	Args    []string `json:"args"`    // of the program, without its name
	Env     []string `json:"env"`     // KEY=VALUE, the program's whole environment
	Program bool     `json:"program"` // false: only boot, load the modules and end
}

// Record is one line from the guest. Kind says which fields it has.
type Record struct {
	Kind    Kind    `json:"kind"`
	Uptime  float64 `json:"uptime"` // seconds since the kernel began, as CLOCK_BOOTTIME has it
	Release string  `json:"release,omitempty"`
	Module  string  `json:"module,omitempty"`
	Text    string  `json:"text,omitempty"`
	Code    int     `json:"code,omitempty"`
}

// Kind is what a record tells.
type Kind string

const (
	Booted Kind = "booted" // init runs; Release is the kernel's
	Loaded Kind = "loaded" // Module is loaded
	Stdout Kind = "stdout" // Text is a line of the program's output
	Stderr Kind = "stderr" // Text is a line of the program's error output
	Exited Kind = "exited" // Code is the program's exit status, 128 + n for signal n
	Broken Kind = "broken" // init could not go on: Text says why, Module which module if one did not load
)
