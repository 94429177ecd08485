package guest

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A kept machine is a directory with these files. Its memory is sparse, of the size that the guest has.
const (
	keptMemory  = "memory"
	keptDevices = "devices" // QEMU's own format
	keptConsole = "console.log"
	keptSums    = "sums.json" // written last
)

const (
	maxDevicesBytes = 32 << 20 // a machine of ours has 0.3 MB
	maxConsoleBytes = 4 << 20
	maxSumsBytes    = 4 << 10
	chunkBytes      = 64 << 10 // of memory that is written or left out
)

// sums tell whether the files are what was written. They find damage, not forgery: the cache is its user's.
type sums struct {
	MemoryBytes, DevicesBytes int64
	Memory, Devices           uint32 // CRC-32C
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// writeKept writes a machine to dir, which is empty. Memory that is zero takes no space.
func writeKept(dir string, memory *os.File, devices []byte, console string) error {
	size, err := memory.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	copied, err := os.Create(filepath.Join(dir, keptMemory))
	if err != nil {
		return err
	}
	sum := crc32.New(castagnoli)
	err = eachChunk(memory, size, func(offset int64, chunk []byte) error {
		addChunk(sum, offset, chunk)
		_, err := copied.WriteAt(chunk, offset)
		return err
	})
	if err := errors.Join(err, copied.Truncate(size), copied.Close()); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, keptDevices), devices, 0o644); err != nil {
		return err
	}
	text, err := readBounded(console, maxConsoleBytes)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, keptConsole), text, 0o644)
	}
	if err != nil {
		return err
	}
	s := sums{MemoryBytes: size, DevicesBytes: int64(len(devices)), Memory: sum.Sum32(), Devices: crc32.Checksum(devices, castagnoli)}
	text, err = json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, keptSums), append(text, '\n'), 0o644)
}

// kept is a machine that was read, whose memory is the caller's to close.
type kept struct {
	memory           *os.File
	devices, console []byte
	sum              uint32 // that the memory should have
}

// openKept reads a machine with so many bytes of memory, all of it but the memory.
func openKept(dir string, memoryBytes int64) (*kept, error) {
	var s sums
	text, err := readBounded(filepath.Join(dir, keptSums), maxSumsBytes)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", keptSums, err)
	}
	k := kept{sum: s.Memory}
	if k.devices, err = readBounded(filepath.Join(dir, keptDevices), maxDevicesBytes); err != nil {
		return nil, err
	}
	if int64(len(k.devices)) != s.DevicesBytes || crc32.Checksum(k.devices, castagnoli) != s.Devices {
		return nil, fmt.Errorf("%s is not what was written", keptDevices)
	}
	if k.console, err = readBounded(filepath.Join(dir, keptConsole), maxConsoleBytes); err != nil {
		return nil, err
	}
	// QEMU opens for writing what it maps, though it writes to copies.
	if k.memory, err = os.OpenFile(filepath.Join(dir, keptMemory), os.O_RDWR, 0); err != nil {
		return nil, err
	}
	size, err := k.memory.Seek(0, io.SeekEnd)
	if err == nil && (size != memoryBytes || size != s.MemoryBytes) {
		err = fmt.Errorf("%s has %d bytes, want %d", keptMemory, size, memoryBytes)
	}
	if err != nil {
		return nil, errors.Join(err, k.memory.Close())
	}
	return &k, nil
}

// check holds the memory of so many bytes against its sum.
func (k *kept) check(memoryBytes int64) error {
	sum := crc32.New(castagnoli)
	err := eachChunk(k.memory, memoryBytes, func(offset int64, chunk []byte) error { addChunk(sum, offset, chunk); return nil })
	if err == nil && sum.Sum32() != k.sum {
		err = fmt.Errorf("%s is not what was written", keptMemory)
	}
	return err
}

func addChunk(sum hash.Hash32, offset int64, chunk []byte) {
	var where [8]byte
	binary.LittleEndian.PutUint64(where[:], uint64(offset))
	_, _ = sum.Write(where[:]) // never fails
	_, _ = sum.Write(chunk)
}

// eachChunk calls do for the chunks of a sparse file that are not zero, in order.
func eachChunk(f *os.File, size int64, do func(offset int64, chunk []byte) error) error {
	buf := make([]byte, chunkBytes)
	for offset := int64(0); offset < size; {
		data, err := f.Seek(offset, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // a hole up to the end
		}
		if err != nil {
			return err
		}
		offset = data &^ (chunkBytes - 1)
		chunk := buf[:min(chunkBytes, size-offset)]
		if _, err := f.ReadAt(chunk, offset); err != nil {
			return err
		}
		if !isZero(chunk) {
			if err := do(offset, chunk); err != nil {
				return err
			}
		}
		offset += int64(len(chunk))
	}
	return nil
}

func isZero(b []byte) bool {
	for len(b) >= 8 {
		if binary.NativeEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// readBounded reads a file that has limit bytes at most.
func readBounded(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", filepath.Base(file), limit)
	}
	return data, err
}
