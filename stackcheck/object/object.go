// Package object reads from ELF files what is needed to know their functions: symbols, and the tables that point at code.
//
// Terms:
//
//   - An object is an ELF file with code: one that the compiler wrote (.o), a kernel module (.ko), or a kernel (vmlinux).
//     The first two are relocatable (ET_REL): they have no addresses yet, and what points at code is a relocation. The kernel
//     is linked, and has addresses.
//   - A local symbol (static in C) is known in the file that it was compiled from, so that several can have one name. The
//     file's name stands before it in the symbol table, if it was not stripped. A global or weak symbol is known everywhere.
//   - An alias is one more symbol of the same code, such as init_module of a module's init function.
//   - A cold part is code of a function that gcc moved away from it, as f.cold. It is entered by a jump, and runs in the
//     function's frame.
//   - A reference is an instruction that leads to other code, or takes the address of some. Those of local functions are
//     distances within the section, which the assembler knows; they have no relocations. So code is read instruction
//     by instruction, of x86-64 and aarch64.
//
// Only little and big endian ELF of 64 bits is read. Nothing that the file says of its own layout is believed: each offset
// is held against the file's size, and a section that is read is no larger than 64 MiB.
package object

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Sizes of the structures of ELF of 64 bits.
const (
	headerBytes     = 64
	sectionBytes    = 64
	symbolBytes     = 24
	relocationBytes = 24
)

// MaxSectionBytes bounds a section that is read. The largest, a kernel's symbols, has about 10 MB.
const MaxSectionBytes = 64 << 20

// ErrNotELF is the error of a file that does not begin as ELF files of 64 bits do.
var ErrNotELF = errors.New("no ELF file of 64 bits")

// A File is an object.
type File struct {
	Name     string // for messages
	Machine  elf.Machine
	Linked   bool // has addresses; otherwise relocations tell what points where
	Sections []Section

	order   binary.ByteOrder
	little  bool // that is little endian
	input   io.ReaderAt
	size    int64
	symbols []byte // of the symbol table
	names   stringTable

	finding   sync.WaitGroup // what is below is there when it is over
	functions []Function
	cold      []coldPart // by address
}

// A Section is a section's header.
type Section struct {
	Index int
	Name  string
	elf.Section64
}

// An Address is a place in an object: an offset in one of its sections, or, in a linked one, an address, with section 0.
type Address struct {
	Section int
	Offset  uint64
}

// Open reads the object in a file of size bytes, and finds its functions, while the caller goes on. The name begins messages. The data
// that Open has not read is read from r when it is asked for.
func Open(r io.ReaderAt, size int64, name string) (*File, error) {
	f := &File{Name: name, input: r, size: size}
	if err := f.readHeader(); err != nil {
		return nil, f.fail(err)
	}
	if err := f.readSymbols(); err != nil {
		return nil, f.fail(err)
	}
	f.finding.Go(f.findFunctions)
	return f, nil
}

// MachineOf returns for which machine an ELF file is, also one of 32 bits, which Open does not read; EM_NONE for other files.
func MachineOf(r io.ReaderAt) elf.Machine {
	var raw [elf.EI_NIDENT + 4]byte // the last two are e_machine in both classes
	if _, err := r.ReadAt(raw[:], 0); err != nil || !bytes.HasPrefix(raw[:], []byte(elf.ELFMAG)) {
		return elf.EM_NONE
	}
	machine := raw[elf.EI_NIDENT+2:]
	if elf.Data(raw[elf.EI_DATA]) == elf.ELFDATA2MSB {
		return elf.Machine(binary.BigEndian.Uint16(machine))
	}
	return elf.Machine(binary.LittleEndian.Uint16(machine))
}

func (f *File) fail(err error) error { return fmt.Errorf("%s: %w", f.Name, err) }

