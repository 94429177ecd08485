// Package kmod reads kernel module files: what a module is called, what it
// depends on, and in which order a set of modules has to be loaded.
//
// A module file is a relocatable ELF file called NAME.ko, or the same
// compressed as NAME.ko.xz, .ko.zst or .ko.gz. Its section .modinfo is a sequence of
// NUL-terminated KEY=VALUE strings (MODULE_INFO in include/linux/module.h);
// "name" and "depends" (a comma-separated list of names) are written by modpost. A dash in a file name is an underscore
// in the module's name.
package kmod

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// maxFileBytes bounds what a compressed module may expand to. The largest module of a
// Debian kernel (amdgpu) has 20 MB, with debug information 700 MB.
const maxFileBytes = 1 << 30

// Info is what a module says of itself.
type Info struct {
	Name       string   // as lsmod prints it
	Depends    []string // names of the modules that it needs, as modpost found them
	Version    string   // MODULE_VERSION, empty if it has none
	Vermagic   string   // release and options of the kernel that it was built for
	SrcVersion string   // srcversion, empty if the kernel writes none
}

// ReadFile returns the bytes of the ELF file in a module file, expanded when its
// name says that it is compressed.
func ReadFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("opening a kernel module: %w", err)
	}
	defer f.Close()
	r, err := Expand(f, filepath.Ext(file), maxFileBytes)
	if err != nil {
		return nil, fmt.Errorf("expanding the kernel module %s: %w", file, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the kernel module %s: %w", file, err)
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("reading the kernel module %s: it expands to more than %d bytes; it is no module", file, maxFileBytes)
	}
	return data, nil
}

// Open opens a module, or another object, of size bytes: where it lies, or what is in a compressed file in memory, with the
// bound of ReadFile. Its errors name the file.
func Open(name string) (input io.ReaderAt, size int64, closeInput func() error, err error) {
	switch filepath.Ext(name) {
	case ".xz", ".zst", ".gz":
		data, err := ReadFile(name)
		return bytes.NewReader(data), int64(len(data)), func() error { return nil }, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, nil, err
	}
	return f, info.Size(), f.Close, nil
}

// Expand returns what a file holds that is compressed as the extension of its name says: .xz, .gz or .zst, of which a window may have
// so many bytes at most. Of any other extension it is the file itself. How much that is in all is the caller's to bound.
func Expand(r io.Reader, ext string, maxWindow uint64) (io.Reader, error) {
	switch ext {
	case ".xz":
		return xz.NewReader(bufio.NewReaderSize(r, 64<<10)) // it reads byte by byte
	case ".gz":
		return gzip.NewReader(r)
	case ".zst":
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	}
	return r, nil
}

// ReadInfo returns what the module in file says of itself.
func ReadInfo(file string) (Info, error) {
	data, err := ReadFile(file)
	if err != nil {
		return Info{}, err
	}
	info, err := parseInfo(data)
	if err != nil {
		return Info{}, fmt.Errorf("reading the kernel module %s: %w; give a .ko file that modpost made", file, err)
	}
	if info.Name == "" { // kernels before 4.16 write no name
		info.Name = NameOf(file)
	}
	return info, nil
}

// NameOf returns the name of the module in a file of that path.
func NameOf(file string) string {
	base, _, _ := strings.Cut(filepath.Base(file), ".ko")
	return strings.ReplaceAll(base, "-", "_")
}

func parseInfo(data []byte) (Info, error) {
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return Info{}, err
	}
	section := f.Section(".modinfo")
	if section == nil {
		return Info{}, fmt.Errorf("it has no section .modinfo")
	}
	text, err := section.Data()
	if err != nil {
		return Info{}, fmt.Errorf("section .modinfo: %w", err)
	}
	var info Info
	for _, entry := range strings.Split(string(text), "\x00") {
		key, value, _ := strings.Cut(entry, "=")
		switch key {
		case "name":
			info.Name = value
		case "depends":
			info.Depends = strings.FieldsFunc(value, func(r rune) bool { return r == ',' })
		case "version":
			info.Version = value
		case "vermagic":
			info.Vermagic = value
		case "srcversion":
			info.SrcVersion = value
		}
	}
	return info, nil
}
