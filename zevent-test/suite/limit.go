package suite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// queueLengthParameter may be written while the module is loaded.
const queueLengthParameter = moduleDir + "/parameters/zfs_zevent_len_max"

// savedLimit is a file that holds what the length was before a check changed it, for a later run
// to set it back if this one is killed. It is locked like the files of a pool.
type savedLimit struct {
	file  *os.File
	limit uint64
}

func savedLimitFile(dir string) string { return filepath.Join(dir, poolPrefix+"queue-length") }

// SetLimit implements [LimitedQueue].
func (t *DeviceTarget) SetLimit(events uint64) (before uint64, err error) {
	if before, err = readNumber(queueLengthParameter); err != nil {
		return 0, err
	}
	if t.saved == nil {
		if t.saved, err = saveLimit(t.dir, before); err != nil {
			return 0, err
		}
	}
	if err := writeNumber(queueLengthParameter, events); err != nil {
		return before, err
	}
	if events == t.saved.limit {
		err = t.saved.remove()
		t.saved = nil
	}
	return before, err
}

func saveLimit(dir string, limit uint64) (*savedLimit, error) {
	f, err := os.OpenFile(savedLimitFile(dir), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: another run uses this directory", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		_, err = fmt.Fprintln(f, limit)
	}
	s := &savedLimit{f, limit}
	if err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

func (s *savedLimit) remove() error { return errors.Join(os.Remove(s.file.Name()), s.file.Close()) }

// restoreStaleLimit sets the length back that a killed run had changed.
func restoreStaleLimit(dir string) error {
	file := savedLimitFile(dir)
	if _, err := os.Stat(file); err != nil || !abandoned(file) {
		return nil
	}
	limit, err := readNumber(file)
	if err == nil { // else it was killed before it changed anything
		err = writeNumber(queueLengthParameter, limit)
	}
	var notNumber *strconv.NumError
	if errors.As(err, &notNumber) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("setting the length of the queue back that a killed run had changed: %w", err)
	}
	return os.Remove(file)
}

func readNumber(file string) (uint64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", file, err)
	}
	return n, nil
}

func writeNumber(file string, n uint64) error {
	return os.WriteFile(file, []byte(strconv.FormatUint(n, 10)), 0)
}
