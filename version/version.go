// Package version tells which build of this project a program is.
package version

import "runtime/debug"

// String is the version of the module that the running program was built of, and of the Go that
// built it: "v1.2.0, go1.26.8". Of a work tree between versions Go makes one of the commit, with
// "+dirty" if there is more than that; a build without version control, or a test, is "(devel)".
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	return info.Main.Version + ", " + info.GoVersion
}