func (f *File) readHeader() error {
	raw := make([]byte, headerBytes)
	if n, err := f.input.ReadAt(raw, 0); n < len(raw) {
		if !bytes.HasPrefix(raw[:n], []byte(elf.ELFMAG)) {
			return ErrNotELF
		}
		return fmt.Errorf("the ELF header is cut off: %w", err)
	}
	if !bytes.HasPrefix(raw, []byte(elf.ELFMAG)) {
		return ErrNotELF
	}
	if elf.Class(raw[elf.EI_CLASS]) != elf.ELFCLASS64 {
		return ErrNotELF
	}
	switch data := elf.Data(raw[elf.EI_DATA]); data {
	case elf.ELFDATA2LSB:
		f.order, f.little = binary.LittleEndian, true
	case elf.ELFDATA2MSB:
		f.order = binary.BigEndian
	default:
		return fmt.Errorf("byte order %v; want little or big endian", data)
	}
	var header elf.Header64
	if _, err := binary.Decode(raw, f.order, &header); err != nil {
		return err
	}
	f.Machine = elf.Machine(header.Machine)
	f.Linked = elf.Type(header.Type) != elf.ET_REL
	return f.readSections(header)
}

func (f *File) readSections(header elf.Header64) error {
	if header.Shoff == 0 || header.Shnum == 0 {
		return errors.New("no section headers, or more than 65,279; give a file as the compiler or the linker left it")
	}
	if header.Shentsize != sectionBytes {
		return fmt.Errorf("section headers of %d bytes, want %d; the file is damaged", header.Shentsize, sectionBytes)
	}
	raw, err := f.read(header.Shoff, uint64(header.Shnum)*sectionBytes)
	if err != nil {
		return fmt.Errorf("the section headers: %w", err)
	}
	f.Sections = make([]Section, header.Shnum)
	for i := range f.Sections {
		s := &f.Sections[i]
		s.Index = i
		if _, err := binary.Decode(raw[i*sectionBytes:], f.order, &s.Section64); err != nil {
			return err
		}
	}
	names, err := f.strings(uint32(header.Shstrndx))
	if err != nil {
		return fmt.Errorf("the names of sections: %w", err)
	}
	for i := range f.Sections {
		f.Sections[i].Name = names.at(f.Sections[i].Section64.Name)
	}
	return nil
}

// Find returns the sections of a name.
func (f *File) Find(name string) []*Section {
	var found []*Section
	for i := range f.Sections {
		if f.Sections[i].Name == name {
			found = append(found, &f.Sections[i])
		}
	}
	return found
}

// Data returns the content of a section.
func (f *File) Data(s *Section) ([]byte, error) {
	data, err := f.data(s)
	return data, f.inSection(s, err)
}

func (f *File) inSection(s *Section, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: section %s: %w", f.Name, s.Name, err)
}

// Has returns the error that Pieces has of a section that is not in the file.
func (f *File) Has(s *Section) error {
	_, err := f.section(s)
	return f.inSection(s, err)
}

// Pieces calls do with the content of a section of structures of so many bytes, some whole structures at a time, and with the number of the
// first of them. What is left of a structure at the end is not there. It takes less memory than Data, which has to be cleared before it is read into.
func (f *File) Pieces(s *Section, size int, do func(first int, piece []byte) error) error {
	data, err := f.section(s)
	if err == nil {
		err = eachPiece(data, size, do)
	}
	return f.inSection(s, err)
}

// pieceBytes is about how much of a section is read at a time, so that it stays in a processor's cache.
const pieceBytes = 96 << 10

