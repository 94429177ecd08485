// Package progress says how far a long step is, so that a person who waits
// knows that something happens and a log of a failed run tells where time went.
//
// A step is one unit of long work with a name ("build the module"). Whoever
// does it reports events to a [Func]; whoever shows them decides how.
package progress

import (
	"sync"
	"time"
)

// State is what an event says of its step.
type State int

const (
	Running  State = iota // the step goes on; Detail, Done and Total are new
	Started               // its first event; steps may run within steps
	Finished              // the step did its work
	Cached                // the work was done by an earlier run with the same inputs
	Failed                // the step ended with an error, which its caller returns
)

// Event is one report of a step.
type Event struct {
	Step    string        // what is being done, as a short imperative: "build the module"
	State   State         // see State
	Detail  string        // the part in hand: a file, a package, the last console line
	Done    int           // units done so far
	Total   int           // units expected, 0 when not known
	Unit    string        // what Done and Total count: "files", "checks"
	Elapsed time.Duration // since the step began
}

// Func receives events. It may be called from several goroutines, and nil is
// a valid value that discards: use Report.
type Func func(Event)

// Report calls f unless it is nil.
func (f Func) Report(e Event) {
	if f != nil {
		f(e)
	}
}

// heartbeat is how often a running step is reported again when it has nothing new to
// say: some programs are silent for minutes.
const heartbeat = time.Second

// Step runs work as the step called name. Its report function takes what
// changed (Detail, Done, Total, Unit); the name and the clock are filled in.
// The last event is Failed, Cached if work reported that, or Finished.
func (f Func) Step(name string, work func(report func(Event)) error) error {
	s := step{name: name, start: time.Now(), to: f}
	s.report(Event{State: Started})
	ended := make(chan struct{})
	var beats sync.WaitGroup
	beats.Go(func() { s.beat(ended) })
	err := work(s.report)
	close(ended)
	beats.Wait()
	switch {
	case err != nil:
		s.report(Event{State: Failed})
	case s.last.State != Cached:
		s.report(Event{State: Finished})
	}
	return err
}

type step struct {
	name  string
	start time.Time
	to    Func

	mu   sync.Mutex
	last Event
}

func (s *step) report(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Step, e.Elapsed = s.name, time.Since(s.start)
	s.last = e
	s.to.Report(e)
}

func (s *step) beat(ended <-chan struct{}) {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			return
		case <-ticker.C:
			s.again()
		}
	}
}

func (s *step) again() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last.State == Running || s.last.State == Started {
		s.last.State = Running
		s.last.Elapsed = time.Since(s.start)
		s.to.Report(s.last)
	}
}
