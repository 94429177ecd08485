package zpoolevents

import (
	"archive/zip"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/kmodaudit/kmodaudit/proc"
)

// programs are the files of what was compiled.
type programs struct{ raise, zevents string }

// compile builds the commands of this project that the guest runs, static, into dir.
func compile(ctx context.Context, dir string) (programs, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return programs{}, err
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		return programs{}, fmt.Errorf("compiling the guest's programs: %w; install Go", err)
	}
	const module = "github.com/kmodaudit/kmodaudit/"
	err = proc.Run(ctx, proc.Command{
		Args: []string{goTool, "build", "-trimpath", "-ldflags=-s -w", "-o", dir + "/", module + "endtoend/zpoolevents/raise", module + "cmd/zevents"},
		Env:  []string{"CGO_ENABLED=0", "GOOS=linux"},
		Log:  filepath.Join(dir, "compile.log"),
	})
	if err != nil {
		return programs{}, fmt.Errorf("compiling the guest's programs: %w", err)
	}
	return programs{raise: filepath.Join(dir, "raise"), zevents: filepath.Join(dir, "zevents")}, nil
}

// bundle appends a zip archive to raise, with zevents and what it takes of the userland below root.
func bundle(p programs, root string) error {
	userland, err := indexUserland(root)
	if err != nil {
		return err
	}
	files, err := userland.closure("zpool", "zfs", "zinject")
	if err != nil {
		return err
	}
	files["bin/zevents"] = p.zevents
	files["bin/busybox"], err = userland.find("busybox")
	if err != nil {
		return err
	}
	for _, print := range prints {
		const zones = "usr/share/zoneinfo"
		if file := filepath.Join(root, zones, print.Zone); filepath.IsLocal(print.Zone) && isRegular(file) {
			files[filepath.Join(zones, print.Zone)] = file
		}
	}
	raise, err := os.OpenFile(p.raise, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	return errors.Join(archive(raise, files), raise.Close())
}

func isRegular(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular()
}

// archive writes files by their names in the archive. They are not compressed: to expand them takes a
// translated guest longer than to read them.
func archive(w io.Writer, files map[string]string) error {
	z := zip.NewWriter(w)
	for name, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			return err
		}
		if _, err := f.Write(data); err != nil {
			return err
		}
	}
	return z.Close()
}

// userland finds the programs and libraries of an unpacked tree by their names.
type userland struct {
	root  string
	files map[string]string
}

// indexUserland looks into the directories that programs and libraries are in, of which only distributions that
// have merged /usr have one each.
func indexUserland(root string) (userland, error) {
	u := userland{root: root, files: map[string]string{}}
	for _, dir := range []string{"bin", "sbin", "lib", "lib64", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64"} {
		dir = filepath.Join(root, dir)
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			library := strings.Contains(d.Name(), ".so")
			if (library || filepath.Dir(path) == dir) && isRegular(path) {
				u.files[d.Name()] = path
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return u, err
		}
	}
	return u, nil
}

func (u userland) find(name string) (string, error) {
	if file, ok := u.files[name]; ok {
		return file, nil
	}
	return "", fmt.Errorf("the packages in %s have no %s; the distribution packs it elsewhere", u.root, name)
}

// closure returns those programs, the libraries that they are linked with and these are, and their loader, by where the guest has them.
func (u userland) closure(names ...string) (map[string]string, error) {
	files := map[string]string{}
	for _, name := range names {
		file, err := u.find(name)
		if err != nil {
			return nil, err
		}
		files["sbin/"+name] = file
		if err := u.addNeeded(files, file); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (u userland) addNeeded(files map[string]string, file string) error {
	needed, loader, err := readNeeded(file)
	if err != nil {
		return fmt.Errorf("reading what %s is linked with: %w", file, err)
	}
	if loader != "" {
		if files[strings.TrimPrefix(loader, "/")], err = u.find(filepath.Base(loader)); err != nil {
			return err
		}
	}
	for _, name := range needed {
		if files["lib/"+name] != "" {
			continue
		}
		library, err := u.find(name)
		if err != nil {
			return err
		}
		files["lib/"+name] = library
		if err := u.addNeeded(files, library); err != nil {
			return err
		}
	}
	return nil
}

// readNeeded returns the names of the libraries that an ELF file is linked with, and for a program the path of its loader.
func readNeeded(file string) (needed []string, loader string, err error) {
	f, err := elf.Open(file)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	for _, segment := range f.Progs {
		if segment.Type != elf.PT_INTERP {
			continue
		}
		path, err := io.ReadAll(segment.Open())
		if err != nil {
			return nil, "", err
		}
		loader = strings.TrimRight(string(path), "\x00")
	}
	needed, err = f.ImportedLibraries()
	return needed, loader, err
}
