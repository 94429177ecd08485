package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/measure"
)

// A tool installs a tree. It runs in the directory of a bench, where the tree is headers/.
type tool struct {
	Name    string   // as in the tables
	needs   []string // programs that have to be on PATH; the first is the tool itself
	dest    string   // directory; the headers come to be in include/ in it
	args    []string
	prepare func(context.Context, *bench) error // what is done once, and not measured; may be nil
	slow    bool                                // starts a process for each header
}

// The names that goals refer to.
const (
	kmodauditName = "kmodaudit headers install"
	trustName     = "kmodaudit headers install --trust-mtime"
	cpName        = "cp -r"
	cpUpdateName  = "cp -ru"
	checksumName  = "rsync -a --checksum"
)

// ours are the tools that this project has, in a binary.
func ours(binary string) []tool {
	install := func(dest string) []string {
		return []string{binary, "headers", "install", "./headers", "--strip", "2",
			"--destdir", dest, "--prefix", "/include", "--manifest", dest + "/manifest.json"}
	}
	return []tool{
		{Name: kmodauditName, dest: "kmodaudit", args: install("kmodaudit")},
		{Name: trustName, dest: "kmodaudit-trust", args: append(install("kmodaudit-trust"), "--trust-mtime")},
	}
}

// peers are the other tools, whether they are on this machine or not.
func peers() []tool {
	return []tool{
		{Name: cpName, needs: []string{"cp"}, dest: "cp-r", args: []string{"cp", "-r", "headers/.", "cp-r/include"}},
		{Name: cpUpdateName, needs: []string{"cp"}, dest: "cp-ru", args: []string{"cp", "-ru", "headers/.", "cp-ru/include"}},
		{Name: "rsync -a", needs: []string{"rsync"}, dest: "rsync", args: []string{"rsync", "-a", "headers/", "rsync/include/"}},
		{Name: checksumName, needs: []string{"rsync"}, dest: "rsync", args: []string{"rsync", "-a", "--checksum", "headers/", "rsync/include/"}},
		{Name: "install -D", needs: []string{"install"}, dest: "install", args: []string{"sh", "-e", "install.sh"}, prepare: writeScript, slow: true},
		{Name: "cmake --install", needs: []string{"cmake"}, dest: "cmake", args: []string{"cmake", "--install", "cmake-build"}, prepare: configureCMake},
		{Name: "meson install", needs: []string{"meson", "ninja"}, dest: "meson", args: []string{"meson", "install", "-C", "meson-build", "--no-rebuild", "--destdir", "../meson"}, prepare: configureMeson},
	}
}

// missing returns the programs that a tool needs and this machine does not have.
func (t tool) missing() []string {
	return slices.DeleteFunc(slices.Clone(t.needs), func(program string) bool {
		_, err := exec.LookPath(program)
		return err == nil
	})
}

// onThisMachine tells the tools that can be run from those that cannot.
func onThisMachine(all []tool) (present, absent []tool) {
	for _, t := range all {
		if len(t.missing()) == 0 {
			present = append(present, t)
		} else {
			absent = append(absent, t)
		}
	}
	return present, absent
}

// writeScript has a shell install each header by a process of its own.
func writeScript(_ context.Context, b *bench) error {
	return os.WriteFile(filepath.Join(b.dir, "install.sh"), []byte(installScript(b.tree)), 0o644)
}

func installScript(tree []copied) string {
	var script strings.Builder
	for _, c := range tree {
		fmt.Fprintf(&script, "install -D -m 644 %s %s\n", quoted("headers/"+c.name), quoted("install/include/"+c.name))
	}
	return script.String()
}

// quoted makes one word of s for a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

const cmakeLists = `cmake_minimum_required(VERSION 3.15)
project(headers NONE)
install(DIRECTORY headers/ DESTINATION include FILES_MATCHING PATTERN "*.h")
`

func configureCMake(ctx context.Context, b *bench) error {
	return b.configure(ctx, "CMakeLists.txt", cmakeLists, "cmake", "-S", ".", "-B", "cmake-build", "-DCMAKE_INSTALL_PREFIX="+filepath.Join(b.dir, "cmake"))
}

const mesonBuild = `project('headers')
install_subdir('headers', install_dir: 'include', strip_directory: true)
`

func configureMeson(ctx context.Context, b *bench) error {
	return b.configure(ctx, "meson.build", mesonBuild, "meson", "setup", "meson-build", "--prefix=/")
}

// configure makes a project file, and what its tool makes of it.
func (b *bench) configure(ctx context.Context, project, content string, args ...string) error {
	if err := os.WriteFile(filepath.Join(b.dir, project), []byte(content), 0o644); err != nil {
		return err
	}
	_, err := measure.Run(ctx, b.dir, args)
	return err
}
