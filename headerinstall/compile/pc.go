package compile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	maxPCBytes    = 1 << 20
	maxModules    = 1000
	maxValueBytes = 64 << 10 // of one value with its variables replaced: they can double with each line
)

// A PC is what a .pc file says to those who compile against a library.
type PC struct {
	// Cflags are its flags, as arguments: those of the file alone if ReadPC has read it, those of the modules that it requires too, each
	// module once, if OpenPC has.
	Cflags []string

	// Requires are the modules of Requires and Requires.private, without their versions, whose flags are not among Cflags.
	// pkg-config prints those too, so that a caller has to find them, or to say that it does not.
	Requires []string
}

// PCPath is where OpenPC finds .pc files of modules that another requires.
type PCPath struct {
	Sysroot string   // of the file that is opened, and of those beside it, for Under; empty for none
	Dirs    []string // searched for what does not lie beside it, in this order, as pkg-config searches PKG_CONFIG_PATH
}

// OpenPC reads a .pc file and those of the modules that it requires, directly or not: they lie beside it, as those of one library
// do, or in a directory of the path. Modules that lie in none are left in Requires, sorted.
func OpenPC(name string, path PCPath) (PC, error) {
	pc, err := openPC(name)
	if err != nil {
		return PC{}, err
	}
	all := PC{Cflags: pc.Under(path.Sysroot)}
	beside := filepath.Dir(name)
	seen := map[string]bool{strings.TrimSuffix(filepath.Base(name), ".pc"): true}
	for modules := pc.Requires; len(modules) > 0; modules = modules[1:] {
		module := modules[0]
		if seen[module] {
			continue
		}
		if seen[module] = true; len(seen) > maxModules {
			return PC{}, fmt.Errorf("%s: more than %d modules are required", name, maxModules)
		}
		pc, dir, err := findPC(module, beside, path.Dirs)
		if errors.Is(err, fs.ErrNotExist) {
			all.Requires = append(all.Requires, module)
			continue
		}
		if err != nil {
			return PC{}, err
		}
		if dir == beside {
			pc.Cflags = pc.Under(path.Sysroot)
		}
		all.Cflags = append(all.Cflags, pc.Cflags...)
		modules = append(modules, pc.Requires...)
	}
	slices.Sort(all.Requires)
	return all, nil
}

