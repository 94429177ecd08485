package headerinstall

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// A Removal is what an uninstallation did with the files that the manifest lists.
type Removal struct {
	Removed []string    `json:"removed"` // sorted
	Gone    []string    `json:"gone"`    // were not there any more; sorted
	Kept    []Deviation `json:"kept"`    // were changed, and are left there; sorted by destination
}

// Uninstall removes from the destination directory dest the files that the manifest in a file lists,
// save those that have another content or type than was installed; then the directories that are
// empty without them, dest among them; and last the manifest. If Uninstall fails, is stopped through ctx or
// is killed, the manifest is still there, and uninstalling again finishes the work. That none of the files is
// there is an error, ErrNothingInstalled: dest is probably not where they were installed.
func Uninstall(ctx context.Context, manifest, dest string) (Removal, error) {
	m, err := ReadManifestFile(manifest)
	if err != nil {
		return Removal{}, fmt.Errorf("uninstalling headers from %s: reading the manifest: %w", dest, err)
	}
	r, err := uninstall(ctx, m, dest)
	if err == nil {
		err = os.Remove(manifest)
	}
	if err != nil {
		err = fmt.Errorf("uninstalling headers from %s: %w", dest, err)
	}
	return r, err
}

// ErrNothingInstalled is the error of uninstalling from a directory that has no file of the manifest.
var ErrNothingInstalled = errors.New("none of the manifest's headers is there; check the directory, or remove the manifest if they are gone for good")

func uninstall(ctx context.Context, m Manifest, dest string) (Removal, error) {
	r := Removal{Removed: []string{}, Gone: []string{}, Kept: []Deviation{}}
	d, err := openDestination(dest)
	if err != nil {
		return r, err
	}
	defer d.Close()
	for _, f := range m.Files {
		if ctx.Err() != nil {
			return r, fmt.Errorf("stopped before %q, uninstall again to finish: %w", f.Destination, context.Cause(ctx))
		}
		if err := d.remove(f, &r); err != nil {
			return r, err
		}
	}
	if len(r.Gone) == len(m.Files) {
		return r, ErrNothingInstalled
	}
	return r, d.removeDirs(m.directories(), dest)
}

// remove removes a file that has the content that was installed, whatever its mode.
func (d *destination) remove(f File, r *Removal) error {
	now, err := d.look(f.Destination, f.Size)
	if err != nil && !errors.Is(err, errInTheWay) {
		return unreadable(f.Destination, err)
	}
	switch {
	case err == nil && now == nil:
		r.Gone = append(r.Gone, f.Destination)
		return nil
	case err == nil && now.holds(f):
		r.Removed = append(r.Removed, f.Destination)
		return d.root.Remove(f.Destination)
	}
	deviation, err := d.compare(f)
	if deviation != nil {
		r.Kept = append(r.Kept, *deviation)
	}
	return err
}

// removeDirs removes those of the directories that are empty, the deepest first.
func (d *destination) removeDirs(dirs []string, dest string) error {
	for _, dir := range slices.Backward(dirs) {
		if dir == "." || d.parent(dir) != nil {
			continue
		}
		if _, err := removeIfEmpty(d.root, dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	// Not os.Remove, which would take a symbolic link to dest for a file.
	err := syscall.Rmdir(dest)
	if isNotEmpty(err) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EINVAL) {
		return nil // not empty, a symbolic link, a mount point, the current directory
	}
	if err != nil {
		return fmt.Errorf("removing %s: %w", dest, err)
	}
	return nil
}
