// Package suite is the end-to-end test of the event ioctls of /dev/zfs: does
// the loaded module answer them as every reader of events relies on?
//
// Terms, beside those of package zevent:
//
//   - A check asserts one property of the ioctls. It names the source of the
//     expectation, so that a failure can be judged: module or check.
//   - A target is what is checked: the queue of the loaded module, or an
//     emulated one.
//   - To raise is to make the owner of the queue post an event. The loaded
//     module does so when a pool is told again that it has no cache file, which
//     changes nothing and waits for nothing.
//   - The standing pool is one that a target keeps from check to check, as making
//     one takes longer than what most checks do to it.
//   - What a target can do besides, such as to make pools or to tell whether a
//     reader sleeps, is an interface of its own, which the check asks for. Without
//     it the check is skipped, with the reason.
//   - A probe is one check under way: its descriptors and what it read.
//
// Checks clear the queue. It is one for the machine, so running them against
// a device takes events away from zed and from any other reader.
package suite

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// Target is a queue to check.
type Target interface {
	// Open returns a new descriptor with a cursor of its own.
	Open() (zevent.Device, error)
	// Raise has at least one event posted before it returns.
	Raise(context.Context) (Raised, error)
	// Describe says what is checked: "emulated", or the device with the
	// versions of module and kernel.
	Describe() string
	// Close takes away what Raise needed.
	Close() error
}

// Raised is what one of the events that Raise had posted must hold.
type Raised struct {
	Class, Pool         string
	EID                 uint64    // 0 where the target cannot know
	NotBefore, NotAfter time.Time // inclusive
}

// Check is one property of the ioctls.
type Check struct {
	Name    string // lower-case words joined by hyphens
	Asserts string // what holds when the check passes, in one sentence
	Source  string // file or release of OpenZFS that promises it
	run     func(*probe) error
}

// Checks returns the checks in the order in which they run.
func Checks() []Check {
	return []Check{
		openCheck, noCapabilityCheck, userNamespaceCheck,
		clearCheck, clearSeenCheck, emptyCheck,
		raiseAndReadCheck, orderCheck, smallBufferCheck,
		seekCheck, independentCursorsCheck, sharedCursorCheck,
		blockingWakesCheck, blockingEINTRCheck,
		badCleanupFDCheck, unknownIoctlCheck, overflowCheck,
		poolCreateCheck, poolExportCheck, poolScrubCheck, poolOfflineCheck, poolClearCheck,
		injectIOCheck, injectChecksumCheck, payloadCheck,
		stressCheck, differentialCheck, moduleInUseCheck,
	}
}

// Matching returns the checks whose name the expression finds, in order.
func Matching(checks []Check, name *regexp.Regexp) []Check {
	var found []Check
	for _, c := range checks {
		if name.MatchString(c.Name) {
			found = append(found, c)
		}
	}
	return found
}

// Status is the outcome of a check.
type Status string

// The outcomes. A check is skipped, never silently, when its target cannot
// have the property or the run was interrupted.
const (
	Pass Status = "pass"
	Fail Status = "fail"
	Skip Status = "skip"
)

// Result is one check with its outcome.
type Result struct {
	Check
	Status Status
	Detail string         // why it failed or was skipped
	Events []zevent.Event // what was delivered after an event was raised

	Elapsed time.Duration // with cleaning up
}

// Run runs the checks one after another, each when its result is asked for.
func Run(ctx context.Context, t Target, checks []Check) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		for _, c := range checks {
			start := time.Now()
			r := runOne(ctx, t, c)
			r.Elapsed = time.Since(start)
			if !yield(r) {
				return
			}
		}
	}
}

// patience is how long a check waits for what must come before it fails: many
// times what a translated guest takes.
const patience = 2 * time.Minute

func runOne(ctx context.Context, t Target, c Check) Result {
	r := Result{Check: c, Status: Pass}
	if ctx.Err() != nil {
		r.Status, r.Detail = Skip, "interrupted before it ran"
		return r
	}
	p := &probe{ctx: ctx, target: t}
	err := c.run(p)
	closing := p.close(err == nil)
	r.Events = p.events
	var skip *skipError
	switch {
	case closing == nil && err != nil && ctx.Err() != nil:
		r.Status, r.Detail = Skip, "interrupted while it ran: "+err.Error()
	case closing == nil && errors.As(err, &skip):
		r.Status, r.Detail = Skip, skip.reason
	case err != nil || closing != nil:
		r.Status, r.Detail = Fail, errors.Join(err, closing).Error()
	}
	return r
}

type skipError struct{ reason string }

func (e *skipError) Error() string { return "skipped: " + e.reason }

// Summary counts outcomes.
type Summary struct{ Pass, Fail, Skip int }

// Add counts one result.
func (s *Summary) Add(r Result) {
	switch r.Status {
	case Pass:
		s.Pass++
	case Fail:
		s.Fail++
	case Skip:
		s.Skip++
	}
}

func (s Summary) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", s.Pass, s.Fail, s.Skip)
}
