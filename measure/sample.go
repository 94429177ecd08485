// Package measure says how long programs take, for this project's benchmarks beside their peers.
//
//   - A sample is one run of a program: a whole process, from its start to its end.
//   - A ratio is that of two samples that were taken one after the other: what slows the machine down slows down both.
//
// Samples are taken by a new process of the running program, whose main is Main.
package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/kmodaudit/kmodaudit/proc"
)

// A Sample is one run of a program.
type Sample struct {
	Wall time.Duration
	CPU  time.Duration // user and system, with those of the processes that it waited for
	Peak int64         // resident bytes of the largest of those processes at its largest

	// Bound says that the peak is an upper bound: that of the process that started the program. A new process is in the
	// memory of its parent until it executes its program, and Linux counts that as its own (exec_mmap in fs/exec.c).
	Bound bool
}

// sampleCommand makes Main run another program, and print the Sample as JSON.
const sampleCommand = "measure-sample"

// Run runs a program in a directory, by a new process of this program: that one is small, as the bound of peaks
// should be. Output is lost.
func Run(ctx context.Context, dir string, args []string) (Sample, error) {
	self, err := os.Executable()
	if err != nil {
		return Sample{}, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{sampleCommand}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, environment(), &stdout, &stderr
	proc.EndWithGroup(cmd)
	err = cmd.Run()
	if ctx.Err() != nil {
		return Sample{}, context.Cause(ctx)
	}
	var s Sample
	if err == nil {
		err = json.Unmarshal(stdout.Bytes(), &s)
	}
	if err != nil {
		return Sample{}, fmt.Errorf("running %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return s, nil
}

// printSample is what sampleCommand does.
func printSample(args []string, stdout, stderr io.Writer) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = stderr
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return err
	}
	state := cmd.ProcessState
	peak := state.SysUsage().(*syscall.Rusage).Maxrss << 10
	own, err := ownPeak()
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(Sample{
		Wall:  wall,
		CPU:   state.UserTime() + state.SystemTime(),
		Peak:  int64(peak),
		Bound: int64(peak) <= own,
	})
}

// ownPeak is the most resident bytes that this process has had since it executed its program (VmHWM in proc_pid_status(5)).
func ownPeak() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	var kib int64
	_, after, _ := strings.Cut(string(status), "\nVmHWM:")
	if _, err := fmt.Sscan(after, &kib); err != nil {
		return 0, fmt.Errorf("reading VmHWM of /proc/self/status: %w", err)
	}
	return kib << 10, nil
}

// environment is that of this process, without what makes a tool install something else.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return name == "SOURCE_DATE_EPOCH" || name == "DESTDIR"
	})
}
