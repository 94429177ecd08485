package measure

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

	"github.com/kmodaudit/kmodaudit/hugepage"
)

// A Machine is what was measured on.
type Machine struct {
	CPU      string   // model
	Cores    int      // as the kernel counts them, hyperthreads too
	Kernel   string   // release
	Go       string   // version that kmodaudit was built with
	Versions []string // of the peers, each as it says itself

	HugePages string // to whom the kernel gives them: always, madvise or never; empty if it has none
}

// ThisMachine asks this machine, and each of the programs for its version.
func ThisMachine(ctx context.Context, programs []string) (Machine, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return Machine{}, fmt.Errorf("asking for the kernel's release: %w", err)
	}
	m := Machine{CPU: cpuModel(), Cores: runtime.NumCPU(), Kernel: unix.ByteSliceToString(name.Release[:]), Go: runtime.Version(), HugePages: hugepage.Mode()}
	for _, program := range programs {
		version, err := versionOf(ctx, program)
		if err != nil {
			return Machine{}, err
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
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	line = strings.Join(strings.Fields(line), " ")
	if !strings.HasPrefix(line, program) {
		line = program + " " + line
	}
	return line, nil
}
