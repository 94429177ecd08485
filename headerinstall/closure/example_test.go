package closure_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"testing/fstest"

	"github.com/kmodaudit/kmodaudit/headerinstall/closure"
)

func Example() {
	source := fstest.MapFS{"main.c": {Data: []byte("#include <sys/fm/fs/zfs.h>\n")}}
	result, err := closure.Check(context.Background(), closure.Config{
		Tree:      os.DirFS("../../testdata/openzfs-2.1.11/nvpair/include"),
		Consumers: []closure.Dir{{Name: "example", FS: source}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, missing := range result.Missing {
		for _, use := range missing.Includers {
			fmt.Printf("%s:%d includes %s\n", use.File, use.Line, missing.Include)
		}
	}
	// Output:
	// sys/nvpair_impl.h:7 includes os/linux/spl/rpc/xdr.h
	// sys/nvpair_impl.h:6 includes os/linux/spl/sys/types.h
	// example/main.c:1 includes sys/fm/fs/zfs.h
}
