package zevent

import (
	"fmt"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// Payload is what an event says beside its class, EID and time. What an event
// of its class in its release does not have is zero, or nil. Sources:
// module/zfs/zfs_fm.c and spa_history.c, releases 0.6.3 to 2.4.
type Payload struct {
	Version  uint8     `nvlist:"version"`  // of resources and sysevents, 0
	ENA      uint64    `nvlist:"ena"`      // of errors: the same for those of one cause
	Detector *Detector `nvlist:"detector"` // of errors

	Pool     *PoolPayload     `nvlist:",inline"`
	Vdev     *VdevPayload     `nvlist:",inline"`
	Parent   *ParentPayload   `nvlist:",inline"` // of the vdev
	IO       *IOPayload       `nvlist:",inline"`
	Bookmark *Bookmark        `nvlist:",inline"`
	Checksum *ChecksumPayload `nvlist:",inline"`
	History  *HistoryPayload  `nvlist:",inline"`

	PreviousState *VdevState `nvlist:"prev_state"`    // of an error of a vdev without an I/O
	ResilverType  string     `nvlist:"resilver_type"` // healing, or sequential of a rebuild; since 2.0
	ByKernel      bool       `nvlist:"by_kernel"`     // of removed, since 2.3.2

	Rest nvlist.List `nvlist:",rest"` // every other pair, in its order
}

// Detector is what found an error: the FMRI of a pool or a vdev.
type Detector struct {
	Version uint8       `nvlist:"version"` // 0
	Scheme  string      `nvlist:"scheme"`  // zfs
	Pool    uint64      `nvlist:"pool"`    // its GUID
	Vdev    uint64      `nvlist:"vdev"`    // its GUID, 0 if the pool itself is meant
	Rest    nvlist.List `nvlist:",rest"`
}

// PoolPayload is the pool of an event.
type PoolPayload struct {
	Name     string      `nvlist:"pool"`
	GUID     uint64      `nvlist:"pool_guid"`
	State    PoolState   `nvlist:"pool_state"`
	Context  PoolContext `nvlist:"pool_context"`
	FailMode string      `nvlist:"pool_failmode"` // of errors: wait, continue or panic
}

// VdevPayload is the vdev of an event. Errors have its counters, the others
// its state.
type VdevPayload struct {
	GUID          uint64     `nvlist:"vdev_guid"`
	Type          string     `nvlist:"vdev_type"` // disk, file, mirror, ...
	State         *VdevState `nvlist:"vdev_state"`
	LastState     *VdevState `nvlist:"vdev_laststate"` // of statechange
	Path          string     `nvlist:"vdev_path"`
	PhysicalPath  string     `nvlist:"vdev_physpath"`
	DevID         string     `nvlist:"vdev_devid"`
	FRU           string     `nvlist:"vdev_fru"`
	EnclosurePath string     `nvlist:"vdev_enc_sysfs_path"`
	AshiftBits    uint64     `nvlist:"vdev_ashift"`

	LastCompletedNS uint64 `nvlist:"vdev_complete_ts"` // since the boot
	LastDeltaNS     uint64 `nvlist:"vdev_delta_ts"`
	ReadErrors      uint64 `nvlist:"vdev_read_errors"`
	WriteErrors     uint64 `nvlist:"vdev_write_errors"`
	ChecksumErrors  uint64 `nvlist:"vdev_cksum_errors"`
	SlowIOs         uint64 `nvlist:"vdev_delays"`       // since 0.8
	DirectIOErrors  uint64 `nvlist:"dio_verify_errors"` // since 2.3

	// Limits of zed that are not the defaults, since 2.2: events in seconds.
	ChecksumN *uint64 `nvlist:"vdev_cksum_n"`
	ChecksumT *uint64 `nvlist:"vdev_cksum_t"`
	IOErrorN  *uint64 `nvlist:"vdev_io_n"`
	IOErrorT  *uint64 `nvlist:"vdev_io_t"`
	SlowIoN   *uint64 `nvlist:"vdev_slow_io_n"`
	SlowIoT   *uint64 `nvlist:"vdev_slow_io_t"`

	SparePaths []string `nvlist:"vdev_spare_paths"` // of the pool
	SpareGUIDs []uint64 `nvlist:"vdev_spare_guids"`
}

// ParentPayload is the parent of the vdev of an error.
type ParentPayload struct {
	GUID  uint64 `nvlist:"parent_guid"`
	Type  string `nvlist:"parent_type"` // root, mirror, raidz, ...
	Path  string `nvlist:"parent_path"`
	DevID string `nvlist:"parent_devid"`
}

// IOPayload is the zio of an error. Its bits and numbers are those of the
// module's release; [NamesOf] names them.
type IOPayload struct {
	Errno       int32   `nvlist:"zio_err"`   // of Linux; 52, EBADE, is a wrong checksum
	Flags       uint64  `nvlist:"zio_flags"` // an int32 up to 2.2
	Stage       uint32  `nvlist:"zio_stage"`
	Pipeline    uint32  `nvlist:"zio_pipeline"`
	DelayNS     uint64  `nvlist:"zio_delay"`
	TimestampNS uint64  `nvlist:"zio_timestamp"` // since the boot
	DeltaNS     uint64  `nvlist:"zio_delta"`
	Type        *uint32 `nvlist:"zio_type"`     // since 2.4
	Priority    *uint32 `nvlist:"zio_priority"` // since 2.0
	OffsetBytes uint64  `nvlist:"zio_offset"`   // on the vdev
	SizeBytes   uint64  `nvlist:"zio_size"`
}

// Bookmark is the block of an error: a zbookmark_phys_t.
type Bookmark struct {
	Objset uint64 `nvlist:"zio_objset"`
	Object uint64 `nvlist:"zio_object"`
	Level  int64  `nvlist:"zio_level"` // negative of what is no block, such as a ZIL record
	BlkID  uint64 `nvlist:"zio_blkid"`
}

// ChecksumPayload is how wrong the data of a checksum error was, as far as the
// right data is known.
type ChecksumPayload struct {
	Algorithm        string   `nvlist:"cksum_algorithm"`
	Expected         []uint64 `nvlist:"cksum_expected"` // up to 2.1
	Actual           []uint64 `nvlist:"cksum_actual"`   // up to 2.1
	BadRanges        []uint32 `nvlist:"bad_ranges"`     // start and end of each, in bytes
	MinGapBytes      uint32   `nvlist:"bad_ranges_min_gap"`
	BitsSet          []uint32 `nvlist:"bad_range_sets"`        // in each range, that should not be
	BitsCleared      []uint32 `nvlist:"bad_range_clears"`      // in each range, that should not be
	SetMask          []uint8  `nvlist:"bad_set_bits"`          // of the first range if it is short
	ClearedMask      []uint8  `nvlist:"bad_cleared_bits"`      // of the first range if it is short
	SetHistogram     []uint32 `nvlist:"bad_set_histogram"`     // by bit of a 64-bit word, up to 2.1
	ClearedHistogram []uint32 `nvlist:"bad_cleared_histogram"` // by bit of a 64-bit word, up to 2.1
}

// HistoryPayload is a record of the pool's history, of a history_event.
type HistoryPayload struct {
	Command       string `nvlist:"history_command"`
	InternalName  string `nvlist:"history_internal_name"` // such as "snapshot"
	InternalText  string `nvlist:"history_internal_str"`
	InternalEvent uint64 `nvlist:"history_internal_event"` // of old pools
	Ioctl         string `nvlist:"history_ioctl"`
	Dataset       string `nvlist:"history_dsname"`
	DatasetID     uint64 `nvlist:"history_dsid"`
	Zone          string `nvlist:"history_zone"`
	Host          string `nvlist:"history_hostname"`
	Txg           uint64 `nvlist:"history_txg"`
	Seconds       uint64 `nvlist:"history_time"` // since 1970
	UID           uint64 `nvlist:"history_who"`
}

// Payload returns the pairs of the event in their types. The error joins an
// [*nvlist.UnmarshalTypeError] for each pair of another type than any release
// gives it; that is in Rest, and all others are in their place.
func (e Event) Payload() (Payload, error) {
	list := nvlist.List{Flags: e.Pairs.Flags, Pairs: make([]nvlist.Pair, 0, len(e.Pairs.Pairs))}
	for _, p := range e.Pairs.Pairs {
		if p.Name != "class" && p.Name != "time" && p.Name != "eid" {
			list.Pairs = append(list.Pairs, p)
		}
	}
	var payload Payload
	if err := list.Unmarshal(&payload); err != nil {
		return payload, fmt.Errorf("reading the payload of event %d, %s: %w", e.EID, e.Class, err)
	}
	return payload, nil
}

// PoolState is pool_state_t of include/sys/fs/zfs.h.
type PoolState uint64

var poolStates = [...]string{"ACTIVE", "EXPORTED", "DESTROYED", "SPARE", "L2CACHE", "UNINITIALIZED", "UNAVAIL", "POTENTIALLY_ACTIVE"}

func (s PoolState) String() string { return numbered(poolStates[:], s) }

// PoolContext is what the module was doing with the pool: spa_load_state_t.
type PoolContext int32

var poolContexts = [...]string{"NONE", "OPEN", "IMPORT", "TRYIMPORT", "RECOVER", "ERROR", "CREATE"}

func (c PoolContext) String() string { return numbered(poolContexts[:], c) }

// VdevState is vdev_state_t of include/sys/fs/zfs.h.
type VdevState uint64

// String is what zpool calls the state, such as ONLINE.
func (s VdevState) String() string { return vdevState(uint64(s)) }

func numbered[T ~uint64 | ~int32](names []string, v T) string {
	if v >= 0 && uint64(v) < uint64(len(names)) {
		return names[v]
	}
	return fmt.Sprintf("%d", v)
}