func eachPiece(data *io.SectionReader, size int, do func(first int, piece []byte) error) error {
	whole := data.Size() / int64(size) * int64(size)
	piece := make([]byte, min(whole, int64(pieceBytes/size*size)))
	for at := int64(0); at < whole; at += int64(len(piece)) {
		piece = piece[:min(int64(len(piece)), whole-at)]
		if _, err := data.ReadAt(piece, at); err != nil {
			return err
		}
		if err := do(int(at/int64(size)), piece); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) data(s *Section) ([]byte, error) {
	r, err := f.section(s)
	if err != nil {
		return nil, err
	}
	return readAll(r)
}

// section returns the content of a section, which lies within the file.
func (f *File) section(s *Section) (*io.SectionReader, error) {
	if elf.SectionType(s.Type) == elf.SHT_NOBITS {
		return nil, errors.New("has no content, as in a file of debug information; give the file that it was split from")
	}
	if elf.SectionFlag(s.Flags)&elf.SHF_COMPRESSED != 0 {
		return nil, errors.New("is compressed; no compiler compresses it")
	}
	return f.extent(s.Off, s.Size)
}

// Code returns the first bytes of a piece of code, at most n.
func (f *File) Code(e Extent, n uint64) ([]byte, error) {
	for _, s := range f.Sections {
		at := e.Start.Offset
		switch {
		case elf.SectionType(s.Type) != elf.SHT_PROGBITS || !f.Linked && s.Index != e.Start.Section:
			continue
		case f.Linked:
			at -= s.Addr
		}
		if at < s.Size && s.Off+at >= s.Off {
			return f.read(s.Off+at, min(n, e.Size, s.Size-at))
		}
	}
	return nil, fmt.Errorf("%s: code at %#x lies in no section", f.Name, e.Start.Offset)
}

// ReturnAddressBytes returns what a call takes of the stack on the object's machine: that of x86-64 pushes where to return to.
func (f *File) ReturnAddressBytes() int {
	if f.Machine == elf.EM_X86_64 {
		return 8
	}
	return 0
}

// Order returns the byte order of the object's machine.
func (f *File) Order() binary.ByteOrder { return f.order }

// uint16, uint32 and uint64 read integers in the object's order, as f.order does, but without a call where that is the usual one.

func (f *File) uint16(b []byte) uint16 {
	if f.little {
		return binary.LittleEndian.Uint16(b)
	}
	return f.order.Uint16(b)
}

func (f *File) uint32(b []byte) uint32 {
	if f.little {
		return binary.LittleEndian.Uint32(b)
	}
	return f.order.Uint32(b)
}

func (f *File) uint64(b []byte) uint64 {
	if f.little {
		return binary.LittleEndian.Uint64(b)
	}
	return f.order.Uint64(b)
}

func (f *File) read(offset, n uint64) ([]byte, error) {
	r, err := f.extent(offset, n)
	if err != nil {
		return nil, err
	}
	return readAll(r)
}

func readAll(r *io.SectionReader) ([]byte, error) {
	data := make([]byte, r.Size())
	_, err := io.ReadFull(r, data)
	return data, err
}

// extent returns a part of the file.
func (f *File) extent(offset, n uint64) (*io.SectionReader, error) {
	if size := uint64(f.size); offset > size || n > size-offset {
		return nil, fmt.Errorf("%d bytes from byte %d lie outside of the file, which has %d; it is cut off or damaged", n, offset, f.size)
	}
	if n > MaxSectionBytes {
		return nil, fmt.Errorf("%d bytes, more than the %d MiB that are read of one", n, MaxSectionBytes>>20)
	}
	return io.NewSectionReader(f.input, int64(offset), int64(n)), nil
}

// A stringTable holds strings that end in NUL. Those taken out of it share its memory, however many and long they are.
type stringTable string

func (f *File) strings(section uint32) (stringTable, error) {
	if uint64(section) >= uint64(len(f.Sections)) {
		return "", fmt.Errorf("section %d of %d; the file is damaged", section, len(f.Sections))
	}
	var table strings.Builder // what it holds becomes a string where it is
	data, err := f.section(&f.Sections[section])
	if err == nil {
		table.Grow(int(data.Size()))
		_, err = io.CopyN(&table, data, data.Size())
	}
	return stringTable(table.String()), err
}

// has says whether there is a string at an offset, which is not empty.
func (t stringTable) has(offset uint32) bool {
	return uint64(offset) < uint64(len(t)) && t[offset] != 0
}

// is says whether the string at an offset is this one.
func (t stringTable) is(offset uint32, s string) bool {
	at := uint64(offset)
	return at < uint64(len(t)) && strings.HasPrefix(string(t[at:]), s) && at+uint64(len(s)) < uint64(len(t)) && t[at+uint64(len(s))] == 0
}

// maxNameBytes bounds a name. The kernel knows none of more than 512 bytes (KSYM_NAME_LEN), and without a bound all symbols of a damaged file
// could have a name as long as the table.
const maxNameBytes = 4 << 10

// at returns the string at an offset, as far as maxNameBytes, or none for an offset outside of the table.
func (t stringTable) at(offset uint32) string {
	if uint64(offset) >= uint64(len(t)) {
		return ""
	}
	s := string(t[offset:])
	s, _, _ = strings.Cut(s[:min(len(s), maxNameBytes)], "\x00")
	return s
}
