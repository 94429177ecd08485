package zfscmd

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMarshal(t *testing.T) {
	args := Args{
		Name: "tank", GUID: 0x5555, Cookie: 6, Object: 0x7777, CleanupFD: 7,
		Inject: DeviceFault{Vdev: 0x9999, Errno: 5, IO: Reads},
		Src:    make([]byte, 3), Conf: make([]byte, 5), Dst: make([]byte, 9),
	}
	buf, err := args.marshal(addresses{src: 0x1000, conf: 0x2000, dst: 0x3000})
	if err != nil {
		t.Fatal(err)
	}
	got := map[int]uint64{}
	for off := 4096; off < len(buf); off += 8 {
		if v := binary.NativeEndian.Uint64(buf[off:]); v != 0 {
			got[off] = v
		}
	}
	// Offsets of struct zfs_cmd, as the releases have them. An int32 reads as
	// this uint64 on a little-endian machine only.
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		t.Skip("the table is of a little-endian machine")
	}
	want := map[int]uint64{
		4096: 0x1000, 4104: 3, 4112: 0x3000, 4120: 9, 12592: 0x5555,
		12600: 0x2000, 12608: 5, 12616: 6, 12656: 0x7777,
		13296 + 32: 0x9999, 13296 + 40: 5 << 32, 13296 + 320: 1, 13296 + 344: 2, // zi_guid, zi_error, zi_iotype, zi_cmd
		13656: 7, 13664: 7, 13680: 7,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("words of the structure by offset (-want +got):\n%s", diff)
	}
	if name := string(buf[:6]); name != "tank\x00\x00" {
		t.Errorf("zc_name: got %q", name)
	}
	if len(buf) < 13760 {
		t.Errorf("%d bytes are less than the longest zfs_cmd_t, 13760", len(buf))
	}
}

func TestMarshalNegativeDescriptor(t *testing.T) {
	buf, err := Args{CleanupFD: -1}.marshal(addresses{})
	if err != nil {
		t.Fatal(err)
	}
	if got := binary.NativeEndian.Uint32(buf[13664:]); got != math.MaxUint32 {
		t.Errorf("cleanup_fd -1: got %#x", got)
	}
}

func TestMarshalRefusesNames(t *testing.T) {
	for _, name := range []string{strings.Repeat("n", 4096), "a\x00b"} {
		if _, err := (Args{Name: name}).marshal(addresses{}); err == nil {
			t.Errorf("name of %d bytes: want an error", len(name))
		}
	}
}

func TestUnmarshal(t *testing.T) {
	buf := new([bufferBytes]byte)
	binary.NativeEndian.PutUint64(buf[4120:], 336)
	binary.NativeEndian.PutUint32(buf[4128:], 1)
	binary.NativeEndian.PutUint64(buf[12616:], 2)
	binary.NativeEndian.PutUint64(buf[12592:], 9)
	copy(buf[:], "tank\x00left over")
	if diff := cmp.Diff(Reply{DstBytes: 336, DstFilled: true, Name: "tank", GUID: 9, Cookie: 2}, unmarshal(buf)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
