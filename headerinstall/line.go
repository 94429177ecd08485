package headerinstall

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"
	"unsafe"
)

// A manifest is written with a line a file, which makes it easy to compare, and to read: on 30,000
// headers the general reader of JSON takes as long as looking at every one of them does.

// The parts of a manifest around its files.
const (
	manifestHead = "{\n  \"format\": \"" + Format + "\",\n  \"strip\": "
	manifestList = ",\n  \"files\": ["
	manifestTail = "\n  ]\n}\n"
	linePrefix   = "\n    "
)

// Encode returns the manifest as JSON, with a line a file.
func (m Manifest) Encode() []byte {
	var out bytes.Buffer
	_ = writeManifest(&out, m.Strip, func(yield func(*File) bool) { // a bytes.Buffer takes everything
		for i := range m.Files {
			if !yield(&m.Files[i]) {
				return
			}
		}
	})
	return out.Bytes()
}

// writeManifest writes what Encode returns, piece by piece.
func writeManifest(w io.Writer, strip int, files iter.Seq[*File]) error {
	const pieceBytes = 64 << 10
	out := strconv.AppendInt([]byte(manifestHead), int64(strip), 10)
	out = append(out, manifestList...)
	before := linePrefix
	for f := range files {
		out = f.appendJSON(append(out, before...))
		before = "," + linePrefix
		if len(out) < pieceBytes {
			continue
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
		out = out[:0]
	}
	_, err := w.Write(append(out, manifestTail...))
	return err
}

func (f *File) appendJSON(out []byte) []byte {
	out = appendString(append(out, `{"destination": `...), f.Destination)
	out = appendString(append(out, `, "source": `...), f.Source)
	for i, source := range f.Also {
		out = append(out, [...]string{`, "also": [`, `, `}[min(i, 1)]...)
		out = appendString(out, source)
	}
	if len(f.Also) > 0 {
		out = append(out, ']')
	}
	out = strconv.AppendInt(append(out, `, "size": `...), f.Size, 10)
	out = append(out, `, "mode": "0`...)
	for shift := 6; shift >= 0; shift -= 3 {
		out = append(out, '0'+byte(f.Mode>>shift&7))
	}
	out = append(out, `", "sha256": "`...)
	out = append(hex.AppendEncode(out, f.SHA256[:]), '"')
	if f.SourceMtime != 0 {
		out = append(f.SourceMtime.appendText(append(out, `, "source_mtime": "`...)), '"')
	}
	if f.Mtime != 0 {
		out = append(f.Mtime.appendText(append(out, `, "mtime": "`...)), '"')
	}
	return append(out, '}')
}

// appendString appends a string of JSON.
func appendString(out []byte, s string) []byte {
	if isPlain(s) {
		return append(append(append(out, '"'), s...), '"')
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // a string always has an encoding
	return append(out, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

// isPlain says whether a string is its own encoding.
func isPlain(s string) bool { return isPrintableASCII(s) && !strings.ContainsAny(s, `"\`) }

// parseLines reads what Encode writes, and says of anything else that it is not that.
func parseLines(data []byte) (m Manifest, ok bool) {
	in := lineReader{rest: unsafe.String(unsafe.SliceData(data), len(data)), ok: true} // no one writes to data any more
	in.expect(manifestHead)
	m = Manifest{Format: Format, Strip: int(in.integer()), Files: make([]File, 0, strings.Count(in.rest, linePrefix))}
	in.expect(manifestList)
	for in.ok && strings.HasPrefix(in.rest, linePrefix) {
		m.Files = append(m.Files, in.file())
		if !in.skip(",") {
			break
		}
	}
	in.expect(manifestTail)
	return m, in.ok && in.rest == "" && !bytes.HasSuffix(data, []byte(",\n  ]\n}\n"))
}

// lineReader takes a manifest's text apart. Once something is not as Encode writes it, ok is false for good.
type lineReader struct {
	rest string
	ok   bool
}

func (in *lineReader) file() (f File) {
	in.expect(linePrefix + `{"destination": "`)
	f.Destination = in.text()
	in.expect(`, "source": "`)
	f.Source = in.text()
	if in.skip(`, "also": ["`) {
		f.Also = append(f.Also, in.text())
		for in.skip(`, "`) {
			f.Also = append(f.Also, in.text())
		}
		in.expect("]")
	}
	in.expect(`, "size": `)
	f.Size = in.integer()
	in.expect(`, "mode": "`)
	if !in.skip(`0644"`) {
		in.check(f.Mode.UnmarshalText([]byte(in.text())))
	} else {
		f.Mode = FileMode
	}
	in.expect(`, "sha256": "`)
	in.digest(&f.SHA256)
	if in.skip(`, "source_mtime": "`) {
		f.SourceMtime = in.timestamp()
	}
	if in.skip(`, "mtime": "`) {
		f.Mtime = in.timestamp()
	}
	in.expect("}")
	return f
}

func (in *lineReader) check(err error) { in.ok = in.ok && err == nil }

func (in *lineReader) skip(text string) bool {
	rest, ok := strings.CutPrefix(in.rest, text)
	in.rest = rest
	return ok
}

func (in *lineReader) expect(text string) { in.ok = in.skip(text) && in.ok }

// text takes a string that is its own encoding, after its opening quote.
func (in *lineReader) text() string {
	for i := range len(in.rest) {
		switch c := in.rest[i]; {
		case c == '"':
			s := in.rest[:i]
			in.rest = in.rest[i+1:]
			return s
		case c < ' ' || c > '~' || c == '\\':
			in.ok = false
			return ""
		}
	}
	in.ok = false
	return ""
}

// digest takes the digits of one, and the closing quote.
func (in *lineReader) digest(d *Digest) {
	digits := hex.EncodedLen(len(d))
	if len(in.rest) <= digits || in.rest[digits] != '"' {
		in.ok = false
		return
	}
	in.check(d.UnmarshalText(unsafe.Slice(unsafe.StringData(in.rest), digits)))
	in.rest = in.rest[digits+1:]
}

// timestamp takes one as Timestamp writes it, and the closing quote.
func (in *lineReader) timestamp() Timestamp {
	seconds := in.integer()
	in.expect(".")
	before := len(in.rest)
	nanos := in.digits()
	in.ok = in.ok && before-len(in.rest) == 9 && 0 <= seconds && seconds < math.MaxInt64/nanosPerSecond
	in.expect(`"`)
	return Timestamp(seconds*nanosPerSecond + nanos)
}

// integer takes a decimal number as strconv writes it. What is too large for it, or negative, is left to the general reader.
func (in *lineReader) integer() int64 {
	zero := strings.HasPrefix(in.rest, "0")
	before := len(in.rest)
	n := in.digits()
	in.ok = in.ok && (!zero || before-len(in.rest) == 1)
	return n
}

// digits takes at least one digit, and no more than fit.
func (in *lineReader) digits() (n int64) {
	const most = 18
	i := 0
	for i < len(in.rest) && i <= most && '0' <= in.rest[i] && in.rest[i] <= '9' {
		n = 10*n + int64(in.rest[i]-'0')
		i++
	}
	in.rest, in.ok = in.rest[i:], in.ok && 0 < i && i <= most
	return n
}
