package closure

import "bytes"

// A search keeps the offset of what was found last, so that a file is searched once for each thing that is looked for.
type search struct{ at int } // -1 before the first

// byteFrom returns the offset of the first c at or after i, or the length of source. It must be asked for the same c and growing i.
func (s *search) byteFrom(source []byte, i int, c byte) int {
	if s.at < i {
		s.at = len(source)
		if n := bytes.IndexByte(source[min(i, len(source)):], c); n >= 0 {
			s.at = i + n
		}
	}
	return s.at
}

// textFrom is byteFrom for more than one byte.
func (s *search) textFrom(source []byte, i int, text []byte) int {
	if s.at < i {
		s.at = len(source)
		if n := bytes.Index(source[min(i, len(source)):], text); n >= 0 {
			s.at = i + n
		}
	}
	return s.at
}

// rawFrom returns the offset of the first quote at or after i that may begin a raw string, or the length of source.
func (s *search) rawFrom(source []byte, i int) int {
	for s.at < i || s.at < len(source) && !isRawPrefix(source[:s.at]) {
		i = max(i, s.at+1)
		s.byteFrom(source, i, '"')
	}
	return s.at
}
