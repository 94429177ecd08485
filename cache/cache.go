// Package cache keeps what long steps produced, under the digest of their inputs.
//
// A cache is a directory with one subdirectory a product, called
// STEP-DIGEST, where DIGEST is the SHA-256 of the step's inputs, cut. A product is complete
// when it holds the file "inputs.json", which is written last; a directory
// without it is what a killed run left and is made anew. A product is made where it
// stays, because compilers write the paths of what they read into what they write.
// Old products are never removed here, but for one that turned out to be damaged: the whole directory may be deleted at any time.
package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	stampName   = "inputs.json"
	digestChars = 16
	lockRetry   = 200 * time.Millisecond
)

// Dir is a cache.
type Dir string

// Log returns the file that takes the output of the programs which make the
// product at dir. It stays when the step fails and its product is removed.
func (d Dir) Log(dir string) string {
	return filepath.Join(string(d), "log", filepath.Base(dir)+".log")
}

func (d Dir) locate(step string, inputs any) (dir string, stamp []byte, err error) {
	stamp, err = json.MarshalIndent(inputs, "", "  ")
	if err != nil {
		return "", nil, fmt.Errorf("digesting the inputs of step %q: %w", step, err)
	}
	sum := sha256.Sum256(stamp)
	root, err := filepath.Abs(string(d))
	if err != nil {
		return "", nil, fmt.Errorf("finding the cache directory: %w", err)
	}
	return filepath.Join(root, step+"-"+hex.EncodeToString(sum[:])[:digestChars]), stamp, nil
}

// Do returns the directory of the product of step for inputs, and whether an
// earlier call had made it. If none had, it calls produce with the new, empty directory. When
// produce fails, the directory is removed and its error returned. Only one
// process makes a product at a time; another waits for it.
func (d Dir) Do(ctx context.Context, step string, inputs any, produce func(dir string) error) (dir string, hit bool, err error) {
	dir, stamp, err := d.locate(step, inputs)
	if err != nil {
		return "", false, err
	}
	if complete(dir) {
		return dir, true, nil
	}
	if err := os.MkdirAll(string(d), 0o755); err != nil {
		return "", false, fmt.Errorf("making the cache directory: %w", err)
	}
	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return "", false, fmt.Errorf("waiting for another run of step %q: %w", step, err)
	}
	defer unlock()
	if complete(dir) {
		return dir, true, nil
	}
	if err := makeEmpty(dir, d.Log(dir)); err != nil {
		return "", false, fmt.Errorf("preparing the product of step %q: %w", step, err)
	}
	if err := produce(dir); err != nil {
		return "", false, errors.Join(err, os.RemoveAll(dir))
	}
	if err := os.WriteFile(filepath.Join(dir, stampName), stamp, 0o644); err != nil {
		return "", false, fmt.Errorf("completing the product of step %q: %w", step, err)
	}
	return dir, false, nil
}

// Discard removes the product at dir, which is damaged, so that Do makes it anew.
func (d Dir) Discard(ctx context.Context, dir string) error {
	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return fmt.Errorf("removing %s: %w", dir, err)
	}
	defer unlock()
	if err := os.Remove(filepath.Join(dir, stampName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", dir, err)
	}
	return os.RemoveAll(dir)
}

func complete(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, stampName))
	return err == nil
}

func makeEmpty(dir, log string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.RemoveAll(log); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o755)
}

// lock takes the exclusive flock of file, asking again until ctx ends, since
// a blocked flock cannot be cancelled.
func lock(ctx context.Context, file string) (unlock func(), err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, context.Cause(ctx)
		case <-time.After(lockRetry):
		}
	}
}
