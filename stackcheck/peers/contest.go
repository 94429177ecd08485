package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/measure"
)

// A contest is a job that kmodaudit and a peer do.
type contest struct {
	Name       string
	Tool, Peer string // as in the tables
	tool, peer []string
	shows      string // what the tool prints when it has read all of its input
	limit      float64
	wall       time.Duration // the tool's limit, in place of that of the ratio; 0 for none
	binary     bool          // the input is machine code
	cold       bool          // the input is not in memory
}

// A result is what was measured in a contest, round by round.
type result struct {
	contest
	tools, peers []measure.Sample
}

// hold lets the two run in turns. The first run of each is not measured, so that programs and input are in memory; it is
// checked that the tool does its job.
func (c contest) hold(ctx context.Context, dir string, rounds int, log io.Writer) (result, error) {
	r := result{contest: c}
	if err := c.check(ctx, dir); err != nil {
		return r, err
	}
	if _, err := measure.Run(ctx, dir, c.peer); err != nil {
		return r, err
	}
	for round := range rounds {
		fmt.Fprintf(log, "%s: round %d of %d\n", c.Name, round+1, rounds)
		turns := []func() error{r.runTool(ctx, dir), r.runPeer(ctx, dir)}
		if round%2 == 1 {
			turns[0], turns[1] = turns[1], turns[0]
		}
		for _, turn := range turns {
			if err := turn(); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

func (r *result) runTool(ctx context.Context, dir string) func() error {
	return func() error { return r.take(ctx, dir, r.tool, &r.tools) }
}

func (r *result) runPeer(ctx context.Context, dir string) func() error {
	return func() error { return r.take(ctx, dir, r.peer, &r.peers) }
}

func (r *result) take(ctx context.Context, dir string, args []string, samples *[]measure.Sample) error {
	if r.cold {
		if err := dropCaches(); err != nil {
			return err
		}
	}
	s, err := measure.Run(ctx, dir, args)
	*samples = append(*samples, s)
	return err
}

// dropCaches has the kernel forget the content of files that it has written out.
func dropCaches() error {
	unix.Sync()
	return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0)
}

// mayDropCaches tells root from others.
func mayDropCaches() bool { return unix.Access("/proc/sys/vm/drop_caches", unix.W_OK) == nil }

// check runs the tool once and looks at what it prints.
func (c contest) check(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, c.tool[0], c.tool[1:]...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", c.Tool, err, bytes.TrimSpace(stderr.Bytes()))
	}
	if !bytes.Contains(out, []byte(c.shows)) {
		return fmt.Errorf("%s does not print %q; it is not run as it should be", c.Tool, c.shows)
	}
	return nil
}

// catAll reads every file below a directory, in the shell of POSIX.
func catAll(dir string) []string {
	return []string{"sh", "-c", `find "$0" -type f -exec cat {} + >/dev/null`, dir}
}

// onTrees are the contests in reading what the compiler wrote.
func onTrees(binary string, t trees) []contest {
	build := contest{
		Name: fmt.Sprintf("all %s .su and .ci files of the build (%s MB), linked, with its deepest path", measure.Grouped(t.build.files), measure.Megabytes(t.build.bytes)),
		Tool: "kmodaudit stack paths", tool: []string{binary, "stack", "paths", t.build.dir}, shows: " B from ",
		Peer: "cat", peer: catAll(t.build.dir), wall: 150 * time.Millisecond,
	}
	large := contest{
		Name: fmt.Sprintf("%s .su files (%s MB) with %s rows", measure.Grouped(t.large.files), measure.Megabytes(t.large.bytes), measure.Grouped(t.large.rows)),
		Tool: "kmodaudit stack frames --top 20", tool: []string{binary, "stack", "frames", "--top", "20", t.large.dir},
		shows: " of " + measure.Grouped(t.large.rows) + " frames",
		Peer:  "cat", peer: catAll(t.large.dir), limit: 2,
	}
	contests := []contest{build, large}
	if mayDropCaches() {
		large.cold, large.Name = true, large.Name+", from the disk"
		contests = append(contests, large)
	}
	return contests
}

// onObject is the contest in reading machine code.
func onObject(binary, object, checkstack string) contest {
	size := int64(0)
	if info, err := os.Stat(object); err == nil {
		size = info.Size()
	}
	return contest{
		Name: fmt.Sprintf("%s (%s MB)", filepath.Base(object), measure.Megabytes(size)),
		Tool: "kmodaudit stack frames --min 100", tool: []string{binary, "stack", "frames", "--min", "100", "--format", "csv", object}, shows: filepath.Base(object),
		Peer: "objdump -d | checkstack.pl", peer: []string{"sh", "-c", `objdump -d "$0" | perl "$1" >/dev/null`, object, checkstack},
		limit: 1. / 50, binary: true,
	}
}