// findPC reads a module's file in the first of some directories that has it.
func findPC(module, beside string, dirs []string) (pc PC, dir string, err error) {
	for _, dir = range append([]string{beside}, dirs...) {
		pc, err = openPC(filepath.Join(dir, module+".pc"))
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return pc, dir, err
}

func openPC(name string) (PC, error) {
	file, err := os.Open(name)
	if err != nil {
		return PC{}, err
	}
	defer file.Close()
	return ReadPC(file, name)
}

// Under returns the flags with a directory before every absolute path of -I, -isystem, -idirafter and -iquote, as pkg-config does for
// PKG_CONFIG_SYSROOT_DIR: those of an installation that was staged there. An empty one changes nothing.
func (p PC) Under(sysroot string) []string {
	if sysroot == "" {
		return p.Cflags
	}
	flags := make([]string, len(p.Cflags))
	for i, flag := range p.Cflags {
		flags[i] = flag
		for _, option := range []string{"-I", "-isystem", "-idirafter", "-iquote"} {
			dir, ok := strings.CutPrefix(flag, option)
			if i > 0 && p.Cflags[i-1] == option {
				option, dir, ok = "", flag, true
			}
			if ok && filepath.IsAbs(dir) {
				flags[i] = option + filepath.Join(sysroot, dir)
				break
			}
		}
	}
	return flags
}

// ReadPC reads a .pc file; see pc(5). Known are variables and ${their use}, where they are defined before; $$; pcfiledir, which is
// the directory of name; comments; lines that a backslash continues; and the quotes and backslashes of a shell in Cflags. Other
// fields than Cflags, CFlags and the two Requires are passed over. The error is of the form "name:line: what".
func ReadPC(r io.Reader, name string) (PC, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPCBytes+1))
	if err != nil {
		return PC{}, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxPCBytes {
		return PC{}, fmt.Errorf("%s: larger than 1 MiB, this is no .pc file", name)
	}
	p := pcReader{variables: map[string]string{"pcfiledir": filepath.Dir(name)}}
	text, first := "", 0
	for i, line := range strings.Split(string(data), "\n") {
		if text == "" {
			first = i + 1
		}
		line = strings.TrimSuffix(line, "\r")
		if head, ok := strings.CutSuffix(line, `\`); ok {
			text += head
			continue
		}
		if err := p.line(text + line); err != nil {
			return PC{}, fmt.Errorf("%s:%d: %w", name, first, err)
		}
		text = ""
	}
	if err := p.line(text); err != nil {
		return PC{}, fmt.Errorf("%s:%d: %w", name, first, err)
	}
	return p.pc, nil
}

type pcReader struct {
	variables map[string]string
	pc        PC
}

func (p *pcReader) line(text string) error {
	text, _, _ = strings.Cut(text, "#")
	text = strings.TrimSpace(text)
	i := strings.IndexAny(text, ":=")
	if i < 0 {
		if text == "" {
			return nil
		}
		return fmt.Errorf("want \"variable=value\" or \"Field: value\", got %.60q; correct or remove the line", text)
	}
	key, value := strings.TrimSpace(text[:i]), strings.TrimSpace(text[i+1:])
	isVariable := text[i] == '='
	isFlags := key == "Cflags" || key == "CFlags"
	if !isVariable && !isFlags && !strings.HasPrefix(key, "Requires") {
		return nil
	}
	value, err := p.expand(value)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	switch {
	case isVariable:
		p.variables[key] = value
	case isFlags:
		flags, err := splitWords(value)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		p.pc.Cflags = append(p.pc.Cflags, flags...)
	default:
		p.pc.Requires = append(p.pc.Requires, modules(value)...)
	}
	return nil
}

// expand replaces ${variable}, and $$ by a dollar.
func (p *pcReader) expand(value string) (string, error) {
	var out strings.Builder
	for value != "" {
		before, rest, found := strings.Cut(value, "$")
		out.WriteString(before)
		value = rest
		switch name, after, closed := strings.Cut(strings.TrimPrefix(rest, "{"), "}"); {
		case !found:
		case strings.HasPrefix(rest, "$"):
			out.WriteByte('$')
			value = rest[1:]
		case !strings.HasPrefix(rest, "{"):
			out.WriteByte('$')
		case !closed:
			return "", fmt.Errorf("${%.60s is not closed; add the }", name)
		default:
			replacement, ok := p.variables[name]
			if !ok {
				return "", fmt.Errorf("variable %.60q is not defined before; define it above", name)
			}
			out.WriteString(replacement)
			value = after
		}
		if out.Len() > maxValueBytes {
			return "", fmt.Errorf("the value is longer than %d KiB with its variables replaced", maxValueBytes>>10)
		}
	}
	return out.String(), nil
}

// modules returns the names of a list such as "libzfs_core >= 2.1, libcrypto".
func modules(list string) (names []string) {
	words := strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
	for i := 0; i < len(words); i++ {
		if strings.Trim(words[i], "<>=!") == "" {
			i++ // the version
			continue
		}
		names = append(names, words[i])
	}
	return names
}

// splitWords splits a value into arguments as a shell would, without expanding anything.
func splitWords(value string) (words []string, err error) {
	var word strings.Builder
	var quote byte
	inWord := false
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '\\' && quote != '\'':
			if i++; i == len(value) {
				return nil, errors.New("ends in a backslash; remove it")
			}
			if quote == '"' && !strings.ContainsRune("\"\\$`", rune(value[i])) {
				word.WriteByte('\\')
			}
			word.WriteByte(value[i])
			inWord = true
		case c == quote && quote != 0:
			quote = 0
		case quote != 0:
			word.WriteByte(c)
		case c == '"' || c == '\'':
			quote, inWord = c, true
		case c == ' ' || c == '\t':
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("the quote %c is not closed; close it", quote)
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
