package zevent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// errorsOf prints the errors of vdevs that are queued and that come, until ctx
// ends. The device is zevent.Open("/dev/zfs"), or an emulated one.
func errorsOf(ctx context.Context, device zevent.Device, w io.Writer) error {
	client := zevent.NewClient(device)
	var missing uint64
	for {
		e, err := client.Wait(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && e.Raw != nil:
			fmt.Fprintf(w, "an event cannot be read: %v\n", err)
			continue
		case err != nil:
			return err
		}
		if n := client.Gaps().Events(); n != missing {
			fmt.Fprintf(w, "%d events were not delivered so far\n", n)
			missing = n
		}
		p, err := e.Payload()
		if err != nil {
			fmt.Fprintln(w, err)
		}
		if p.Vdev != nil && p.IO != nil {
			fmt.Fprintf(w, "EID %d: %s: %s: errno %d at %d\n", e.EID, e.Pool, p.Vdev.Path, p.IO.Errno, p.IO.OffsetBytes)
		}
	}
}

func ExampleClient_Wait() {
	q := emulator.New(emulator.DefaultMaxEvents, time.Now)
	_, err := q.Report(nvlist.New(
		nvlist.Pair{Name: "class", Type: nvlist.String, Value: "ereport.fs.zfs.io"},
		nvlist.Pair{Name: "pool", Type: nvlist.String, Value: "tank"},
		nvlist.Pair{Name: "vdev_guid", Type: nvlist.Uint64, Value: uint64(8)},
		nvlist.Pair{Name: "vdev_path", Type: nvlist.String, Value: "/dev/sda1"},
		nvlist.Pair{Name: "zio_err", Type: nvlist.Int32, Value: int32(5)},
		nvlist.Pair{Name: "zio_offset", Type: nvlist.Uint64, Value: uint64(4096)},
	))
	if err != nil {
		fmt.Println(err)
		return
	}
	device := q.Open()
	defer device.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := errorsOf(ctx, device, os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// EID 1: tank: /dev/sda1: errno 5 at 4096
}

func ExampleOpen() {
	_, err := zevent.Open("/nonexistent/zfs")
	if errors.Is(err, zevent.ErrNoModule) {
		fmt.Println(err)
	}
	// Output:
	// opening the event queue: /nonexistent/zfs: the zfs module is not there (no such file or directory); load the zfs module, or name its device
}
