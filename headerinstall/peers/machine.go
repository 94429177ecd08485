package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A machine is what was measured on.
type machine struct {
	CPU      string // model
	Cores    int    // as the kernel counts them, hyperthreads too
	Kernel   string // release
	Go       string // version that kmodaudit was built with
	Versions []string
}

func thisMachine(ctx context.Context, tools []tool) (machine, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return machine{}, fmt.Errorf("asking for the kernel's release: %w", err)
	}
	m := machine{CPU: cpuModel(), Cores: runtime.NumCPU(), Kernel: unix.ByteSliceToString(name.Release[:]), Go: runtime.Version()}
	for _, t := range tools {
		if len(t.needs) == 0 {
			continue
		}
		version, err := versionOf(ctx, t.needs[0])
		if err != nil {
			return machine{}, err
		}
		m.Versions = append(m.Versions, version)
	}
	m.Versions = slices.Compact(m.Versions)
	return m, nil
}

// cpuModel is as proc_cpuinfo(5) has it, or the architecture where that has none.
func cpuModel() string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), ":")
		if strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// versionOf returns the first line of what a program says about its version, with the program's name in it.
func versionOf(ctx context.Context, program string) (string, error) {
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w", program, err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	line = strings.Join(strings.Fields(line), " ")
	if !strings.HasPrefix(line, program) {
		line = program + " " + line
	}
	return line, nil
}

// fileSystems are names for the numbers of statfs(2).
var fileSystems = map[int64]string{
	unix.TMPFS_MAGIC:           "tmpfs",
	unix.EXT4_SUPER_MAGIC:      "ext4", // and ext2 and ext3, which are seldom met
	unix.XFS_SUPER_MAGIC:       "XFS",
	unix.BTRFS_SUPER_MAGIC:     "Btrfs",
	unix.OVERLAYFS_SUPER_MAGIC: "overlayfs",
	unix.F2FS_SUPER_MAGIC:      "F2FS",
	unix.NFS_SUPER_MAGIC:       "NFS",
	0x2fc12fc1:                 "ZFS", // ZFS_SUPER_MAGIC of OpenZFS
}

// fileSystemOf names the file system that a directory is on.
func fileSystemOf(dir string) (string, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return "", fmt.Errorf("asking for the file system of %s: %w", dir, err)
	}
	if name, known := fileSystems[int64(stat.Type)]; known {
		return name, nil
	}
	return fmt.Sprintf("file system %#x", int64(stat.Type)), nil
}
