package guest

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cavaliergopher/cpio"

	"github.com/kmodaudit/kmodaudit/guest/wire"
	"github.com/kmodaudit/kmodaudit/kmod"
)

// writeInitramfs writes a cpio archive in the newc format, which the kernel unpacks
// into its root file system (Documentation/driver-api/early-userspace/buffer-format.rst).
func writeInitramfs(w io.Writer, c Config) error {
	a := archive{w: cpio.NewWriter(w), dirs: map[string]bool{}}
	var job wire.Job
	for i, file := range c.Modules {
		data, err := kmod.ReadFile(file)
		if err != nil {
			return err
		}
		// The number keeps two files of the same name apart.
		name := fmt.Sprintf("%02d-%s.ko", i, kmod.NameOf(file))
		job.Modules = append(job.Modules, name)
		a.add(filepath.Join(wire.ModuleDir, name), 0o600, data)
	}
	a.addFile(wire.InitPath, c.Init)
	for i, p := range c.Programs {
		name := fmt.Sprintf("%02d-%s", i, filepath.Base(p.File))
		job.Programs = append(job.Programs, wire.Program{File: name, Args: p.Args, Env: p.Env})
		a.addFile(filepath.Join(wire.ProgramDir, name), p.File)
	}
	text, err := json.Marshal(job)
	if err != nil {
		return err
	}
	a.add(wire.JobPath, 0o600, text)
	if a.err != nil {
		return a.err
	}
	return a.w.Close()
}

// archive adds files and the directories above them; its first error stays.
type archive struct {
	w    *cpio.Writer
	dirs map[string]bool
	err  error
}

func (a *archive) addFile(name, file string) {
	data, err := os.ReadFile(file)
	if err != nil && a.err == nil {
		a.err = err
	}
	a.add(name, 0o755, data)
}

func (a *archive) add(name string, perm cpio.FileMode, data []byte) {
	a.addDir(filepath.Dir(name))
	a.write(&cpio.Header{Name: name, Mode: cpio.TypeReg | perm, Size: int64(len(data))}, data)
}

func (a *archive) addDir(dir string) {
	if dir == "." || a.dirs[dir] {
		return
	}
	a.addDir(filepath.Dir(dir))
	a.dirs[dir] = true
	a.write(&cpio.Header{Name: dir, Mode: cpio.TypeDir | 0o755}, nil)
}

func (a *archive) write(h *cpio.Header, data []byte) {
	if a.err != nil {
		return
	}
	if a.err = a.w.WriteHeader(h); a.err == nil {
		_, a.err = a.w.Write(data)
	}
}
