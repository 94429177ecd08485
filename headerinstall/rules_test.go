package headerinstall

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// OpenZFS's own layout on Linux, and what is wrong with rules that have outlived their tree.
func TestRules(t *testing.T) {
	files := map[string]string{
		"zfs/include/libzfs.h": "", "zfs/include/sys/fs/zfs.h": "", "zfs/include/sys/zfs_debug.h": "", "zfs/include/README": "",
		"zfs/include/os/linux/kernel/linux/mod_compat.h": "", "zfs/include/os/linux/zfs/sys/zpl.h": "",
		"zfs/include/os/linux/spl/sys/types.h": "", "zfs/include/os/linux/spl/rpc/xdr.h": "",
		"zfs/include/os/freebsd/spl/sys/types.h": "x", "zfs/zfs_config.h": "", "zfs/module/Module.symvers": "",
	}
	linux := Config{
		Sources: []string{"./zfs/include"},
		Exclude: []Exclusion{{"os/freebsd/**", "another system's"}},
		Map:     []Mapping{{"os/linux/kernel", "."}, {"os/linux/zfs/", "."}, {"./os/linux/spl", "spl"}},
		Extra:   []Extra{{"zfs/zfs_config.h", "6.1.0/zfs_config.h"}, {"zfs/module/Module.symvers", "6.1.0/Module.symvers"}},
	}
	tests := []struct {
		name     string
		change   func(*Config)
		want     []string // beside those of linux, or in place of them with a "-"
		findings []string
		excluded int
	}{
		{name: "as they are", excluded: 1},
		{
			name: "rules that match nothing",
			change: func(c *Config) {
				c.Include = []string{"**/*.h", "**/*.hpp"}
				c.Exclude = append(c.Exclude, Exclusion{"os/freebsd/spl/**", "shadowed"}, Exclusion{"sys/gone.h", "gone"})
				c.Map = append(c.Map, Mapping{"os/linux/spl/sys", "x"}, Mapping{"sys/zfs_debug.h", "x"})
			},
			findings: []string{
				`include "**/*.hpp"`, `exclude "os/freebsd/spl/**" (shadowed)`, `exclude "sys/gone.h" (gone)`,
				`map "os/linux/spl/sys" to "x"`, `map "sys/zfs_debug.h" to "x"`,
			},
			excluded: 1,
		},
		{
			name:     "what is neither installed nor excluded",
			change:   func(c *Config) { c.Include = []string{"sys/fs/*.h", "os/linux/**"} },
			want:     []string{"-libzfs.h", "-sys/zfs_debug.h"},
			findings: []string{"./zfs/include/libzfs.h", "./zfs/include/sys/zfs_debug.h"},
			excluded: 1,
		},
		{
			name:   "everything moved",
			change: func(c *Config) { c.Map = []Mapping{{".", "a/b"}} },
			want: []string{
				"-libzfs.h", "-linux/mod_compat.h", "-spl/rpc/xdr.h", "-spl/sys/types.h", "-sys/fs/zfs.h", "-sys/zfs_debug.h", "-sys/zpl.h",
				"a/b/libzfs.h", "a/b/os/linux/kernel/linux/mod_compat.h", "a/b/os/linux/spl/rpc/xdr.h", "a/b/os/linux/spl/sys/types.h",
				"a/b/os/linux/zfs/sys/zpl.h", "a/b/sys/fs/zfs.h", "a/b/sys/zfs_debug.h",
			},
			excluded: 1,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := linux
			c.Root = writeTree(t, t.TempDir(), files)
			c.Dest = filepath.Join(c.Root, "out")
			if test.change != nil {
				test.change(&c)
			}
			p := mustUpdate(t, c)
			want := map[string]bool{}
			for _, name := range []string{
				"6.1.0/Module.symvers", "6.1.0/zfs_config.h", "libzfs.h", "linux/mod_compat.h", "spl/rpc/xdr.h", "spl/sys/types.h",
				"sys/fs/zfs.h", "sys/zfs_debug.h", "sys/zpl.h",
			} {
				want[name] = true
			}
			for _, name := range test.want {
				without, gone := strings.CutPrefix(name, "-")
				if gone {
					delete(want, without)
				} else {
					want[name] = true
				}
			}
			got := map[string]bool{}
			for name := range readTree(t, c.Dest) {
				got[name] = true
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("installed (-want +got):\n%s", diff)
			}
			var findings []string
			for _, f := range p.Findings {
				findings = append(findings, f.Subject)
			}
			if diff := cmp.Diff(test.findings, findings); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if len(p.Excluded) != test.excluded || p.Excluded[0].Reason != "another system's" {
				t.Errorf("excluded %v", p.Excluded)
			}
		})
	}
}

