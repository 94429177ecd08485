package headerinstall

import (
	"context"
	"fmt"
)

// Update plans and installs in one go, and returns the plan that it has carried out. Other installations and
// removals of this package wait meanwhile, and it for them; where the file system locks no directories (NFS), running
// one at a time is the caller's part. It reads most headers once, where NewPlan and Install read them twice. Its errors
// are those of both.
func Update(ctx context.Context, c Config) (Plan, error) {
	c, err := c.complete()
	if err != nil {
		return Plan{}, fmt.Errorf("planning headers: %w", err)
	}
	p, err := update(ctx, c)
	if err != nil {
		return Plan{}, err
	}
	return p, nil
}

func update(ctx context.Context, c Config) (Plan, error) {
	installing := func(err error) error { return fmt.Errorf("installing headers into %s: %w", c.Dest, err) }
	dest, err := c.lockDest(ctx)
	if err != nil {
		return Plan{}, installing(err)
	}
	defer func() { dest.close() }()
	p, err := newPlan(ctx, c, dest, sameDigests)
	if err != nil {
		return Plan{}, err
	}
	if !dest.exists() { // nothing is made before the plan has turned out well
		if err := c.makeDest(); err != nil {
			return Plan{}, installing(err)
		}
		if dest, err = c.lockDest(ctx); err != nil {
			return Plan{}, installing(err)
		}
		entries, err := dest.entries(make([]byte, 4<<10))
		if err != nil {
			return Plan{}, installing(err)
		}
		if len(entries) > 0 { // another was quicker
			if p, err = newPlan(ctx, c, dest, sameDigests); err != nil {
				return Plan{}, err
			}
		}
	}
	if err := install(ctx, &p, dest); err != nil {
		return Plan{}, installing(err)
	}
	return p, nil
}
