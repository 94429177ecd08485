package wire

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPayload(t *testing.T) {
	job := Job{
		Modules:  []File{{"00-spl.ko", 0, 3}},
		Programs: []Program{{File: File{"00-zevent-test", 3, 7}, Args: []string{"--device", "/dev/zfs"}, Env: []string{"A=1"}}},
	}
	head, err := PayloadHead(job)
	if err != nil {
		t.Fatal(err)
	}
	p, err := OpenPayload(append(head, "SPLprogram"...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(job, p.Job); diff != "" {
		t.Errorf("job (-want +got):\n%s", diff)
	}
	for want, f := range map[string]File{"SPL": job.Modules[0], "program": job.Programs[0].File} {
		if got, err := p.Content(f); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", f.Name, got, err)
		}
	}
	for _, f := range []File{{"late", 3, 8}, {"later", 11, 0}, {"before", -1, 2}, {"negative", 2, -1}, {"huge", 1, 1<<63 - 1}} {
		if got, err := p.Content(f); err == nil || !strings.Contains(err.Error(), f.Name) {
			t.Errorf("%+v: %q, %v", f, got, err)
		}
	}
}

func FuzzOpenPayload(f *testing.F) {
	head, err := PayloadHead(Job{Modules: []File{{"00-spl.ko", 0, 3}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(head, "SPL"...))
	f.Add(head[:3])
	f.Add(binary.LittleEndian.AppendUint64(nil, 1<<63))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := OpenPayload(data)
		if err != nil {
			return
		}
		for _, file := range p.Job.Modules {
			if content, err := p.Content(file); err == nil && int64(len(content)) != file.Bytes {
				t.Errorf("%+v has %d bytes", file, len(content))
			}
		}
	})
}
