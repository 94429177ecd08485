//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/guest/wire"
)

// awaitStart says that the guest is ready and waits for the host's word, beyond which the host says nothing.
func awaitStart(port io.ReadWriter) (wire.Start, error) {
	var start wire.Start
	if _, err := io.WriteString(port, wire.Ready+"\n"); err != nil {
		return start, fmt.Errorf("writing to the result port: %w", err)
	}
	line, err := bufio.NewReader(io.LimitReader(port, wire.MaxStartBytes)).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &start)
	}
	if err != nil {
		return start, fmt.Errorf("waiting for the host to start this guest: %w", err)
	}
	return start, nil
}

// prepare sets the clock, mixes the seed in, and takes the payload with its programs.
func prepare(start wire.Start, memory []byte) (wire.Payload, error) {
	var none wire.Payload
	now := unix.NsecToTimeval(start.Time)
	if err := unix.Settimeofday(&now); err != nil {
		return none, fmt.Errorf("setting the clock: %w", err)
	}
	if err := seedRandom(start.Seed); err != nil {
		return none, fmt.Errorf("seeding the random numbers: %w", err)
	}
	payload, err := wire.OpenPayload(memory[:start.Payload])
	if err != nil {
		return none, err
	}
	if err := os.MkdirAll(filepath.Join("/", wire.ProgramDir), 0o755); err != nil {
		return none, err
	}
	for _, p := range payload.Job.Programs {
		content, err := payload.Content(p.File)
		if err == nil {
			err = os.WriteFile(programPath(p), content, 0o755)
		}
		if err != nil {
			return none, err
		}
	}
	return payload, nil
}

func programPath(p wire.Program) string { return filepath.Join("/", wire.ProgramDir, p.File.Name) }

// mapMemory maps the memory with the payload. It is not the kernel's: one with CONFIG_STRICT_DEVMEM allows that.
func mapMemory(start wire.Start) ([]byte, error) {
	memory, err := os.OpenFile("/dev/mem", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer memory.Close()
	if start.Payload < 0 || start.Payload > start.Memory {
		return nil, fmt.Errorf("a payload of %d bytes in %d", start.Payload, start.Memory)
	}
	data, err := unix.Mmap(int(memory.Fd()), wire.PayloadAddress, int(start.Memory), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", memory.Name(), err)
	}
	return data, nil
}

// maxSeedBytes is more than the 32 that the kernel's generator takes.
const maxSeedBytes = 64

// seedRandom has the kernel's generator take the seed as its state (random(4), RNDADDENTROPY and RNDRESEEDCRNG).
func seedRandom(seed []byte) error {
	if len(seed) == 0 || len(seed) > maxSeedBytes {
		return fmt.Errorf("the seed has %d bytes", len(seed))
	}
	entropy := struct { // struct rand_pool_info
		bits, bytes int32
		data        [maxSeedBytes]byte
	}{bits: int32(8 * len(seed)), bytes: int32(len(seed))}
	copy(entropy.data[:], seed)
	random, err := os.OpenFile("/dev/random", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, random.Fd(), unix.RNDADDENTROPY, uintptr(unsafe.Pointer(&entropy))); errno != 0 {
		return errors.Join(fmt.Errorf("RNDADDENTROPY: %w", errno), random.Close())
	}
	if err := unix.IoctlSetInt(int(random.Fd()), unix.RNDRESEEDCRNG, 0); err != nil {
		return errors.Join(fmt.Errorf("RNDRESEEDCRNG: %w", err), random.Close())
	}
	return random.Close()
}
