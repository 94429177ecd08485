package headerinstall_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/kmodaudit/kmodaudit/headerinstall"
)

func Example() {
	stage, err := os.MkdirTemp("", "stage")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(stage)

	ctx := context.Background()
	plan, err := headerinstall.NewPlan(ctx, headerinstall.Config{
		Root:    "../testdata/openzfs-2.1.11",
		Sources: []string{"./nvpair/include", "./zfs/include/sys/f*"},
		Dest:    filepath.Join(stage, "usr/src/zfs-2.1.11/include"),
	})
	if err != nil {
		log.Fatal(err) // all that is wrong, a line each
	}
	for e := range plan.Entries() {
		fmt.Println(e.Action, e.Depth(), e.Destination)
	}
	manifest, err := headerinstall.Install(ctx, plan)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(manifest.Files), "headers, by depth", plan.Totals().ByDepth)
	// Output:
	// new 3 sys/fm/fs/zfs.h
	// new 2 sys/fm/protocol.h
	// new 2 sys/fm/util.h
	// new 2 sys/fs/zfs.h
	// new 1 sys/nvpair.h
	// new 1 sys/nvpair_impl.h
	// 6 headers, by depth [0 2 3 1]
}
