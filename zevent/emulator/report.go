package emulator

import (
	"container/list"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// Reasons why an error is not posted. Such an error takes no EID.
var (
	// ErrDuplicate: a like error was reported a short while ago (EALREADY).
	ErrDuplicate = fmt.Errorf("a like error was reported recently: %w", syscall.EALREADY)
	// ErrRateLimited: the vdev had too many of the class in this second
	// (EBUSY). The next reader's dropped count has one more.
	ErrRateLimited = fmt.Errorf("too many of the class and the vdev in a second: %w", syscall.EBUSY)
)

// Report posts an error as zfs_ereport_post does, unless it is a duplicate or
// one too many. What the module compares is taken from the pairs of the list,
// which has to have those of its class: an error without vdev_guid is of no
// vdev, one without zio_err of no I/O.
func (q *Queue) Report(l nvlist.List) (zevent.Event, error) {
	if err := q.admit(l); err != nil {
		class, _ := l.LookupString("class")
		return zevent.Event{}, fmt.Errorf("reporting %s: %w", class, err)
	}
	return q.Post(l)
}

func (q *Queue) admit(l nvlist.List) error {
	class, _ := l.LookupString("class")
	subclass, ok := strings.CutPrefix(class, "ereport.fs.zfs.")
	vdev, hasVdev := l.LookupUint64("vdev_guid")
	if !ok || !hasVdev {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	if _, hasIO := l.Lookup("zio_err"); hasIO && q.isDuplicate(subclass, l, now) {
		return ErrDuplicate
	}
	if q.isLimited(limitKey{subclass, vdev}, now) {
		q.limited++
		return ErrRateLimited
	}
	return nil
}

// errorKey is what two duplicates have in common: recent_events_node_t.
type errorKey struct {
	subclass                        string
	pool, vdev                      uint64
	err, priority                   int64
	size, offset                    uint64
	objset, object, level, bookmark uint64
}

func keyOf(subclass string, l nvlist.List) errorKey {
	return errorKey{
		subclass: subclass,
		pool:     number(l, "pool_guid"), vdev: number(l, "vdev_guid"),
		err: int64(number(l, "zio_err")), priority: int64(number(l, "zio_priority")),
		size: number(l, "zio_size"), offset: number(l, "zio_offset"),
		objset: number(l, "zio_objset"), object: number(l, "zio_object"),
		level: number(l, "zio_level"), bookmark: number(l, "zio_blkid"),
	}
}

// number is the value of a pair in the types that these have, 0 if there is none.
func number(l nvlist.List, name string) uint64 {
	p, _ := l.Lookup(name)
	switch v := p.Value.(type) {
	case uint64:
		return v
	case int64:
		return uint64(v)
	case uint32:
		return uint64(v)
	case int32:
		return uint64(v)
	}
	return 0
}

// recentErrors are those that duplicates are told by.
type recentErrors struct {
	byKey   map[errorKey]*list.Element
	byAge   list.List // of *recentError, the newest in front
	cleanAt time.Time // when the cleaner runs, zero if it is not scheduled
}

type recentError struct {
	key  errorKey
	seen time.Time
}

func newRecentErrors() recentErrors { return recentErrors{byKey: map[errorKey]*list.Element{}} }

// age is in whole seconds, as NSEC2SEC has it.
func (e *recentError) age(now time.Time) int { return int(now.Sub(e.seen) / time.Second) }

// isDuplicate is zfs_ereport_is_duplicate. It counts an error also as a
// duplicate whose like has expired and was not yet cleaned away, and posts it.
func (q *Queue) isDuplicate(subclass string, l nvlist.List, now time.Time) bool {
	r := &q.recent
	r.clean(now, q.parameters.RetainSeconds)
	if q.parameters.RetainEvents == 0 || subclass != "io" && subclass != "data" && subclass != "checksum" {
		return false
	}
	key := keyOf(subclass, l)
	if at, ok := r.byKey[key]; ok {
		e := at.Value.(*recentError)
		age := e.age(now)
		r.byAge.MoveToFront(at)
		e.seen = now
		q.counters.duplicates.Add(1)
		return age <= q.parameters.RetainSeconds
	}
	if r.byAge.Len() >= q.parameters.RetainEvents {
		r.remove(r.byAge.Back())
	}
	r.byKey[key] = r.byAge.PushFront(&recentError{key, now})
	if r.cleanAt.IsZero() {
		r.schedule(now, q.parameters.RetainSeconds)
	}
	return false
}

func (r *recentErrors) schedule(now time.Time, retainSeconds int) {
	r.cleanAt = now.Add(time.Duration(retainSeconds+1) * time.Second)
}

// clean does what the cleaner has done since (zfs_ereport_cleaner).
func (r *recentErrors) clean(now time.Time, retainSeconds int) {
	for !r.cleanAt.IsZero() && !now.Before(r.cleanAt) {
		ran := r.cleanAt
		for at := r.byAge.Back(); at != nil && at.Value.(*recentError).age(ran) > retainSeconds; at = r.byAge.Back() {
			r.remove(at)
		}
		r.cleanAt = time.Time{}
		if r.byAge.Len() > 0 {
			r.schedule(ran, retainSeconds)
		}
	}
}

func (r *recentErrors) remove(at *list.Element) {
	delete(r.byKey, at.Value.(*recentError).key)
	r.byAge.Remove(at)
}

// ForgetErrors lets errors of a vdev, or of all vdevs of a pool if vdev is 0,
// be reported again: zfs_ereport_clear, which zpool clear calls for a vdev, and
// the end of a scrub, resilver or rebuild for a pool.
func (q *Queue) ForgetErrors(pool, vdev uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for at := q.recent.byAge.Front(); at != nil; {
		next := at.Next()
		key := at.Value.(*recentError).key
		if vdev != 0 && key.vdev == vdev || vdev == 0 && key.pool == pool {
			q.recent.remove(at)
		}
		at = next
	}
}

type limitKey struct {
	subclass string
	vdev     uint64
}

// rateLimit is a zfs_ratelimit_t: how many came since a second began.
type rateLimit struct {
	start time.Time
	count int
}

// isLimited is zfs_is_ratelimiting_event with zfs_ratelimit, an interval of 1 s.
// Those of Direct I/O verification were not limited before OpenZFS pull request
// 18795, of July 2026, though their parameter is older.
func (q *Queue) isLimited(key limitKey, now time.Time) bool {
	burst := zevent.NoLimit
	switch key.subclass {
	case "delay":
		burst = q.parameters.DelayPerSecond
	case "checksum":
		burst = q.parameters.ChecksumPerSecond
	case "deadman":
		burst = q.parameters.DeadmanPerSecond
	}
	if burst == zevent.NoLimit {
		return false
	}
	limit := q.limits[key]
	if limit == nil {
		limit = &rateLimit{}
		q.limits[key] = limit
	}
	limit.count++
	if limit.start.IsZero() || now.Sub(limit.start) >= time.Second {
		*limit = rateLimit{start: now}
		return false
	}
	return limit.count >= burst
}
