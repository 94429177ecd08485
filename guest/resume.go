package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/kmodaudit/kmodaudit/guest/qmp"
)

const (
	pollEvery   = 5 * time.Millisecond
	keepTimeout = time.Minute
	takeTimeout = time.Minute
	streamName  = "devices"
)

// skipMemory has QEMU take the guest's memory for what both sides have already, so that a stream is of the devices alone.
func skipMemory(ctx context.Context, monitor *qmp.Client) error {
	type capability struct {
		Capability string `json:"capability"`
		State      bool   `json:"state"`
	}
	return monitor.Do(ctx, "migrate-set-capabilities", map[string]any{"capabilities": []capability{{"x-ignore-shared", true}}}, nil)
}

// keep writes the machine, which was booted, to dir, and lets it go on.
func (m *machine) keep(ctx context.Context, dir, console string) error {
	ctx, cancel := context.WithTimeout(ctx, keepTimeout)
	defer cancel()
	monitor, err := qmp.Open(ctx, m.monitor)
	if err != nil {
		return err
	}
	if err := monitor.Do(ctx, "stop", nil, nil); err != nil {
		return err
	}
	if err := skipMemory(ctx, monitor); err != nil {
		return err
	}
	devices, err := saveDevices(ctx, monitor)
	if err != nil {
		return err
	}
	if err := writeKept(dir, m.memory, devices, console); err != nil {
		return err
	}
	return monitor.Do(ctx, "cont", nil, nil)
}

func saveDevices(ctx context.Context, monitor *qmp.Client) ([]byte, error) {
	from, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer from.Close()
	err = monitor.PassFile(ctx, streamName, to)
	if err := errors.Join(err, to.Close()); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = from.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var stream bytes.Buffer
	read := make(chan error, 1)
	go func() {
		n, err := io.Copy(&stream, io.LimitReader(from, maxDevicesBytes+1))
		if err == nil && n > maxDevicesBytes {
			err = fmt.Errorf("the state of its devices has more than %d bytes", maxDevicesBytes)
		}
		read <- err
	}()
	if err := monitor.Do(ctx, "migrate", map[string]string{"uri": "fd:" + streamName}, nil); err != nil {
		return nil, err
	}
	if err := <-read; err != nil { // QEMU ends the stream when it is complete, or when it failed
		return nil, fmt.Errorf("reading the state of its devices: %w", err)
	}
	for {
		var migration struct {
			Status string
			Error  string `json:"error-desc"`
		}
		if err := monitor.Do(ctx, "query-migrate", nil, &migration); err != nil {
			return nil, err
		}
		switch migration.Status {
		case "completed":
			return stream.Bytes(), nil
		case "failed", "cancelled":
			return nil, fmt.Errorf("QEMU could not write the state of its devices: %s", migration.Error)
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
}

// takeOver makes the machine, which waits for that, go on where another was kept, if its memory was checked.
func (m *machine) takeOver(ctx context.Context, devices []byte, checked <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, takeTimeout)
	defer cancel()
	monitor, err := qmp.Open(ctx, m.monitor)
	if err != nil {
		return err
	}
	if err := skipMemory(ctx, monitor); err != nil {
		return err
	}
	from, to, err := os.Pipe()
	if err != nil {
		return err
	}
	defer to.Close() // ends the goroutine where QEMU does not read
	go func() {
		_, _ = to.Write(devices) // if QEMU has not got all, it says so
		_ = to.Close()
	}()
	err = monitor.PassFile(ctx, streamName, from)
	if err := errors.Join(err, from.Close()); err != nil {
		return err
	}
	if err := monitor.Do(ctx, "migrate-incoming", map[string]string{"uri": "fd:" + streamName}, nil); err != nil {
		return err
	}
	for {
		var status struct{ Status string }
		if err := monitor.Do(ctx, "query-status", nil, &status); err != nil {
			return err
		}
		switch status.Status {
		case "inmigrate":
		case "paused":
			if err := <-checked; err != nil {
				return err
			}
			return monitor.Do(ctx, "cont", nil, nil)
		default:
			return errors.New("QEMU ended up in state " + status.Status)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(pollEvery):
		return nil
	}
}
