package headerinstall

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Timestamp is a time in nanoseconds since 1970, zero for none; as text it is seconds with nine decimals.
type Timestamp int64

const nanosPerSecond = 1_000_000_000

func newTimestamp(t unix.Timespec) Timestamp { return Timestamp(t.Nano()) }

// MarshalText returns the seconds.
func (t Timestamp) MarshalText() ([]byte, error) { return t.appendText(nil), nil }

func (t Timestamp) appendText(out []byte) []byte {
	n := uint64(t)
	if t < 0 {
		out, n = append(out, '-'), -n
	}
	return fmt.Appendf(out, "%d.%09d", n/nanosPerSecond, n%nanosPerSecond)
}

// UnmarshalText reads the seconds.
func (t *Timestamp) UnmarshalText(text []byte) error {
	seconds, decimals, ok := strings.Cut(string(text), ".")
	n, err := strconv.ParseInt(seconds+decimals, 10, 64)
	if !ok || len(decimals) != 9 || strings.ContainsAny(decimals, "+-") || err != nil {
		return fmt.Errorf("time %q is not seconds with nine decimals", text)
	}
	*t = Timestamp(n)
	return nil
}
