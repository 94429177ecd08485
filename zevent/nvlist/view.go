package nvlist

import "iter"

// View is a list within a stream that [Parse] has checked. It reads the stream
// in place, so the stream must not change as long as the View is used. Views
// may be copied, and used by many goroutines. The zero View is an empty list.
type View struct {
	stream stream
	list
}

// Parse checks a stream of either encoding and byte order, all of it, and
// allocates nothing. Bytes after the end of the list are ignored, as
// nvlist_unpack does. Errors are [*DecodeError].
func Parse(packed []byte) (View, error) {
	h, err := ParseHeader(packed)
	if err != nil {
		return View{}, err
	}
	s := stream{bytes: packed, header: h, bigEndian: h.BigEndian || h.Encoding == XDR}
	l, err := s.list(headerBytes, headerBytes+versionBytes)
	if err != nil {
		return View{}, err
	}
	if _, err := s.skipPairs(l.pairs, 0, true); err != nil {
		return View{}, err
	}
	return View{stream: s, list: l}, nil
}

// Header returns the head of the stream.
func (v View) Header() Header { return v.stream.header }

// Flags returns the nvflag: UniqueName, UniqueNameType or 0.
func (v View) Flags() uint32 { return v.flags }

// Pairs iterates over the pairs in their order. To step over an embedded list
// takes time in proportion to its length. All share one PairView, which the next
// step overwrites: one that is to be kept has to be copied.
func (v View) Pairs() iter.Seq[*PairView] {
	return func(yield func(*PairView) bool) {
		p := PairView{stream: v.stream}
		for off, ok := p.stream.next(&p.pair, v.pairs); ok; off, ok = p.stream.next(&p.pair, off) {
			if !yield(&p) {
				return
			}
		}
	}
}

// Lookup finds the pair of that name and type that nvlist_lookup does: where
// names are unique, the last of that name if it has that type; else the last
// of that name and type.
func (v View) Lookup(name string, t Type) (PairView, bool) {
	var found, p pair
	for off := v.pairs; ; {
		if v.stream.header.Encoding == Native {
			off = v.stream.passNative(off, len(name))
		}
		end, ok := v.stream.next(&p, off)
		if !ok {
			return PairView{stream: v.stream, pair: found}, found.typ != 0
		}
		if string(v.stream.name(&p)) == name {
			switch {
			case p.typ == t:
				found = p
			case v.flags&UniqueName != 0:
				found = pair{}
			}
		}
		off = end
	}
}
