package audit

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// Options are what a run takes besides its configuration.
type Options struct {
	Device  string     // /dev/zfs to check the loaded module of this machine, empty for the emulator
	Dir     string     // where those checks put the files of their pools
	ModTime *time.Time // of installed headers, nil for now
}

// Names of what a run writes below [Config.OutPath].
const (
	ResultName   = "audit.json"
	HeadersName  = "include"
	ManifestName = "headers.json"
)

// Run audits what the configuration names, or the bundled data where it names
// that and no module is there. An audit that cannot be done does not keep the others from it.
func Run(ctx context.Context, c Config, o Options) (Result, error) {
	in, err := c.inputs(o)
	if err != nil {
		return Result{}, err
	}
	return Combine(AuditHeaders(ctx, in.headers), AuditStack(in.stack), AuditEvents(ctx, in.events)), nil
}

type inputs struct {
	headers HeadersInput
	stack   StackInput
	events  EventsInput
}

func (c Config) inputs(o Options) (inputs, error) {
	var in inputs
	switch {
	case c.hasModule():
		in = c.moduleInputs()
	case c.Bundled != Bundled{}:
		in = c.bundledInputs()
	default:
		return in, fmt.Errorf("looking for the module: %w: nothing is at %v; put its source tree there, or set headers.source in %s",
			ErrNoModule, c.Headers.Source, filepath.Join(c.dir, ConfigName))
	}
	in.headers.Sources, in.headers.Strip, in.headers.Rules = c.Headers.Source, c.Headers.Strip, c.Headers.HeaderRules
	in.headers.ModTime = o.ModTime
	in.headers.Destination, in.headers.Manifest = c.OutPath(HeadersName), c.OutPath(ManifestName)
	in.events.Device, in.events.Dir = o.Device, o.Dir
	return in, nil
}

func (c Config) moduleInputs() inputs {
	in := inputs{
		headers: HeadersInput{Root: c.dir, Origin: Origin{Real, "the module's own tree"}},
		stack:   c.StackInput(c.Path(c.Stack.Build), Origin{Real, "the build in " + c.Stack.Build}),
	}
	if c.Events.Recording != "" {
		in.events.Recording = c.Path(c.Events.Recording)
	}
	return in
}

func (c Config) bundledInputs() inputs {
	dir := c.Path(c.Bundled.Dir)
	return inputs{
		headers: HeadersInput{Root: dir, Origin: Origin{Sample, c.Bundled.Headers}},
		stack:   c.StackInput(filepath.Join(dir, c.Bundled.Build), Origin{Recorded, c.Bundled.What}),
		events:  EventsInput{Recording: filepath.Join(dir, c.Bundled.Events)},
	}
}
