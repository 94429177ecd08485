package zpoolevents

import (
	"slices"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// Class is a class of event.
type Class struct {
	Name  string
	since zevent.Release // 2.0 and later; the zero Release is before
	Why   string         // it is not posted in the guest; empty if it is
}

// The subclasses of FM_EREPORT_ZFS_, FM_RESOURCE_ and ESC_ZFS_ in include/sys/fm/fs/zfs.h and include/sys/sysevent/eventdefs.h,
// releases 2.0 to 2.4.
const (
	ereport  = "ereport.fs.zfs."
	resource = "resource.fs.zfs."
	sysevent = "sysevent.fs.zfs."
)

const (
	notOnLinux = "the module defines it, and posts it on other systems than Linux"
	ofRoot     = "it is of the root vdev alone, for which vdev_set_state of module/zfs/vdev.c posts nothing"
)

var classes = slices.Concat(
	named(ereport, zevent.Release{}, "",
		"authentication", "checksum", "config_cache_write", "data", "deadman", "delay", "io", "io_failure", "log_replay",
		"probe_failure", "vdev.bad_ashift", "vdev.bad_label", "vdev.corrupt_data", "vdev.no_replicas", "vdev.open_failed",
		"vdev.too_small", "vdev.unknown", "zpool"),
	named(ereport, zevent.Release{}, ofRoot, "vdev.bad_guid_sum"),
	named(ereport, zevent.Release{Major: 2, Minor: 3}, "", "dio_verify_rd", "dio_verify_wr"),
	named(ereport, zevent.Release{Major: 2, Minor: 4}, "", "sitout"),
	named(resource, zevent.Release{}, "", "autoreplace", "removed", "statechange"),
	named(resource, zevent.Release{Major: 2, Minor: 1}, notOnLinux, "snapshot_mount", "snapshot_unmount", "zvol_create", "zvol_remove"),
	named(sysevent, zevent.Release{}, "",
		"bootfs_vdev_attach", "config_sync", "history_event", "pool_create", "pool_destroy", "pool_export", "pool_import", "pool_reguid",
		"resilver_finish", "resilver_start", "scrub_abort", "scrub_finish", "scrub_paused", "scrub_resume", "scrub_start",
		"trim_cancel", "trim_finish", "trim_resume", "trim_start", "trim_suspend",
		"vdev_add", "vdev_attach", "vdev_autoexpand", "vdev_check", "vdev_clear", "vdev_online",
		"vdev_remove", "vdev_remove_aux", "vdev_remove_dev", "vdev_spare"),
	named(sysevent, zevent.Release{Major: 2, Minor: 2}, "", "errorscrub_abort", "errorscrub_finish", "errorscrub_paused", "errorscrub_resume", "errorscrub_start"),
)

func named(prefix string, since zevent.Release, why string, names ...string) (all []Class) {
	for _, name := range names {
		all = append(all, Class{Name: prefix + name, since: since, Why: why})
	}
	return all
}

// unexplained is why a class is missing that the guest should have posted.
const unexplained = "raise.sh has a step for it, which did not bring it about; see raise.log"

// countClasses fills in Raised, Missing and Unknown.
func (r *Result) countClasses(events []zevent.Event) {
	r.Raised = map[string]int{}
	for _, e := range events {
		r.Raised[e.Class]++
	}
	known := map[string]bool{}
	for _, c := range classes {
		if !r.Release.AtLeast(c.since.Major, c.since.Minor, c.since.Patch) {
			continue
		}
		known[c.Name] = true
		if r.Raised[c.Name] > 0 {
			continue
		}
		if c.Why == "" {
			c.Why = unexplained
		}
		r.Missing = append(r.Missing, c)
	}
	for class := range r.Raised {
		if !known[class] {
			r.Unknown = append(r.Unknown, class)
		}
	}
	slices.Sort(r.Unknown)
}
