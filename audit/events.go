package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent-test/suite"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
)

// EventsInput says which queue to check.
type EventsInput struct {
	Device    string // of a loaded module; empty for the emulator
	Dir       string // where checks of a device put the files of their pools
	Recording string // file that the emulator plays; empty for events of its own making
}

// AuditEvents runs the checks of zevent-test. On the emulator it also plays
// the whole recording and reads every event back.
func AuditEvents(ctx context.Context, in EventsInput) Events {
	if in.Device != "" {
		target, err := suite.OpenDevice(in.Device, in.Dir, false)
		if err != nil {
			return FailedEvents(Origin{Real, in.Device}, err)
		}
		return ReportedEvents(Real, suite.Collect(ctx, target))
	}
	if in.Recording == "" {
		e := ReportedEvents(Emulated, suite.Collect(ctx, suite.NewEmulatedTarget(nil, "")))
		e.Origin.What = "events of the emulator's own making"
		return e
	}
	recorded, header, err := readRecording(in.Recording)
	if err != nil {
		return FailedEvents(Origin{Emulated, in.Recording}, err)
	}
	origin := fmt.Sprintf("the recording of OpenZFS %s on Linux %s", header.Module, header.Kernel)
	e := ReportedEvents(Emulated, suite.Collect(ctx, suite.NewEmulatedTarget(recorded, origin)))
	findings, err := e.playBack(recorded)
	e.Findings = append(findings, e.Findings...)
	e.conclude(errors.Join(err, ctx.Err()))
	return e
}

// ReportedEvents is the result of a run of zevent-test, here or in a guest.
func ReportedEvents(kind Kind, report suite.Report) Events {
	what := strings.TrimPrefix(report.Target, "emulated, ") // the kind says it
	e := Events{Section: Section{Origin: Origin{kind, what}}, Classes: map[string]int{}}
	for _, r := range report.Results {
		e.Checks = append(e.Checks, Check{Name: r.Name, Status: string(r.Status), Detail: r.Detail})
		if r.Status == suite.Fail {
			e.Findings = append(e.Findings, Finding{
				Where:  r.Name,
				What:   r.Detail,
				Remedy: "expected: " + r.Asserts + " (" + r.Source + ")",
			})
		}
		for _, event := range r.Events {
			e.count(event)
		}
	}
	e.conclude(report.Err)
	return e
}

// FailedEvents is the result of checks that could not be run.
func FailedEvents(origin Origin, err error) Events {
	e := Events{Section: Section{Origin: origin}}
	e.conclude(fmt.Errorf("checking the event ABI: %w", err))
	return e
}

func (e *Events) count(event zevent.Event) {
	e.Decoded++
	e.Classes[event.Class]++
}

func readRecording(file string) ([]zevent.Event, zevent.RecordingHeader, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, zevent.RecordingHeader{}, fmt.Errorf("opening the recording of events: %w", err)
	}
	defer f.Close()
	r, err := zevent.NewRecordingReader(f, filepath.Base(file))
	if err != nil {
		return nil, zevent.RecordingHeader{}, err
	}
	var events []zevent.Event
	var problems []error
	for r.Scan() {
		event, err := r.Event()
		if err != nil {
			problems = append(problems, err)
			continue
		}
		events = append(events, event)
	}
	return events, r.Header(), errors.Join(append(problems, r.Err())...)
}

// playBack puts the recorded events through the emulator's queue and a client,
// and finds what comes back other than it was recorded.
func (e *Events) playBack(recorded []zevent.Event) ([]Finding, error) {
	queue := emulator.New(len(recorded), nil)
	for _, event := range recorded {
		if err := queue.PostRecorded(event); err != nil {
			return nil, fmt.Errorf("playing event %d: %w", event.EID, err)
		}
	}
	device := queue.Open()
	defer device.Close()
	e.Decoded, e.Classes = 0, map[string]int{}
	client := zevent.NewClient(device)
	var findings []Finding
	for i := 0; ; i++ {
		event, err := client.Next()
		switch {
		case errors.Is(err, zevent.ErrEmpty):
			if i != len(recorded) {
				findings = append(findings, Finding{Where: "recording", What: fmt.Sprintf("%d events were queued and %d came back", len(recorded), i)})
			}
			return findings, nil
		case err != nil:
			findings = append(findings, Finding{Where: fmt.Sprintf("event %d", i+1), What: err.Error()})
			continue
		}
		e.count(event)
		if i < len(recorded) && (event.EID != recorded[i].EID || !bytes.Equal(event.Raw, recorded[i].Raw)) {
			findings = append(findings, Finding{Where: fmt.Sprintf("event %d", i+1), What: "it came back other than it was recorded"})
		}
	}
}
