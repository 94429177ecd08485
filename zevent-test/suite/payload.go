package suite

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// pairTypes are the types of the pairs that the module puts into events, 0.7 to 2.4:
// include/sys/fm/fs/zfs.h, module/zfs/zfs_fm.c, spa_history.c. Pairs of other names may be
// there as well.
var pairTypes = sync.OnceValue(func() map[string][]nvlist.Type {
	types := map[string][]nvlist.Type{}
	for t, names := range map[nvlist.Type]string{
		nvlist.Uint8: "version",
		nvlist.String: "class pool pool_failmode vdev_type vdev_path vdev_devid vdev_fru vdev_enc_sysfs_path vdev_physpath " +
			"parent_type parent_path parent_devid cksum_algorithm resilver_type " +
			"history_command history_internal_name history_zone history_hostname history_dsname history_internal_str history_ioctl",
		nvlist.Uint64: "eid ena pool_guid pool_state vdev_guid vdev_state vdev_laststate vdev_ashift vdev_complete_ts vdev_delta_ts " +
			"vdev_read_errors vdev_write_errors vdev_cksum_errors vdev_delays dio_verify_errors parent_guid prev_state " +
			"zio_flags zio_delay zio_timestamp zio_delta zio_offset zio_size zio_objset zio_object zio_blkid " +
			"vdev_cksum_n vdev_cksum_t vdev_io_n vdev_io_t vdev_slow_io_n vdev_slow_io_t " +
			"history_dsid history_txg history_time history_who history_internal_event",
		nvlist.Int32:       "pool_context zio_err zio_flags",
		nvlist.Uint32:      "zio_stage zio_pipeline zio_type zio_priority bad_ranges_min_gap",
		nvlist.Int64:       "zio_level",
		nvlist.NVList:      "detector",
		nvlist.StringArray: "vdev_spare_paths",
		nvlist.Uint64Array: "vdev_spare_guids cksum_expected cksum_actual",
		nvlist.Uint32Array: "bad_ranges bad_range_sets bad_range_clears bad_set_histogram bad_cleared_histogram",
		nvlist.Uint8Array:  "bad_set_bits bad_cleared_bits",
		nvlist.Int64Array:  "time",
	} {
		for name := range strings.FieldsSeq(names) {
			types[name] = append(types[name], t)
		}
	}
	return types
})

// Groups of pairs: of a group an event has all or none.
const (
	poolPairs     = "pool pool_guid pool_state pool_context"
	ereportPairs  = "ena detector pool_failmode"
	leafPairs     = "vdev_guid vdev_state"
	vdevPairs     = "vdev_guid vdev_type vdev_read_errors vdev_write_errors vdev_cksum_errors"
	parentPairs   = "parent_guid parent_type"
	sparePairs    = "vdev_spare_paths vdev_spare_guids"
	ioPairs       = "zio_err zio_flags zio_stage zio_pipeline zio_delay zio_timestamp zio_delta"
	placePairs    = "zio_offset zio_size"
	bookmarkPairs = "zio_objset zio_object zio_level zio_blkid"
	checksumPairs = "cksum_algorithm"
	rangePairs    = "bad_ranges bad_ranges_min_gap bad_range_sets bad_range_clears"
)

// payload is what the events of a class hold beside class, time and EID.
type payload struct {
	always   []string // groups
	together []string // groups that it may have
}

// kinds are what is known of the payloads of classes.
type kinds struct {
	sysevent, ereport, vdevEreport payload
	classes                        map[string]payload // whose payload says more than their kind
}

