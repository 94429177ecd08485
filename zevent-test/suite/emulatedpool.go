package suite

import (
	"errors"
	"sync"
	"syscall"

	"github.com/kmodaudit/kmodaudit/zevent/emulator"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// emulatedPool posts what a pool of the module posts, and is nothing besides.
type emulatedPool struct {
	queue *emulator.Queue
	name  string
	guid  uint64

	mu       sync.Mutex
	context  int32  // pool_context
	exported bool   // pool_state
	gone     bool   // destroyed
	state    uint64 // of the leaf
	fault    Operation
}

var _ Pool = (*emulatedPool)(nil)

// Values of pool_context and pool_state.
const (
	contextNone   = 0 // SPA_LOAD_NONE
	contextCreate = 6 // SPA_LOAD_CREATE
	poolActive    = 0 // POOL_STATE_ACTIVE
	poolExported  = 1 // POOL_STATE_EXPORTED
)

// Name implements [Pool].
func (p *emulatedPool) Name() string { return p.name }

// Vdev implements [Pool].
func (p *emulatedPool) Vdev() uint64 { return p.guid << 8 }

func (p *emulatedPool) create() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.post("sysevent.fs.zfs.pool_create", configSyncClass); err != nil {
		return err
	}
	p.context = contextNone
	return nil
}

// Do implements [Pool].
func (p *emulatedPool) Do(o Operation) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch o {
	case Export:
		p.exported = true
		return p.post("sysevent.fs.zfs.pool_export", configSyncClass)
	case Import:
		p.exported = false
		return p.post(configSyncClass, "sysevent.fs.zfs.pool_import")
	case Scrub:
		return p.scrub()
	case Clear:
		return p.clear()
	case Offline:
		return errors.Join(p.changeState(stateOffline), p.post(configSyncClass))
	case Online:
		err := errors.Join(p.changeState(stateHealthy), p.postOfLeaf("sysevent.fs.zfs.vdev_online"))
		return errors.Join(err, p.post(configSyncClass))
	case Degrade:
		return errors.Join(p.changeState(stateDegraded), p.post(configSyncClass))
	case Post:
		return p.post(configSyncClass)
	case FailReads, FlipReads:
		p.fault = o
	}
	return nil
}

func (p *emulatedPool) clear() error {
	var err error
	if p.state == stateDegraded {
		err = errors.Join(p.changeState(stateHealthy), p.postOfLeaf("sysevent.fs.zfs.vdev_clear"))
	}
	return errors.Join(err, p.post(configSyncClass))
}

// blocksInError is how many blocks of an empty pool a scrub finds in error.
const blocksInError = 8

func (p *emulatedPool) scrub() error {
	errs := []error{p.post("sysevent.fs.zfs.scrub_start")}
	for block := range uint64(blocksInError) {
		switch p.fault {
		case FailReads:
			errs = append(errs, p.report(p.ioError("ereport.fs.zfs.io", errnoIO, block)))
		case FlipReads:
			l := p.ioError("ereport.fs.zfs.checksum", errnoChecksum, block)
			errs = append(errs, p.report(l.Set(stringPair("cksum_algorithm", "fletcher4"))))
		}
	}
	errs = append(errs, p.post("sysevent.fs.zfs.scrub_finish"))
	p.queue.ForgetErrors(p.guid, 0)
	return errors.Join(errs...)
}

// report leaves out what the module would leave out.
func (p *emulatedPool) report(l nvlist.List) error {
	_, err := p.queue.Report(l)
	if errors.Is(err, emulator.ErrDuplicate) || errors.Is(err, emulator.ErrRateLimited) {
		return nil
	}
	return err
}

// Destroy implements [Pool].
func (p *emulatedPool) Destroy() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || p.exported {
		return nil
	}
	p.gone = true
	return p.post("sysevent.fs.zfs.pool_destroy", configSyncClass)
}

func (p *emulatedPool) post(classes ...string) error {
	for _, class := range classes {
		if _, err := p.queue.Post(p.event(class)); err != nil {
			return err
		}
	}
	return nil
}

func (p *emulatedPool) postOfLeaf(class string, more ...nvlist.Pair) error {
	l := p.event(class)
	l.Pairs = append(l.Pairs, uint64Pair("vdev_guid", p.Vdev()), uint64Pair("vdev_state", p.state), stringPair("vdev_path", "/"+p.name))
	l.Pairs = append(l.Pairs, more...)
	_, err := p.queue.Post(l)
	return err
}

func (p *emulatedPool) changeState(to uint64) error {
	from := p.state
	p.state = to
	return p.postOfLeaf("resource.fs.zfs.statechange", uint64Pair("vdev_laststate", from))
}

// event is an event of the pool as zfs_event_create makes it, before time and EID.
func (p *emulatedPool) event(class string) nvlist.List {
	l := nvlist.New(
		nvlist.Pair{Name: "version", Type: nvlist.Uint8, Value: uint8(0)},
		stringPair("class", class),
	)
	l.Pairs = append(l.Pairs, p.pairs()...)
	return l
}

func (p *emulatedPool) pairs() []nvlist.Pair {
	state := uint64(poolActive)
	if p.exported {
		state = poolExported
	}
	return []nvlist.Pair{
		stringPair("pool", p.name),
		uint64Pair("pool_guid", p.guid),
		uint64Pair("pool_state", state),
		{Name: "pool_context", Type: nvlist.Int32, Value: p.context},
	}
}

// ioError is an error of the leaf as zfs_ereport_start makes it in 2.3, without the pairs that
// need not be there.
func (p *emulatedPool) ioError(class string, errno syscall.Errno, block uint64) nvlist.List {
	l := nvlist.New(
		stringPair("class", class),
		uint64Pair("ena", 1),
		nvlist.Pair{Name: "detector", Type: nvlist.NVList, Value: nvlist.New(
			nvlist.Pair{Name: "version", Type: nvlist.Uint8, Value: uint8(0)},
			stringPair("scheme", "zfs"),
			uint64Pair("pool", p.guid),
			uint64Pair("vdev", p.Vdev()),
		)},
	)
	l.Pairs = append(l.Pairs, p.pairs()...)
	l.Pairs = append(l.Pairs,
		stringPair("pool_failmode", "wait"),
		uint64Pair("vdev_guid", p.Vdev()),
		stringPair("vdev_type", "file"),
		uint64Pair("vdev_read_errors", 0),
		uint64Pair("vdev_write_errors", 0),
		uint64Pair("vdev_cksum_errors", 0),
		nvlist.Pair{Name: "zio_err", Type: nvlist.Int32, Value: int32(errno)},
		uint64Pair("zio_flags", 0),
		nvlist.Pair{Name: "zio_stage", Type: nvlist.Uint32, Value: uint32(0)},
		nvlist.Pair{Name: "zio_pipeline", Type: nvlist.Uint32, Value: uint32(0)},
		uint64Pair("zio_delay", 0),
		uint64Pair("zio_timestamp", 0),
		uint64Pair("zio_delta", 0),
		uint64Pair("zio_offset", block*512),
		uint64Pair("zio_size", 512),
	)
	return l
}
