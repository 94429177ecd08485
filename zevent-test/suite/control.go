package suite

import (
	"errors"
	"os"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// control issues the ioctls that are not of one descriptor's queue, each on a descriptor of its own.
type control struct{ devicePath string }

func (c control) do(command zfscmd.Command, args zfscmd.Args) (zfscmd.Reply, error) {
	device, err := os.OpenFile(c.devicePath, os.O_RDWR, 0)
	if err != nil {
		return zfscmd.Reply{}, err
	}
	reply, err := zfscmd.Do(int(device.Fd()), command, args)
	return reply, errors.Join(err, device.Close())
}

// Bounds of the buffer for what a pool says of itself.
const (
	firstDstBytes = 64 << 10
	mostDstBytes  = 64 << 20
)

// fetch returns the packed nvlist that an ioctl answers.
func (c control) fetch(command zfscmd.Command, args zfscmd.Args) ([]byte, error) {
	for size := uint64(firstDstBytes); ; {
		args.Dst = make([]byte, size)
		reply, err := c.do(command, args)
		var refusal *zfscmd.Error
		switch {
		case errors.As(err, &refusal) && refusal.NeedBytes > size && refusal.NeedBytes <= mostDstBytes:
			size = refusal.NeedBytes // grows at each attempt, so that they end
		case err != nil:
			return nil, err
		case reply.DstBytes > size:
			return nil, &zfscmd.Error{Command: command, NeedBytes: reply.DstBytes}
		default:
			return args.Dst[:reply.DstBytes], nil
		}
	}
}

func packed(l nvlist.List) ([]byte, error) { return nvlist.Encode(l, nvlist.Host()) }
