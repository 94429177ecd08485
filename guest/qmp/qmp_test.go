package qmp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

const greeting = `{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian 1:7.2+dfsg-7+deb12u18"}, "capabilities": ["oob"]}}` + "\n"

// monitor is a QEMU that says greeting, and to each line that it reads the next of answers; then it hangs up.
func monitor(t *testing.T, greeting string, answers ...string) (conn net.Conn, asked chan string) {
	t.Helper()
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	asked = make(chan string, len(answers)+1)
	go func() {
		defer there.Close()
		if _, err := io.WriteString(there, greeting); err != nil {
			return
		}
		lines := bufio.NewScanner(there)
		for _, answer := range answers {
			if !lines.Scan() {
				return
			}
			asked <- lines.Text()
			if _, err := io.WriteString(there, answer); err != nil {
				return
			}
		}
	}()
	return here, asked
}

const ready = `{"return": {}, "id": 1}` + "\n"

func TestDo(t *testing.T) {
	conn, asked := monitor(t, greeting, ready,
		`{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "STOP"}`+"\n"+`{"return": {"status": "paused"}, "id": 2}`+"\n",
		`{"id": 3, "error": {"class": "GenericError", "desc": "There's a migration process in progress"}}`+"\n",
		`{"return": {}, "id": 4}`+"\n")
	c, err := Open(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	var status struct{ Status string }
	if err := c.Do(t.Context(), "query-status", nil, &status); err != nil || status.Status != "paused" {
		t.Errorf("query-status: %+v, %v", status, err)
	}
	var refused *Error
	err = c.Do(t.Context(), "migrate", map[string]string{"uri": "fd:6"}, nil)
	if !errors.As(err, &refused) || err.Error() != "QEMU refused migrate: There's a migration process in progress" {
		t.Errorf("a refused command: %v", err)
	}
	if err := c.Do(t.Context(), "cont", nil, nil); err != nil {
		t.Errorf("after a refused command: %v", err)
	}
	for _, want := range []string{
		`{"execute":"qmp_capabilities","id":1}`, `{"execute":"query-status","id":2}`,
		`{"execute":"migrate","arguments":{"uri":"fd:6"},"id":3}`, `{"execute":"cont","id":4}`,
	} {
		if got := <-asked; got != want {
			t.Errorf("asked %s, want %s", got, want)
		}
	}
}

func TestOpenOfWhatIsNoQEMU(t *testing.T) {
	for name, said := range map[string]string{
		"nothing":     "",
		"garbage":     "SSH-2.0-OpenSSH\n",
		"no greeting": `{"event": "STOP"}` + "\n",
		"endless":     strings.Repeat("x", maxLineBytes+1),
	} {
		conn, _ := monitor(t, said)
		if _, err := Open(t.Context(), conn); err == nil || !strings.Contains(err.Error(), "connecting to QEMU's monitor") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDoOfBadAnswers(t *testing.T) {
	event := `{"event": "RTC_CHANGE"}` + "\n"
	for name, said := range map[string]string{
		"none":         "",
		"garbage":      "garbage\n",
		"of another":   `{"return": {}, "id": 7}` + "\n",
		"without id":   `{"return": {}}` + "\n",
		"events alone": strings.Repeat(event, maxPassed),
		"endless":      strings.Repeat("x", maxLineBytes+1),
	} {
		conn, _ := monitor(t, greeting, ready, said)
		c, err := Open(t.Context(), conn)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Do(t.Context(), "stop", nil, nil)
		if err == nil || !strings.Contains(err.Error(), "asking QEMU for stop") {
			t.Errorf("%s: %v", name, err)
		}
		if again := c.Do(t.Context(), "cont", nil, nil); again == nil {
			t.Errorf("%s: the connection still serves", name)
		}
	}
}

func TestDoEndsWithItsContext(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	defer here.Close()
	go func() {
		_, _ = io.WriteString(there, greeting)
		lines := bufio.NewReader(there)
		_, _ = lines.ReadString('\n')
		_, _ = io.WriteString(there, ready)
		_, _ = io.Copy(io.Discard, lines) // and no answer
	}()
	c, err := Open(t.Context(), here)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped by the user")
	cancel(stopped)
	if err := c.Do(ctx, "stop", nil, nil); !errors.Is(err, stopped) {
		t.Errorf("Do returned %v, want the cause of the cancellation", err)
	}
}

func TestPassFileNeedsASocket(t *testing.T) {
	conn, _ := monitor(t, greeting, ready)
	c, err := Open(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.PassFile(t.Context(), "devices", os.Stdin); err == nil || !strings.Contains(err.Error(), "passes no files") {
		t.Errorf("PassFile over a pipe: %v", err)
	}
}