var knownKinds = sync.OnceValue(func() kinds {
	sysevent := payload{[]string{"version", poolPairs}, []string{leafPairs}}
	leafSysevent := payload{[]string{"version", poolPairs, leafPairs}, nil}
	ereport := payload{[]string{poolPairs, ereportPairs}, []string{vdevPairs, parentPairs, sparePairs, ioPairs, placePairs, bookmarkPairs}}
	vdevEreport := payload{[]string{poolPairs, ereportPairs, vdevPairs, "prev_state"}, []string{parentPairs, sparePairs}}
	ioEreport := payload{[]string{poolPairs, ereportPairs, vdevPairs, ioPairs, placePairs}, []string{parentPairs, sparePairs, bookmarkPairs}}
	return kinds{sysevent, ereport, vdevEreport, map[string]payload{
		"resource.fs.zfs.statechange":     {append(slices.Clone(leafSysevent.always), "vdev_laststate"), nil},
		"resource.fs.zfs.removed":         leafSysevent,
		"resource.fs.zfs.autoreplace":     leafSysevent,
		"sysevent.fs.zfs.vdev_attach":     leafSysevent,
		"sysevent.fs.zfs.vdev_clear":      leafSysevent,
		"sysevent.fs.zfs.vdev_online":     leafSysevent,
		"sysevent.fs.zfs.vdev_autoexpand": leafSysevent,
		"sysevent.fs.zfs.history_event":   {append(slices.Clone(sysevent.always), "history_hostname history_time"), nil},
		"sysevent.fs.zfs.trim_start":      leafSysevent,
		"sysevent.fs.zfs.trim_finish":     leafSysevent,
		"sysevent.fs.zfs.trim_cancel":     leafSysevent,
		"sysevent.fs.zfs.trim_resume":     leafSysevent,
		"sysevent.fs.zfs.trim_suspend":    leafSysevent,
		"ereport.fs.zfs.io":               ioEreport,
		"ereport.fs.zfs.checksum":         {append(slices.Clone(ioEreport.always), checksumPairs), append(slices.Clone(ioEreport.together), rangePairs)},
		"ereport.fs.zfs.delay":            ioEreport,
		"ereport.fs.zfs.data":             {append(slices.Clone(ereport.always), ioPairs), []string{bookmarkPairs}},
	}}
})

const vdevEreportPrefix = "ereport.fs.zfs.vdev."

func payloadOf(class string) payload {
	known := knownKinds()
	if p, ok := known.classes[class]; ok {
		return p
	}
	switch {
	case strings.HasPrefix(class, vdevEreportPrefix):
		return known.vdevEreport
	case strings.HasPrefix(class, "ereport."):
		return known.ereport
	}
	return known.sysevent
}

// wantPayload wants the pairs of the event's class, each of its type.
func wantPayload(e zevent.Event) error {
	var errs []error
	for _, p := range e.Pairs.Pairs {
		if types, known := pairTypes()[p.Name]; known && !slices.Contains(types, p.Type) {
			errs = append(errs, fmt.Errorf("pair %s is of type %v, want %v", p.Name, p.Type, types))
		}
	}
	want := payloadOf(e.Class)
	for _, group := range append([]string{"class"}, want.always...) {
		if _, missing := presence(e, group); len(missing) > 0 {
			errs = append(errs, fmt.Errorf("without %s", strings.Join(missing, ", ")))
		}
	}
	for _, group := range want.together {
		if present, missing := presence(e, group); len(present) > 0 && len(missing) > 0 {
			errs = append(errs, fmt.Errorf("with %s, but without %s", strings.Join(present, ", "), strings.Join(missing, ", ")))
		}
	}
	return errors.Join(append(errs, wantEnding(e), wantDetector(e))...)
}

func presence(e zevent.Event, group string) (present, missing []string) {
	for name := range strings.FieldsSeq(group) {
		if _, ok := e.Pairs.Lookup(name); ok {
			present = append(present, name)
		} else {
			missing = append(missing, name)
		}
	}
	return present, missing
}

// wantEnding wants what zfs_zevent_post adds: time and EID, last.
func wantEnding(e zevent.Event) error {
	pairs := e.Pairs.Pairs
	if n := len(pairs); n < 2 || pairs[n-2].Name != "time" || pairs[n-1].Name != "eid" {
		return errors.New("its last pairs are not time and eid")
	}
	return nil
}

// wantDetector wants the detector of an ereport to name the pool and the vdev that the event
// names.
func wantDetector(e zevent.Event) error {
	detector, ok := listNamed(e.Pairs, "detector")
	if !ok {
		return nil
	}
	if scheme, _ := detector.LookupString("scheme"); scheme != "zfs" {
		return fmt.Errorf("its detector has scheme %q, want \"zfs\"", scheme)
	}
	for name, of := range map[string]string{"pool": "pool_guid", "vdev": "vdev_guid"} {
		got, _ := detector.LookupUint64(name)
		if want, _ := e.Pairs.LookupUint64(of); got != want {
			return fmt.Errorf("its detector has %s %#x, but %s is %#x", name, got, of, want)
		}
	}
	return nil
}
