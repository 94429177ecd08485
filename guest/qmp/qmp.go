// Package qmp talks to a running QEMU in its machine protocol: one JSON object a line, a greeting
// first, an answer for each command, and events in between, which are passed over (docs/interop/qmp-spec.rst of QEMU).
package qmp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxLineBytes = 1 << 20          // of what QEMU says; answers to what is asked here have some hundred bytes
	maxPassed    = 1000             // events before an answer
	patience     = 30 * time.Second // for an answer: commands only start what takes long
)

// Client is a connection to a QEMU. It is for one goroutine.
type Client struct {
	conn   net.Conn
	lines  *bufio.Scanner
	last   int // id of the last command
	broken error
}

// Error is a command that QEMU refused.
type Error struct {
	Command     string
	Class       string // "GenericError", or one that programs tell apart
	Description string // for a person
}

func (e *Error) Error() string { return fmt.Sprintf("QEMU refused %s: %s", e.Command, e.Description) }

// Open waits for QEMU's greeting and leaves the mode in which only capabilities are negotiated. The connection is the
// client's from then on, also after an error.
func Open(ctx context.Context, conn net.Conn) (*Client, error) {
	c := &Client{conn: conn, lines: bufio.NewScanner(conn)}
	c.lines.Buffer(nil, maxLineBytes)
	var greeting struct {
		QMP *json.RawMessage
	}
	err := c.within(ctx, func() error {
		line, err := c.read()
		if err != nil {
			return err
		}
		if err := json.Unmarshal(line, &greeting); err != nil || greeting.QMP == nil {
			return fmt.Errorf("it greeted with %.200q", line)
		}
		return nil
	})
	if err == nil {
		err = c.Do(ctx, "qmp_capabilities", nil, nil)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connecting to QEMU's monitor: %w", err), conn.Close())
	}
	return c, nil
}

// Close ends the connection; QEMU goes on.
func (c *Client) Close() error { return c.conn.Close() }

// Do has QEMU execute a command, and decodes what it returns into result. Both arguments and result may be nil. After an error that is
// not an *[Error], all further commands fail.
func (c *Client) Do(ctx context.Context, command string, arguments, result any) error {
	return c.do(ctx, command, arguments, result, func(request []byte) error {
		_, err := c.conn.Write(request)
		return err
	})
}

// PassFile gives QEMU a descriptor of its own for the file, which other commands call fd:NAME. The connection must be a Unix socket.
func (c *Client) PassFile(ctx context.Context, name string, f *os.File) error {
	return c.do(ctx, "getfd", map[string]string{"fdname": name}, nil, func(request []byte) error {
		socket, ok := c.conn.(*net.UnixConn)
		if !ok {
			return fmt.Errorf("a connection of %T passes no files", c.conn)
		}
		_, _, err := socket.WriteMsgUnix(request, unix.UnixRights(int(f.Fd())), nil)
		return err
	})
}

func (c *Client) do(ctx context.Context, command string, arguments, result any, write func(request []byte) error) error {
	if c.broken != nil {
		return fmt.Errorf("asking QEMU for %s: %w", command, c.broken)
	}
	c.last++
	request, err := json.Marshal(struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
		ID        int    `json:"id"`
	}{command, arguments, c.last})
	if err != nil {
		return fmt.Errorf("asking QEMU for %s: %w", command, err)
	}
	var a answer
	c.broken = c.within(ctx, func() error {
		if err := write(append(request, '\n')); err != nil {
			return err
		}
		var err error
		a, err = c.answer()
		return err
	})
	if c.broken != nil {
		return fmt.Errorf("asking QEMU for %s: %w", command, c.broken)
	}
	if a.Error != nil {
		return &Error{command, a.Error.Class, a.Error.Desc}
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(a.Return, result); err != nil {
		return fmt.Errorf("reading QEMU's answer to %s: %w", command, err)
	}
	return nil
}

type answer struct {
	ID     *int
	Return json.RawMessage
	Error  *struct{ Class, Desc string }
}

// answer reads up to the answer to the last command.
func (c *Client) answer() (answer, error) {
	for range maxPassed {
		line, err := c.read()
		if err != nil {
			return answer{}, err
		}
		var a answer
		if err := json.Unmarshal(line, &a); err != nil {
			return answer{}, fmt.Errorf("it said %.200q: %w", line, err)
		}
		if a.Return == nil && a.Error == nil {
			continue // an event
		}
		if a.ID == nil || *a.ID != c.last {
			return answer{}, fmt.Errorf("it answered another command: %.200q", line)
		}
		return a, nil
	}
	return answer{}, fmt.Errorf("%d events, and no answer", maxPassed)
}

func (c *Client) read() ([]byte, error) {
	if c.lines.Scan() {
		return c.lines.Bytes(), nil
	}
	if err := c.lines.Err(); err != nil {
		return nil, err
	}
	return nil, io.ErrUnexpectedEOF
}

// within runs an exchange that ends with ctx, and when patience does.
func (c *Client) within(ctx context.Context, exchange func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	err := exchange()
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
