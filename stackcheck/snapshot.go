package stackcheck

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"

	"github.com/google/renameio/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// SnapshotFormat is the first field of a snapshot.
const SnapshotFormat = "kmodaudit-stack/1"

// Bounds on what is read. The snapshot of OpenZFS has 9 MB, and the compressor that writes it needs a window of 8 MiB at most.
const (
	maxSnapshotBytes       = 256 << 20 // decompressed
	maxSnapshotWindowBytes = 32 << 20
)

// A snapshot is a Build as JSON: what was read of it, and nothing that follows from that.
type snapshot struct {
	Format       string        `json:"format"`
	Built        Built         `json:"built"`
	Root         string        `json:"root,omitempty"`
	Objects      int           `json:"objects"`
	WithoutGraph []string      `json:"without_graph,omitempty"`
	Entries      []string      `json:"entries,omitempty"`
	Functions    []Function    `json:"functions"`
	Unsized      []frame.Frame `json:"unsized"`
	Units        []unitJSON    `json:"units"`
}

// WriteSnapshot writes a build to w, a line for each function and each unit, so that two of one build can be compared as text.
// The cross-check and the copies that were left out are not part of it.
func WriteSnapshot(w io.Writer, b Build) error {
	head, err := json.Marshal(snapshot{Format: SnapshotFormat, Built: b.Built, Root: b.Root, Objects: b.Objects, WithoutGraph: b.WithoutGraph, Entries: b.Entries})
	if err != nil {
		return err
	}
	var units []unitJSON
	for _, u := range b.Units {
		units = append(units, newUnitJSON(u))
	}
	// The lists are the last of the fields, and empty: they are written here.
	head, _, _ = bytes.Cut(head, []byte(`,"functions":`))
	out := bufio.NewWriter(w)
	out.Write(head)
	if err := errors.Join(
		writeList(out, "functions", b.Functions),
		writeList(out, "unsized", b.Unsized),
		writeList(out, "units", units),
	); err != nil {
		return err
	}
	out.WriteString("}\n")
	return out.Flush()
}

// writeList writes a field with a list, an element a line. What fails to be written, Flush tells.
func writeList[T any](out *bufio.Writer, name string, all []T) error {
	fmt.Fprintf(out, ",\n%q:[", name)
	for i, each := range all {
		line, err := json.Marshal(each)
		if err != nil {
			return err
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		out.Write(line)
	}
	out.WriteByte(']')
	return nil
}

// WriteSnapshotFile writes a build to a file, wholly or not at all; compressed by zstd when the name ends in .zst.
func WriteSnapshotFile(name string, b Build) error {
	f, err := renameio.NewPendingFile(name, renameio.WithPermissions(0o644))
	if err == nil {
		defer f.Cleanup()
		err = writeSnapshotTo(f, path.Ext(name) == ".zst", b)
	}
	if err == nil {
		err = f.CloseAtomicallyReplace()
	}
	if err != nil {
		return fmt.Errorf("writing the snapshot %s: %w", name, err)
	}
	return nil
}

func writeSnapshotTo(w io.Writer, compressed bool, b Build) error {
	if !compressed {
		return WriteSnapshot(w, b)
	}
	encoder, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	return errors.Join(WriteSnapshot(encoder, b), encoder.Close())
}

var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// isSnapshot reports whether a file looks like a snapshot: JSON, or compressed by zstd and neither a module nor an archive.
func isSnapshot(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	var start [4]byte
	n, _ := io.ReadFull(f, start[:])
	if bytes.Equal(start[:n], zstdMagic) {
		return !IsObject(name)
	}
	return n > 0 && start[0] == '{'
}

func readSnapshotFile(name string) (Build, error) {
	f, err := os.Open(name)
	if err != nil {
		return Build{}, err
	}
	defer f.Close()
	b, err := ReadSnapshot(f)
	return b, inFile(name, err)
}

// ReadSnapshot reads what WriteSnapshot wrote, also if it is compressed by zstd. The Build is that which was written, as
// far as a snapshot holds it.
func ReadSnapshot(r io.Reader) (Build, error) {
	input := bufio.NewReader(r)
	if start, _ := input.Peek(len(zstdMagic)); bytes.Equal(start, zstdMagic) {
		decoder, err := zstd.NewReader(input, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxSnapshotWindowBytes))
		if err != nil {
			return Build{}, err
		}
		defer decoder.Close()
		input = bufio.NewReader(decoder)
	}
	var s snapshot
	limited := &io.LimitedReader{R: input, N: maxSnapshotBytes + 1}
	decoder := json.NewDecoder(limited)
	if err := decoder.Decode(&s); err != nil {
		if limited.N <= 0 {
			err = fmt.Errorf("larger than %d MiB when decompressed", maxSnapshotBytes>>20)
		}
		return Build{}, fmt.Errorf("not a snapshot: %w; make one by kmodaudit stack snapshot", err)
	}
	if s.Format != SnapshotFormat {
		return Build{}, fmt.Errorf("its format is %.80q, want %q; make it anew by kmodaudit stack snapshot", s.Format, SnapshotFormat)
	}
	b, err := s.build()
	if err != nil {
		return Build{}, fmt.Errorf("%w; the snapshot is damaged, make it anew", err)
	}
	return b, nil
}

// check refuses what no build has, and what calculations could not be trusted with.
func (s *snapshot) check() error {
	if s.Objects < 0 {
		return fmt.Errorf("%d objects", s.Objects)
	}
	for i, fn := range s.Functions {
		if len(fn.Frames) == 0 {
			return fmt.Errorf("function %d has no frame", i+1)
		}
		for _, f := range fn.Frames {
			if err := checkFrame(f); err != nil {
				return fmt.Errorf("function %d: %w", i+1, err)
			}
			if !slices.Contains(Sources, f.Source) {
				return fmt.Errorf("function %d: a frame from %q", i+1, f.Source)
			}
		}
	}
	for i, f := range s.Unsized {
		if err := checkFrame(f); err != nil {
			return fmt.Errorf("function %d without size: %w", i+1, err)
		}
	}
	return nil
}

func checkFrame(f frame.Frame) error {
	switch {
	case f.Function == "":
		return errors.New("it has no name")
	case f.Bytes < 0 || f.Bytes > frame.MaxBytes || f.AddedBytes < 0 || f.AddedBytes > f.Bytes:
		return fmt.Errorf("%s has %d bytes, %d of them added", f.Function, f.Bytes, f.AddedBytes)
	}
	return nil
}

func (s *snapshot) build() (Build, error) {
	if err := s.check(); err != nil {
		return Build{}, err
	}
	var units []*callgraph.Unit
	for i, j := range s.Units {
		u, err := j.unit()
		if err != nil {
			return Build{}, fmt.Errorf("unit %d: %w", i+1, err)
		}
		units = append(units, u)
	}
	b := Build{
		Built: s.Built, Root: s.Root, Objects: s.Objects, WithoutGraph: s.WithoutGraph, Entries: s.Entries,
		Functions: s.Functions, Unsized: s.Unsized,
	}
	for i := range b.Functions {
		sortBySource(b.Functions[i].Frames)
	}
	slices.Sort(b.Entries)
	slices.SortStableFunc(b.Functions, func(x, y Function) int { return frame.Compare(x.Frames[0], y.Frames[0]) })
	b.link(units)
	return b, nil
}
