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

// Load makes p the pair of the list that has that [PairView.Offset], in a time that depends on its embedded lists only.
func (v View) Load(p *PairView, offset int) {
	p.stream = v.stream
	p.stream.next(&p.pair, offset)
}

// Named iterates, as Pairs does, over the pairs that have one of some names, each with the index of its
// name. Where most pairs have none of them, it takes a fraction of the time.
func (v View) Named(names ...string) iter.Seq2[int, *PairView] {
	return func(yield func(int, *PairView) bool) {
		var lengths nameLengths
		for _, name := range names {
			lengths.add(len(name))
		}
		p := PairView{stream: v.stream}
		for off, ok := p.stream.nextOf(&p.pair, v.pairs, lengths); ok; off, ok = p.stream.nextOf(&p.pair, off, lengths) {
			for i, name := range names {
				if string(p.stream.name(&p.pair)) != name {
					continue
				}
				if !yield(i, &p) {
					return
				}
				break
			}
		}
	}
}

// Lookup finds the pair of that name and type that nvlist_lookup does: where
// names are unique, the last of that name if it has that type; else the last
// of that name and type.
func (v View) Lookup(name string, t Type) (PairView, bool) {
	found := PairView{stream: v.stream}
	for _, p := range v.Named(name) {
		switch {
		case p.typ == t:
			found.pair = p.pair
		case v.flags&UniqueName != 0:
			found.pair = pair{}
		}
	}
	return found, found.typ != 0
}
