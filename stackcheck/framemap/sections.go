package framemap

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// maxSectionBytes bounds one section of debug information. That of a distribution's vmlinux has 300 MB.
const maxSectionBytes = 1 << 30

// ErrNone is the error of an object without debug information.
var ErrNone = errors.New("no debug information (.debug_info); build with -g, and give the object before it is stripped")

// sections are those of debug information that are read. Those that an object does not have are empty.
type sections struct {
	abbrev, addr, info, line, lineStr, loc, loclists, ranges, rnglists, str, strOffsets []byte
}

// readSections reads the debug information of an object, relocated as if each of its sections lay at an address of its own, see
// AddressOf.
func readSections(r io.ReaderAt, f *object.File) (*sections, error) {
	if !f.Linked && (f.Machine == elf.EM_RISCV || f.Machine == elf.EM_LOONGARCH) {
		return nil, fmt.Errorf("%s: debug information of %v; its relocations are sums, which are not read; give a linked object", f.Name, f.Machine)
	}
	if len(f.Find(".debug_info")) == 0 {
		return nil, fmt.Errorf("%s: %w", f.Name, ErrNone)
	}
	s := new(sections)
	for _, each := range []struct {
		name    string
		content *[]byte
	}{
		{".debug_abbrev", &s.abbrev}, {".debug_addr", &s.addr}, {".debug_info", &s.info}, {".debug_line", &s.line}, {".debug_line_str", &s.lineStr},
		{".debug_loc", &s.loc}, {".debug_loclists", &s.loclists}, {".debug_ranges", &s.ranges}, {".debug_rnglists", &s.rnglists},
		{".debug_str", &s.str}, {".debug_str_offsets", &s.strOffsets},
	} {
		for _, section := range f.Find(each.name) {
			if len(*each.content) > 0 {
				continue // of a group that the linker has not joined
			}
			content, err := readSection(r, f, section)
			if err != nil {
				return nil, fmt.Errorf("%s: section %s: %w", f.Name, each.name, err)
			}
			*each.content = content
		}
	}
	return s, nil
}

func readSection(r io.ReaderAt, f *object.File, s *object.Section) ([]byte, error) {
	if elf.SectionType(s.Type) == elf.SHT_NOBITS {
		return nil, errors.New("has no content; give the file of debug information that was split off")
	}
	if s.Size > maxSectionBytes {
		return nil, fmt.Errorf("%d bytes, more than the %d MiB that are read of one", s.Size, maxSectionBytes>>20)
	}
	// What the header says is believed as far as there are bytes.
	content, err := io.ReadAll(io.NewSectionReader(r, int64(min(s.Off, 1<<62)), int64(s.Size)))
	if err != nil {
		return nil, err
	}
	if uint64(len(content)) < s.Size {
		return nil, fmt.Errorf("%d of %d bytes are there; the file is cut off or damaged", len(content), s.Size)
	}
	if elf.SectionFlag(s.Flags)&elf.SHF_COMPRESSED != 0 {
		if content, err = decompress(f, content); err != nil {
			return nil, err
		}
	}
	return content, relocate(f, s, content)
}

// decompress expands what gcc -gz compressed: a header (Elf64_Chdr), and the rest.
func decompress(f *object.File, content []byte) ([]byte, error) {
	const headerBytes = 24
	if len(content) < headerBytes {
		return nil, errors.New("the header of a compressed section is cut off; the file is damaged")
	}
	input := bytes.NewReader(content[headerBytes:])
	var (
		output io.Reader
		err    error
	)
	switch kind := elf.CompressionType(f.Order().Uint32(content)); kind {
	case elf.COMPRESS_ZLIB:
		output, err = zlib.NewReader(input)
	case elf.COMPRESS_ZSTD:
		var decoder *zstd.Decoder
		decoder, err = zstd.NewReader(input, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
		if err == nil {
			defer decoder.Close()
			output = decoder
		}
	default:
		err = fmt.Errorf("compressed by %v; want zlib or zstd", kind)
	}
	if err != nil {
		return nil, err
	}
	expanded, err := io.ReadAll(io.LimitReader(output, maxCompressedBytes+1))
	if err == nil && len(expanded) > maxCompressedBytes {
		err = fmt.Errorf("larger than %d MiB when decompressed", maxCompressedBytes>>20)
	}
	return expanded, err
}

// maxCompressedBytes bounds a section that is compressed, once it is not.
const maxCompressedBytes = 256 << 20

// AddressOf is an address as one number: in an object that is not linked, all sections begin at 0.
func AddressOf(f *object.File, a object.Address) uint64 {
	if f.Linked {
		return a.Offset
	}
	return uint64(a.Section)<<sectionShift | a.Offset&(1<<sectionShift-1)
}

// sectionShift makes room for a section's offsets below its number.
const sectionShift = 44

// relocate fills in the fields of a section. What points into debug information is an offset of 4 bytes, all else an
// address of 8.
func relocate(f *object.File, s *object.Section, content []byte) error {
	pointers, err := f.Pointers(s)
	if err != nil {
		return err
	}
	for _, p := range pointers {
		width, value := 8, AddressOf(f, p.Target)
		if isDebug(f, p.Target.Section) {
			width, value = 4, p.Target.Offset
		}
		if p.Field > uint64(len(content)) || uint64(len(content))-p.Field < uint64(width) {
			return fmt.Errorf("a relocation of byte %d of %d; the file is damaged", p.Field, len(content))
		}
		if field := content[p.Field:]; width == 4 {
			f.Order().PutUint32(field, uint32(value))
		} else {
			f.Order().PutUint64(field, value)
		}
	}
	return nil
}

func isDebug(f *object.File, section int) bool {
	return section > 0 && section < len(f.Sections) && len(f.Sections[section].Name) > 7 && f.Sections[section].Name[:7] == ".debug_"
}
