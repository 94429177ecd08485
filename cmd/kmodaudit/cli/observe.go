package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/kmodaudit/kmodaudit/report"
	"github.com/kmodaudit/kmodaudit/stackcheck/observe"
)

// ObserveFlags are the flags of StackObserve.
type ObserveFlags struct {
	Paths   []string // of builds
	Trace   string   // file; empty for the live tracer
	Enable  time.Duration
	Modules []string // that the live tracer looks at while it is enabled; none for all functions
	Save    string   // file that receives what the live tracer recorded; empty for none
	SVG     string   // file that receives a drawing; empty for none
	Format  report.Format
}

// StackObserve prints what a run used of the stack beside what builds tell of it.
func StackObserve(ctx context.Context, out Output, f ObserveFlags) error {
	traces, traceErr := f.traces(ctx)
	if len(traces) == 0 {
		return cannot(traceErr)
	}
	build, readErr := readBuild(f.Paths)
	if len(build.Functions) == 0 && readErr != nil {
		return cannot(errors.Join(traceErr, readErr))
	}
	binaries, binariesErr := observe.ReadBinaries(traces, f.Paths...)
	observations := observe.Compare(traces, build, binaries)
	findings := 0
	for _, o := range observations {
		findings += len(o.Findings)
		if o.Foreign > 0 {
			out.warn(fmt.Sprintf("functions of the trace that have another length in the build, which is not what ran: %d", o.Foreign))
		}
	}
	if err := out.write(report.Observations(observations), f.Format); err != nil {
		return err
	}
	var drawErr error
	if f.SVG != "" {
		drawErr = drawObservations(f.SVG, built(build.Built), observations)
	}
	if err := failed(errors.Join(traceErr, readErr, binariesErr, drawErr)); err != nil {
		return err
	}
	return found(findings)
}

func (f ObserveFlags) traces(ctx context.Context) ([]observe.Trace, error) {
	if f.Trace == "" {
		return f.live(ctx)
	}
	file, err := os.Open(f.Trace)
	if err != nil {
		return nil, fmt.Errorf("reading a stack trace: %w", err)
	}
	defer file.Close()
	traces, err := observe.ReadTraces(file, f.Trace)
	if err != nil {
		err = fmt.Errorf("reading a stack trace: %w", err)
	}
	return traces, err
}

func (f ObserveFlags) live(ctx context.Context) (traces []observe.Trace, err error) {
	tracer, err := observe.FindTracer()
	if err != nil {
		return nil, err
	}
	if f.Enable > 0 {
		stop, err := tracer.Start(f.Modules...)
		if err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done(): // what was recorded until then is shown
		case <-time.After(f.Enable):
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	text, err := tracer.Text()
	if err != nil {
		return nil, err
	}
	if f.Save != "" {
		if err := os.WriteFile(f.Save, text, 0o644); err != nil {
			return nil, fmt.Errorf("keeping the stack trace: %w", err)
		}
	}
	return observe.ReadTraces(bytes.NewReader(text), tracer.Directory+"/stack_trace")
}
