package kbuild

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Kernel is a kernel to build against and to boot.
type Kernel struct {
	Release   string // as uname -r prints it: 6.1.0-56-amd64
	SourceDir string // headers that all flavours share
	BuildDir  string // headers, configuration and Module.symvers of this flavour; often equal to SourceDir
	Image     string // bootable file
	ModuleDir string // the kernel's own modules, /lib/modules/RELEASE
}

// Version is the first two numbers of a kernel release.
type Version struct{ Major, Minor int }

func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// After says whether v is newer than other.
func (v Version) After(other Version) bool {
	return v.Major > other.Major || v.Major == other.Major && v.Minor > other.Minor
}

var versionPrefix = regexp.MustCompile(`^(\d+)\.(\d+)`)

// ParseVersion reads the version at the start of a kernel release such as "6.1.0-56-amd64".
func ParseVersion(release string) (Version, error) {
	m := versionPrefix.FindStringSubmatch(release)
	if m == nil {
		return Version{}, fmt.Errorf("reading a kernel version: %q does not start with MAJOR.MINOR", release)
	}
	major, err1 := strconv.Atoi(m[1])
	minor, err2 := strconv.Atoi(m[2])
	if err1 != nil || err2 != nil {
		return Version{}, fmt.Errorf("reading a kernel version: the numbers of %q are too large", release)
	}
	return Version{major, minor}, nil
}

// Compiler is the compiler that the kernel was built with, as its configuration
// (CONFIG_CC_VERSION_TEXT, since 4.18) names it. A module needs the same.
type Compiler struct {
	Command string // "gcc-12"
	Text    string // "gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0"
}

// Compiler reads which compiler the kernel was built with.
func (k Kernel) Compiler() (Compiler, error) {
	file := filepath.Join(k.BuildDir, "include", "config", "auto.conf")
	f, err := os.Open(file)
	if err != nil {
		return Compiler{}, fmt.Errorf("finding the compiler of Linux %s: %w; install the kernel's headers (Debian, Ubuntu: linux-headers-%s)", k.Release, err, k.Release)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		text, found := strings.CutPrefix(lines.Text(), "CONFIG_CC_VERSION_TEXT=")
		if !found {
			continue
		}
		text = strings.Trim(text, `"`)
		if command, _, _ := strings.Cut(text, " "); command != "" {
			return Compiler{Command: command, Text: text}, nil
		}
	}
	return Compiler{}, fmt.Errorf("finding the compiler of Linux %s: %s has no CONFIG_CC_VERSION_TEXT; kernels before 4.18 are not supported", k.Release, file)
}
