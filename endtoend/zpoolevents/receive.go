package zpoolevents

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// recordingName is the recording's file among what raise sends. Of print I it sends I.zpool and I.zevents.
const recordingName = "events.zevents"

// receive writes the files that raise sent into dir.
func receive(lines []byte, dir string) error {
	fail := func(err error) error { return fmt.Errorf("unpacking what the guest sent: %w", err) }
	if len(lines) == 0 {
		return fail(io.ErrUnexpectedEOF)
	}
	var packed []byte
	for line := range bytes.Lines(lines) {
		var err error
		if packed, err = base64.StdEncoding.AppendDecode(packed, bytes.TrimSpace(line)); err != nil {
			return fail(err)
		}
	}
	z, err := zstd.NewReader(bytes.NewReader(packed))
	if err != nil {
		return fail(err)
	}
	defer z.Close()
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fail(err)
		case h.Typeflag != tar.TypeReg:
			continue
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			return fail(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(h.Name)), data, 0o644); err != nil {
			return fail(err)
		}
	}
}

// readResult compares what was printed in the guest, and what zevents prints here of the recording.
func readResult(ctx context.Context, dir, zevents string) (*Result, error) {
	recording := filepath.Join(dir, recordingName)
	header, events, err := readEvents(recording)
	if err != nil {
		return nil, err
	}
	release, err := zevent.ParseRelease(header.Module)
	if err != nil {
		return nil, err
	}
	result := &Result{Release: release, Kernel: header.Kernel, Events: len(events)}
	result.countClasses(events)
	for i, p := range prints {
		name := filepath.Join(dir, fmt.Sprint(i))
		zpool, err := os.ReadFile(name + ".zpool")
		if err != nil {
			return nil, fmt.Errorf("reading what zpool printed: %w", err)
		}
		own, err := os.ReadFile(name + ".zevents")
		if err != nil {
			return nil, fmt.Errorf("reading what zevents printed: %w", err)
		}
		result.Prints = append(result.Prints, Comparison{Print: p, Bytes: len(zpool), Difference: compare(p, zpool, own, events)})
		if p.Zone != utc { // of this machine's other zones nothing is known
			continue
		}
		if own, err = printRecording(ctx, zevents, p, recording); err != nil {
			return nil, err
		}
		result.Prints = append(result.Prints, Comparison{Print: p, Recorded: true, Bytes: len(zpool), Difference: compare(p, zpool, own, events)})
	}
	return result, nil
}

func readEvents(name string) (zevent.RecordingHeader, []zevent.Event, error) {
	f, err := os.Open(name)
	if err != nil {
		return zevent.RecordingHeader{}, nil, fmt.Errorf("reading recording: %w", err)
	}
	defer f.Close()
	r, err := zevent.NewRecordingReader(f, name)
	if err != nil {
		return zevent.RecordingHeader{}, nil, err
	}
	var events []zevent.Event
	for r.Scan() {
		e, err := r.Event()
		if err != nil {
			return r.Header(), nil, err
		}
		events = append(events, e)
	}
	return r.Header(), events, r.Err()
}

func printRecording(ctx context.Context, zevents string, p Print, recording string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, zevents, append(p.arguments(), "--from", recording)...)
	cmd.Env = []string{"TZ=" + p.Zone}
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("printing the recording: %w", err)
	}
	return out, nil
}

// writePair compresses the recording and what zpool printed of it.
func writePair(to, dir string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("writing the recording: %w", err)
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		return err
	}
	for name, from := range map[string]string{RecordingName: recordingName, VerboseName: "0.zpool", ScriptedName: "1.zpool"} {
		data, err := os.ReadFile(filepath.Join(dir, from))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), encoder.EncodeAll(data, nil), 0o644)
		}
		if err != nil {
			return fmt.Errorf("writing the recording: %w", err)
		}
	}
	return nil
}
