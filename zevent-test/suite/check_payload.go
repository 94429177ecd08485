package suite

import (
	"errors"
	"fmt"
	"slices"
)

var payloadCheck = Check{
	Name: "payload",
	Asserts: "Every event of a pool's life (creation, faults, a scrub that finds errors, export, import, destruction) decodes, " +
		"encodes to the same bytes, prints, and has the pairs of its class, each of its type, with time and EID last.",
	Source: "module/zfs/zfs_fm.c (zfs_event_create, zfs_ereport_start, annotate_ecksum), spa_history.c, module/nvpair/nvpair.c",
	run: func(p *probe) error {
		life := slices.Concat(offlineSteps, clearSteps, exportSteps, failSteps)
		w, err := p.withPool(life)
		if err != nil {
			return err
		}
		if err := w.pool.Destroy(); err != nil {
			return err
		}
		if err := w.await("destroy", destroyed); err != nil {
			return err
		}
		if _, err := p.withPool(flipSteps); err != nil { // another pool: the injected errors of one hide each other
			return err
		}
		for _, e := range p.events {
			if err := errors.Join(wantRoundTrip(e), wantPrintable(e), wantPayload(e)); err != nil {
				return fmt.Errorf("EID %d, class %q: %w", e.EID, e.Class, err)
			}
		}
		return nil
	},
}
