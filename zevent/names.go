package zevent

// Names is what zpool calls the bits and numbers of a zio in an event: those of
// zio_stage, zio_pipeline, zio_flags, zio_priority and zio_type. They belong to
// one release, as later ones move bits. The zero Names has none, and leaves
// numbers bare.
type Names struct {
	stages, flags     []string // by bit
	priorities, types []string // by value
}

// NamesOf returns the names that zpool of a module's release prints. version
// is that of /sys/module/zfs/version or [RecordingHeader], such as
// 2.3.9-0+deb13u1.
//
// zpool names them since 2.3, and zio_type since 2.4. Of releases that are not
// known here, those newer than 2.4.x and the development versions x.y.99,
// nothing is named: a bare number is better than the name of another bit. A
// point release of 2.3 or 2.4 that is not known is taken for the last that is.
func NamesOf(version string) Names {
	r, err := ParseRelease(version)
	switch {
	case err != nil || r.Major != 2 || r.Patch >= 99:
		return Names{}
	case r.Minor == 3:
		return Names{stages: stages(r.Patch >= 8), flags: flags("IO_ALLOCATING", "DIO_CHKSUM_ERR"), priorities: priorities}
	case r.Minor == 4:
		return Names{stages: stages(r.Patch >= 3), flags: flags("ALLOC_THROTTLED", "PREALLOCATED"), priorities: priorities, types: types}
	}
	return Names{}
}

// stages is enum zio_stage of include/sys/zio_impl.h. The fix of OpenZFS pull
// request 18520, of May 2026, moved the stages of the DDT before that of the
// BRT: 2.3.5 does not have it, 2.3.9 and 2.4.4 do. 2.4.2 is older than the fix;
// 2.3.8 and 2.4.3 followed it and are taken to have it.
func stages(ddtFirst bool) []string {
	free := []string{"BRT_FREE", "DDT_READ_START", "DDT_READ_DONE", "DDT_WRITE", "DDT_FREE"}
	if ddtFirst {
		free = append(free[1:], free[0])
	}
	names := []string{
		"OPEN", "READ_BP_INIT", "WRITE_BP_INIT", "FREE_BP_INIT", "ISSUE_ASYNC",
		"WRITE_COMPRESS", "ENCRYPT", "CHECKSUM_GENERATE", "NOP_WRITE",
	}
	names = append(names, free...)
	return append(names,
		"GANG_ASSEMBLE", "GANG_ISSUE", "DVA_THROTTLE", "DVA_ALLOCATE", "DVA_FREE", "DVA_CLAIM",
		"READY", "VDEV_IO_START", "VDEV_IO_DONE", "VDEV_IO_ASSESS",
		"CHECKSUM_VERIFY", "DIO_CHECKSUM_VERIFY", "DONE",
	)
}

// flags is ZIO_FLAG_ of include/sys/zio.h. Bits 14 and 32 differ between 2.3
// and 2.4.
func flags(bit14, bit32 string) []string {
	return []string{
		"DONT_AGGREGATE", "IO_REPAIR", "SELF_HEAL", "RESILVER", "SCRUB", "SCAN_THREAD", "PHYSICAL", "CANFAIL",
		"SPECULATIVE", "CONFIG_WRITER", "DONT_RETRY", "[UNUSED 11]", "NODATA", "INDUCE_DAMAGE", bit14, "IO_RETRY",
		"PROBE", "TRYHARD", "OPTIONAL", "DIO_READ", "DONT_QUEUE", "DONT_PROPAGATE", "IO_BYPASS", "IO_REWRITE",
		"RAW_COMPRESS", "RAW_ENCRYPT", "GANG_CHILD", "DDT_CHILD", "GODFATHER", "NOPWRITE", "REEXECUTED", "DELEGATED",
		bit32,
	}
}

// priorities is zio_priority_t of include/sys/fs/zfs.h.
var priorities = []string{
	"SYNC_READ", "SYNC_WRITE", "ASYNC_READ", "ASYNC_WRITE", "SCRUB", "REMOVAL",
	"INITIALIZING", "TRIM", "REBUILD", "[NUM_QUEUEABLE]", "NOW",
}

// types is zio_type_t of include/sys/fs/zfs.h.
var types = []string{"NULL", "READ", "WRITE", "FREE", "CLAIM", "FLUSH", "TRIM"}

// append32 appends the names of a uint32 of that name, in brackets behind a space.
func (n *Names) append32(b, name []byte, v uint32) []byte {
	switch string(name) {
	case "zio_stage", "zio_pipeline":
		return appendBits(b, n.stages, uint64(v))
	case "zio_priority":
		return appendNumber(b, n.priorities, v)
	case "zio_type":
		return appendNumber(b, n.types, v)
	}
	return b
}

// maxBitsBytes is the length at which zpool, which prints from a buffer, leaves
// the further bits out. No event of a healthy module comes near.
const maxBitsBytes = 256

func appendBits(b []byte, names []string, v uint64) []byte {
	if names == nil {
		return b
	}
	b = append(b, " ["...)
	start := len(b)
	for bit, name := range names {
		if v&(1<<bit) == 0 {
			continue
		}
		separator := " "
		if len(b) == start {
			separator = ""
		}
		if len(b)-start+len(separator)+len(name) > maxBitsBytes {
			break
		}
		b = append(append(b, separator...), name...)
	}
	return append(b, ']')
}

// appendNumber leaves the brackets empty where zpool, for a number that it does
// not know, repeats what it named last.
func appendNumber(b []byte, names []string, v uint32) []byte {
	if names == nil {
		return b
	}
	b = append(b, " ["...)
	if uint64(v) < uint64(len(names)) {
		b = append(b, names[v]...)
	}
	return append(b, ']')
}
