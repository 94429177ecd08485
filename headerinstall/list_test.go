package headerinstall

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestList(t *testing.T) {
	m := Manifest{Files: []File{{Destination: "libzfs.h"}, {Destination: "sys/fm/fs/zfs.h"}, {Destination: "sys/zfs.h"}}}
	tests := map[ListKind]string{
		RPMList: `%dir /usr/include/zfs
%dir /usr/include/zfs/sys
%dir /usr/include/zfs/sys/fm
%dir /usr/include/zfs/sys/fm/fs
/usr/include/zfs/libzfs.h
/usr/include/zfs/sys/fm/fs/zfs.h
/usr/include/zfs/sys/zfs.h
`,
		DebianList: `usr/include/zfs/libzfs.h
usr/include/zfs/sys/fm/fs/zfs.h
usr/include/zfs/sys/zfs.h
`,
		PlainList: `/usr/include/zfs/libzfs.h
/usr/include/zfs/sys/fm/fs/zfs.h
/usr/include/zfs/sys/zfs.h
`,
	}
	for as, want := range tests {
		var got strings.Builder
		if err := m.List(&got, as, "/usr/include/zfs"); err != nil {
			t.Errorf("%s: %v", as, err)
		}
		if diff := cmp.Diff(want, got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", as, diff)
		}
	}
}

// A name that the packager's tool would take for something else is in no list for it, and then nothing is.
func TestListRefuses(t *testing.T) {
	for _, name := range []string{"a b.h", "a*.h", "a%b.h", "a${b}.h", `a"b.h`, `a\b.h`, "[a].h"} {
		m := Manifest{Files: []File{{Destination: "a.h"}, {Destination: name}}}
		var got strings.Builder
		for _, as := range []ListKind{RPMList, DebianList} {
			if err := m.List(&got, as, "/usr/include"); err == nil || got.Len() > 0 {
				t.Errorf("%s list of %q: error %v, printed %q; want an error and nothing", as, name, err, got.String())
			}
		}
		if err := m.List(&got, PlainList, "/usr/include"); err != nil {
			t.Errorf("plain list of %q: %v", name, err)
		}
	}
	if err := (Manifest{}).List(new(strings.Builder), PlainList, "usr/include"); err == nil {
		t.Error("a relative prefix passes")
	}
}
