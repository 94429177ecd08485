package headerinstall

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// childEnv names the variable that makes a process of this test an installer: its Config, as JSON.
const childEnv = "HEADERINSTALL_CHILD"

// childBegins is the line that such a process writes before it does anything.
const childBegins = "begins"

func TestMain(m *testing.M) {
	config := os.Getenv(childEnv)
	if config == "" {
		os.Exit(m.Run())
	}
	var c Config
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		panic(err)
	}
	fmt.Println(childBegins)
	if _, err := Update(context.Background(), c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// childInstaller returns a process that will carry out c.
func childInstaller(tb testing.TB, c Config) *exec.Cmd {
	tb.Helper()
	config, err := json.Marshal(c)
	if err != nil {
		tb.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+string(config))
	return cmd
}

// asNobody makes a process one of a user that owns nothing.
func asNobody(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}

func mustUpdate(tb testing.TB, c Config) Plan {
	tb.Helper()
	p, err := Update(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

var errOperator = errors.New("operator went home")

func newCancel(t *testing.T) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(t.Context())
	t.Cleanup(func() { cancel(nil) })
	return ctx, cancel
}

// copyOf copies a program to where another user may run it.
func copyOf(t *testing.T, program, name string) string {
	t.Helper()
	data, err := os.ReadFile(program)
	if err == nil {
		err = os.WriteFile(name, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}
