//go:build linux

// Raise is a program of the guest: it has the loaded module post events of every class that it can, and has zpool and zevents
// print and record what is queued.
//
// The programs that it runs lie in a zip archive behind its own executable, which it unpacks into the root of the file system: zpool,
// zfs and zinject with their libraries, busybox and zevents. So it is for a machine that ends with it. What was printed
// comes as a tar archive, compressed with zstd, in lines of base64 on standard output; what is done, in lines on standard error.
//
//	raise [-print "ZONE OPTION..."]...   raises, prints
//	raise ioctl ...                      does what zpool refuses to; for raise.sh
//	raise scribble FILE                  writes to a buffer that is being written to FILE, or read from it; for raise.sh
//	raise poison FILE                    has what was written to the vdev FILE fail to be read; for raise.sh
package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

//go:embed raise.sh
var script string

// Where things are in the guest.
const (
	busybox   = "/bin/busybox"
	ownName   = "/bin/raise" // as the script calls this program
	outDir    = "/out"
	poolsDir  = "/p"
	recording = "events.zevents" // in outDir
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "raise:", err)
		os.Exit(2)
	}
}

func run(args []string) error {
	switch {
	case len(args) > 0 && args[0] == "ioctl":
		return ioctl(args[1:])
	case len(args) == 2 && args[0] == "scribble":
		return scribble(args[1])
	case len(args) == 2 && args[0] == "poison":
		return poison(args[1])
	}
	var prints []string
	flag.Func("print", "print the queue with a zone and options, `\"ZONE -v\"`; may be repeated", func(p string) error {
		prints = append(prints, p)
		return nil
	})
	flag.Parse()
	if err := prepare(); err != nil {
		return err
	}
	if err := command("", busybox, "sh", "-c", script).Run(); err != nil {
		return fmt.Errorf("raising events: %w", err)
	}
	if err := printAll(prints); err != nil {
		return err
	}
	return send(os.Stdout, outDir)
}

// prepare makes the guest a system on which the programs run.
func prepare() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := unpack(self, "/"); err != nil {
		return fmt.Errorf("unpacking the programs: %w", err)
	}
	for _, dir := range []string{outDir, "/etc/zfs"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	// libzfs asks it for what is mounted.
	if err := errors.Join(os.Symlink("/proc/self/mounts", "/etc/mtab"), os.Symlink(self, ownName)); err != nil {
		return err
	}
	if err := command("", busybox, "--install", "-s", "/bin").Run(); err != nil {
		return fmt.Errorf("installing busybox: %w", err)
	}
	// No link: zpool import writes down what a path leads to.
	if err := os.Mkdir(poolsDir, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", poolsDir, "tmpfs", 0, "size=90%"); err != nil {
		return fmt.Errorf("mounting a file system for the pools' files: %w", err)
	}
	return nil
}

// command is a program of the guest, in a zone of that name; none is that of the system.
func command(zone string, args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = []string{"PATH=/sbin:/bin"}
	if zone != "" {
		cmd.Env = append(cmd.Env, "TZ="+zone)
	}
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd
}

// printAll keeps what zpool and zevents print: of the first print in 0.zpool and 0.zevents.
func printAll(prints []string) error {
	time.Sleep(time.Second) // what pools that were destroyed still post
	// The count of rate-limited events goes to whoever reads first: to neither of the two that are compared.
	first := command("", "/sbin/zpool", "events", "-H")
	first.Stdout = nil
	if err := first.Run(); err != nil {
		return fmt.Errorf("zpool events -H: %w", err)
	}
	if err := command("", "/bin/zevents", "record", "-o", filepath.Join(outDir, recording)).Run(); err != nil {
		return fmt.Errorf("zevents record: %w", err)
	}
	for i, p := range prints {
		fmt.Fprintln(os.Stderr, "--- print", p)
		zone, options, _ := strings.Cut(p, " ")
		args := strings.Fields(options)
		for _, program := range [][]string{{"/sbin/zpool", "events"}, {"/bin/zevents"}} {
			if err := printTo(filepath.Join(outDir, fmt.Sprintf("%d.%s", i, filepath.Base(program[0]))), zone, append(program, args...)); err != nil {
				return err
			}
		}
	}
	return nil
}

func printTo(name, zone string, args []string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	cmd := command(zone, args...)
	cmd.Stdout = f
	if err := errors.Join(cmd.Run(), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return nil
}
