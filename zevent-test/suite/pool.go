package suite

import "context"

// Pools is a Target that makes pools of its own.
type Pools interface {
	// CreatePool makes a pool of a new name: a mirror of two leaf vdevs.
	CreatePool(context.Context) (Pool, error)
	// StandingPool returns one of the same kind that is kept until the target is closed. It makes
	// one if there is none, or the last was destroyed.
	StandingPool(context.Context) (Pool, error)
}

// Pool is a pool of a target. Its methods act in the order of the calls.
type Pool interface {
	Name() string
	// Vdev is the GUID of the leaf that operations act upon.
	Vdev() uint64
	// Do starts an operation; what it has posted may come later.
	Do(Operation) error
	// Destroy takes the pool away, in whatever state operations left it.
	Destroy() error
}

// Operation is what is done to a pool or its leaf.
type Operation string

// The operations. Offline to FlipReads are done to the leaf.
const (
	Export    Operation = "export"
	Import    Operation = "import"
	Scrub     Operation = "scrub"
	Clear     Operation = "clear" // the error counts and states of all vdevs
	Post      Operation = "post"  // an event, config_sync, and nothing besides
	Offline   Operation = "offline"
	Online    Operation = "online"
	Degrade   Operation = "degrade"    // as zed does after many errors
	FailReads Operation = "fail-reads" // injects EIO into each read
	FlipReads Operation = "flip-reads" // injects a flipped bit into what each read returns
)