func TestRuleErrors(t *testing.T) {
	for _, test := range []struct {
		name string
		c    Config
		want string
	}{
		{"exclude glob", Config{Exclude: []Exclusion{{"[", "r"}}}, `exclude glob "[" is malformed`},
		{"no reason", Config{Exclude: []Exclusion{{"a", " "}}}, `exclude glob "a" has no reason`},
		{"map out", Config{Map: []Mapping{{"a", "../b"}}}, `cannot map "a" to "../b"`},
		{"map from nothing", Config{Map: []Mapping{{"", "b"}}}, `cannot map "" to "b"`},
		{"map absolute", Config{Map: []Mapping{{"a", "/b"}}}, `cannot map "a" to "/b"`},
		{"map unsafe", Config{Map: []Mapping{{"a", "b\nc"}}}, `cannot map "a" to "b\nc"`},
		{"extra out", Config{Extra: []Extra{{"a", "../b"}}}, `cannot install the extra file "a" as "../b"`},
		{"extra as root", Config{Extra: []Extra{{"a", "."}}}, `cannot install the extra file "a" as "."`},
	} {
		c := test.c
		c.Sources, c.Dest = []string{"."}, "d"
		if _, err := NewPlan(t.Context(), c); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}

// An extra file is as much a part of the plan as a header: it collides, goes missing and becomes stale.
func TestExtra(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a", "config.h": "c", "link.h": "-> config.h"})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out"), Extra: []Extra{{"link.h", "config.h"}}}
	mustUpdate(t, c)
	if diff := cmp.Diff(map[string]string{"a.h": "a", "config.h": "c"}, readTree(t, c.Dest)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	for to, want := range map[string]string{"a.h": `"a.h" has sources with different content`, "a.h/b": `"a.h" would be a file, and the directory of "a.h/b"`} {
		c.Extra = []Extra{{"config.h", to}}
		if _, err := Update(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	c.Extra = []Extra{{"none.h", "b.h"}}
	if _, err := Update(t.Context(), c); err == nil || !strings.Contains(err.Error(), `"none.h" does not exist`) {
		t.Errorf("error %v", err)
	}
	c.Extra = nil
	mustUpdate(t, c)
	if diff := cmp.Diff(map[string]string{"a.h": "a"}, readTree(t, c.Dest)); diff != "" {
		t.Errorf("tree without it (-want +got):\n%s", diff)
	}
}

// Where a file system has no files without a name, new ones are named before they are whole, and replace nothing either.
func TestWithoutTmpfile(t *testing.T) {
	lacksTmpfile.Store(true)
	t.Cleanup(func() { lacksTmpfile.Store(false) })
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a", "m/include/sys/b.h": "b"})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")}
	p := mustPlan(t, c)
	writeTree(t, root, map[string]string{"out/sys/b.h": "theirs"})
	if _, err := Install(t.Context(), p); err == nil || !strings.Contains(err.Error(), `"sys/b.h" changed since it was planned`) {
		t.Errorf("error %v", err)
	}
	c.Force = true
	mustUpdate(t, c)
	if diff := cmp.Diff(map[string]string{"a.h": "a", "sys/b.h": "b"}, readTree(t, c.Dest)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

// A link on the way from the stage to the destination does not lead out of the stage.
func TestStage(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a", "machine/include/": "", "stage/usr": "-> ../machine", "inner/lib": "-> usr/lib", "inner/usr/lib/": "",
		"none.json": string(Manifest{Format: Format}.Encode())})
	c := Config{Root: root, Sources: []string{"./m/include"}, Stage: filepath.Join(root, "stage"), Dest: filepath.Join(root, "stage/usr/include")}
	for name, run := range map[string]func() error{
		"plan":   func() error { _, err := NewPlan(t.Context(), c); return err },
		"update": func() error { _, err := Update(t.Context(), c); return err },
		"verify": func() error {
			c := c
			c.Manifest = filepath.Join(root, "none.json")
			_, err := Verify(t.Context(), c)
			return err
		},
		"uninstall": func() error {
			c := c
			c.Manifest = filepath.Join(root, "x")
			_, err := Uninstall(t.Context(), c)
			return err
		},
	} {
		if err := run(); err == nil || !strings.Contains(err.Error(), `"usr" in `+c.Stage+" is a symbolic link that leaves it") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if got := readTree(t, filepath.Join(root, "machine")); len(got) > 0 {
		t.Errorf("wrote %v", got)
	}
	// One that stays in the stage is as good as a directory.
	c.Stage, c.Dest, c.Manifest = filepath.Join(root, "inner"), filepath.Join(root, "inner/lib/include"), filepath.Join(root, "m.json")
	mustUpdate(t, c)
	if diff := cmp.Diff(map[string]string{"include/a.h": "a"}, readTree(t, filepath.Join(root, "inner/usr/lib"))); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	mustUninstall(t, c)
	if exists(t, filepath.Join(root, "inner/usr/lib/include")) || !exists(t, filepath.Join(root, "inner/usr/lib")) {
		t.Error("want the destination removed, and what it lay in left")
	}
}
