package zevent

import (
	"cmp"
	"fmt"
)

// Release is a version of OpenZFS without what a distribution adds to it. The
// development version on the way to x.y.0 is x.(y-1).99.
type Release struct{ Major, Minor, Patch int }

// ParseRelease reads a version such as 2.3.9-0+deb13u1, as
// /sys/module/zfs/version and [RecordingHeader] have it.
func ParseRelease(version string) (Release, error) {
	var r Release
	if n, _ := fmt.Sscanf(version, "%d.%d.%d", &r.Major, &r.Minor, &r.Patch); n < 3 {
		return Release{}, fmt.Errorf("parsing version %.80q of the zfs module: want three numbers joined by dots, such as 2.3.9-1", version)
	}
	return r, nil
}

// AtLeast tells whether r is that release or a later one.
func (r Release) AtLeast(major, minor, patch int) bool {
	return cmp.Or(cmp.Compare(r.Major, major), cmp.Compare(r.Minor, minor), cmp.Compare(r.Patch, patch)) >= 0
}

func (r Release) String() string { return fmt.Sprintf("%d.%d.%d", r.Major, r.Minor, r.Patch) }
