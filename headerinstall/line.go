package headerinstall

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/kmodaudit/kmodaudit/ascii"
)

// A manifest is written with a line a file, which makes it easy to compare, and to read: on 30,000
// headers the general reader of JSON takes as long as looking at every one of them does.

// The parts of a manifest around its files.
const (
	manifestHead = "{\n  \"format\": \"" + Format + "\",\n  \"strip\": "
	manifestList = ",\n  \"files\": ["
	manifestTail = "\n  ]\n}\n"
	lineIndent   = "    "
)

// Encode returns the manifest as JSON, with a line a file.
func (m Manifest) Encode() []byte {
	var out bytes.Buffer
	w := newManifestWriter(&out, m.Strip)
	for i := range m.Files {
		_ = w.file("", "", &m.Files[i]) // a bytes.Buffer takes everything
	}
	_ = w.end()
	return out.Bytes()
}

// manifestWriter writes what Encode returns, piece by piece.
type manifestWriter struct {
	to     io.Writer
	out    []byte
	before string // what stands before the next line
}

// pieceBytes is about how much a manifestWriter collects before it writes.
const pieceBytes = 16 << 10

func newManifestWriter(w io.Writer, strip int) *manifestWriter {
	out := strconv.AppendInt(append(make([]byte, 0, pieceBytes+pieceBytes/4), manifestHead...), int64(strip), 10)
	return &manifestWriter{to: w, out: append(out, manifestList...), before: "\n"}
}

// file writes a file, whose names go on what stands before them.
func (w *manifestWriter) file(to, from string, f *File) error {
	w.out = f.appendJSON(append(append(w.out, w.before...), lineIndent...), to, from)
	w.before = ",\n"
	if len(w.out) < pieceBytes {
		return nil
	}
	_, err := w.to.Write(w.out)
	w.out = w.out[:0]
	return err
}

func (w *manifestWriter) end() error {
	_, err := w.to.Write(append(w.out, manifestTail...))
	return err
}

func (f *File) appendJSON(out []byte, to, from string) []byte {
	out = appendString(append(out, `{"destination": `...), to, f.Destination)
	out = appendString(append(out, `, "source": `...), from, f.Source)
	for i, source := range f.Also {
		out = append(out, [...]string{`, "also": [`, `, `}[min(i, 1)]...)
		out = appendString(out, "", source)
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

// appendString appends a+b as a string of JSON.
func appendString(out []byte, a, b string) []byte {
	if ascii.IsQuotableString(a) && ascii.IsQuotableString(b) {
		return append(append(append(append(out, '"'), a...), b...), '"')
	}
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(a + b) // a string always has an encoding
	return append(out, bytes.TrimSuffix(encoded.Bytes(), []byte("\n"))...)
}

// errNotEncoded is a manifest that is not as Encode writes it, though the same may be in it.
var errNotEncoded = errors.New("not as Encode writes it")

// parseLines reads what Encode writes, and says of anything else that it is not that.
func parseLines(data []byte) (m Manifest, ok bool) {
	lines := manifestLines{buf: data} // no one writes to data any more
	strip, err := lines.head()
	m = Manifest{Format: Format, Strip: strip, Files: make([]File, 0, bytes.Count(data, []byte("\n"+lineIndent)))}
	for err == nil {
		var f File
		if f, err = lines.next(); err == nil {
			m.Files = append(m.Files, f)
		}
	}
	return m, err == io.EOF
}

// manifestLines reads what Encode writes, line by line.
type manifestLines struct {
	buf  []byte                        // what has been read, and not been taken yet from at on
	at   int                           // in buf
	read func(buf []byte) (int, error) // reads on, as io.Reader does but for an error at the end; nil if buf has all
	want wanted                        // what may come after the line that was taken last
}

// wanted is what may come in a manifest.
type wanted int

const (
	fileOrTail wanted = iota
	onlyFile
	onlyTail
)

// line takes a line, with its end. It is there until the next one is taken.
func (l *manifestLines) line() (string, error) {
	for from := l.at; ; {
		if n := bytes.IndexByte(l.buf[from:], '\n'); n >= 0 {
			text := l.buf[l.at : from+n+1]
			l.at = from + n + 1
			return asString(text), nil
		}
		if l.read == nil {
			return "", errNotEncoded
		}
		n := copy(l.buf, l.buf[l.at:])
		l.buf, l.at, from = l.buf[:n], 0, n
		if err := l.fill(); err != nil {
			return "", err
		}
	}
}

// asString returns what b holds, without a copy: it is good for as long as b is left as it is.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// fill reads more; that there is none is an error.
func (l *manifestLines) fill() error {
	if len(l.buf) == cap(l.buf) {
		l.buf = slices.Grow(l.buf, max(64<<10, len(l.buf)))
	}
	n, err := l.read(l.buf[len(l.buf):cap(l.buf)])
	if err == nil && n == 0 {
		err = errNotEncoded
	}
	l.buf = l.buf[:len(l.buf)+max(n, 0)]
	return err
}

// head takes what stands before the files.
func (l *manifestLines) head() (strip int, err error) {
	var text strings.Builder
	for range strings.Count(manifestHead+manifestList, "\n") + 1 {
		line, err := l.line()
		if err != nil {
			return 0, err
		}
		text.WriteString(line)
	}
	in := lineReader{rest: text.String(), ok: true}
	in.expect(manifestHead)
	strip = int(in.integer())
	in.expect(manifestList + "\n")
	return strip, in.end()
}

// next takes a file, whose strings are there until the next one is taken. The end is io.EOF.
func (l *manifestLines) next() (f File, err error) {
	text, err := l.line()
	if err != nil {
		return f, err
	}
	in := lineReader{rest: text, ok: true}
	if l.want == onlyTail || !in.skip(lineIndent) {
		return f, l.tail(text)
	}
	f = in.file()
	l.want = onlyTail
	if in.skip(",") {
		l.want = onlyFile
	}
	in.expect("\n")
	return f, in.end()
}

// tail takes the rest of a manifest, which begins with a line that has been taken. That all is right is io.EOF.
func (l *manifestLines) tail(text string) error {
	first, rest, _ := strings.Cut(manifestTail[1:], "\n")
	if l.want == onlyFile || text != first+"\n" {
		return errNotEncoded
	}
	text, err := l.line()
	if err != nil {
		return err
	}
	if text != rest || l.at < len(l.buf) {
		return errNotEncoded
	}
	if l.read != nil {
		if n, err := l.read(make([]byte, 1)); n > 0 || err != nil {
			return cmp.Or(err, errNotEncoded)
		}
	}
	return io.EOF
}

// lineReader takes a manifest's text apart. Once something is not as Encode writes it, ok is false for good.
type lineReader struct {
	rest string
	ok   bool
}

func (in *lineReader) file() (f File) {
	in.expect(`{"destination": "`)
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

// end is the error of a text that has not been taken wholly.
func (in *lineReader) end() error {
	if !in.ok || in.rest != "" {
		return errNotEncoded
	}
	return nil
}

func (in *lineReader) skip(text string) bool {
	rest, ok := strings.CutPrefix(in.rest, text)
	in.rest = rest
	return ok
}

func (in *lineReader) expect(text string) { in.ok = in.skip(text) && in.ok }

// text takes a string that is its own encoding, after its opening quote.
func (in *lineReader) text() string {
	s, rest, closed := strings.Cut(in.rest, `"`)
	if !closed || !ascii.IsQuotableString(s) {
		in.ok = false
		return ""
	}
	in.rest = rest
	return s
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
