package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/pelletier/go-toml/v2"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
)

// ConfigName is the file that an audit reads unless told otherwise.
const ConfigName = "kmodaudit.toml"

// Config is a kmodaudit.toml. Paths in it are relative to the directory of the file.
type Config struct {
	Out     string        `toml:"out"` // directory that receives the results, default "out"
	Headers HeadersConfig `toml:"headers"`
	Stack   StackConfig   `toml:"stack"`
	Events  EventsConfig  `toml:"events"`
	Bundled Bundled       `toml:"bundled"`

	file string // that it was read from
	dir  string // of the file
}

// EventsConfig says what the emulator plays when no device is given.
type EventsConfig struct {
	Recording string `toml:"recording"` // .zevents file; empty for none
}

// Bundled is recorded data that is audited when there is no module here. Without
// it, an audit that finds no module cannot be done.
type Bundled struct {
	Dir     string `toml:"dir"`     // replaces the directory of the file for the header sources
	Build   string `toml:"build"`   // replaces stack.build; relative to Dir
	Events  string `toml:"events"`  // replaces events.recording; relative to Dir
	What    string `toml:"what"`    // what was recorded, for the summary
	Headers string `toml:"headers"` // what the headers are, for the summary
}

// Patterns is one pattern or a list of them.
type Patterns []string

// UnmarshalText takes a single pattern.
func (p *Patterns) UnmarshalText(text []byte) error {
	*p = Patterns{string(text)}
	return nil
}

// ErrNoModule is an audit without anything to audit.
var ErrNoModule = errors.New("there is no module here")

// ReadConfig reads a configuration. Without a file of that name the defaults
// hold, unless required.
func ReadConfig(file string, required bool) (Config, error) {
	c := Config{file: file, dir: filepath.Dir(file)}
	text, err := os.ReadFile(file)
	if err != nil && (required || !errors.Is(err, fs.ErrNotExist)) {
		return c, fmt.Errorf("reading the configuration: %w", err)
	}
	decoder := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return c, fmt.Errorf("reading the configuration: %w", positioned(file, err))
	}
	c.setDefaults()
	c.Stack.locate(file, text)
	return c, c.check(file, text)
}

// positioned says where in the file the decoder stumbled.
func positioned(file string, err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		first := unknown.Errors[0]
		line, column := first.Position()
		return fmt.Errorf("%s:%d:%d: unknown key %s", file, line, column, strings.Join(first.Key(), "."))
	}
	var syntax *toml.DecodeError
	if errors.As(err, &syntax) {
		line, column := syntax.Position()
		return fmt.Errorf("%s:%d:%d: %w", file, line, column, err)
	}
	return fmt.Errorf("%s: %w", file, err)
}

func (c *Config) setDefaults() {
	if c.Out == "" {
		c.Out = "out"
	}
	c.Headers.setDefaults()
	c.Stack.setDefaults()
}

func (c *Config) check(file string, text []byte) error {
	if c.Stack.FrameLimitBytes < 0 {
		return fmt.Errorf("reading the configuration: %s: stack.frame_limit_bytes is %d; give a number of bytes above 0", file, c.Stack.FrameLimitBytes)
	}
	if p := callgraph.Policy(c.Stack.Indirect); p != "" && !slices.Contains(callgraph.Policies, p) {
		return fmt.Errorf("reading the configuration: %s: stack.indirect is %q; want one of %v", file, p, callgraph.Policies)
	}
	if c.Stack.ExternalBytes < 0 {
		return fmt.Errorf("reading the configuration: %s: stack.external_bytes is %d; give a number of bytes above 0", file, c.Stack.ExternalBytes)
	}
	if c.Bundled != (Bundled{}) && (c.Bundled.Dir == "" || c.Bundled.Build == "" || c.Bundled.Events == "" || c.Bundled.What == "") {
		return fmt.Errorf("reading the configuration: %s: bundled needs dir, build, events and what", file)
	}
	if err := c.Headers.check(file, text); err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	return nil
}

// Path returns a path of the file as one for this process.
func (c Config) Path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}

// OutPath returns the path of a result.
func (c Config) OutPath(name string) string { return filepath.Join(c.Path(c.Out), name) }

// hasModule says whether the top of one of the header sources is there: "zfs" of
// "./zfs/include". A module whose headers are missing is a module all the same.
func (c Config) hasModule() bool {
	for _, pattern := range c.Headers.Source {
		if c.topExists(pattern) {
			return true
		}
	}
	return false
}

func (c Config) topExists(pattern string) bool {
	if filepath.IsAbs(pattern) {
		_, err := os.Stat(pattern)
		return err == nil
	}
	top := ""
	for component := range strings.SplitSeq(filepath.ToSlash(pattern), "/") {
		top = filepath.Join(top, component)
		if component != "." && component != ".." && component != "" {
			break
		}
	}
	if !strings.ContainsAny(top, `*?[{\`) {
		_, err := os.Stat(c.Path(top))
		return err == nil
	}
	// With a glob at the top, the whole pattern has to lead somewhere.
	matches, err := doublestar.Glob(os.DirFS(c.Path(".")), strings.TrimPrefix(pattern, "./"))
	return err == nil && len(matches) > 0
}
