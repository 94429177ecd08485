package stackcheck_test

import (
	"fmt"
	"log"

	"github.com/kmodaudit/kmodaudit/stackcheck"
)

// The largest frame of a build, what its limits say, and how deep one ioctl goes.
func Example() {
	build, err := stackcheck.Read("../testdata/openzfs-2.1.11/su-ci.tar.zst")
	if err != nil {
		log.Fatal(err) // what could be read is in build all the same
	}
	largest := build.Frames()[0]
	fmt.Printf("%s:%d %s: %d bytes\n", largest.File, largest.Line, largest.Function, largest.Bytes)

	findings, err := stackcheck.Check(build, stackcheck.Limits{
		FrameBytes: 2048,
		Waivers: []stackcheck.Waiver{
			{Target: stackcheck.Target{File: "module/zstd/lib/zstd.c"}, CeilingBytes: 17000, Reason: "workspaces of code that the module does not call"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, finding := range findings {
		fmt.Println(finding.Kind, finding.Message)
	}

	for _, ioctl := range build.Graph.Find("zfs_ioc_recv") {
		worst := build.Graph.WorstFrom(ioctl)
		fmt.Printf("%s: %d bytes, %s\n", ioctl.Function, worst.Bytes, worst.Verdict)
		fmt.Printf("with an assertion that fails: %d bytes\n", worst.NoReturn.Bytes)
	}
	// Output:
	// module/zstd/lib/zstd.c:22248 zfs_HUF_decompress1X2: 18488 bytes
	// waiver-exceeded zfs_HUF_decompress1X2 takes 18488 bytes of stack (static), its waiver allows 17000
	// waiver-exceeded zfs_HUF_decompress4X2 takes 18488 bytes of stack (static), its waiver allows 17000
	// zfs_ioc_recv: 11760 bytes, lower bound: 238 indirect calls, 132 external functions, 62 cycles
	// with an assertion that fails: 11960 bytes
}
