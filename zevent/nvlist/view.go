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
	var w watch
	return parse(packed, &w)
}

func parse(packed []byte, w *watch) (View, error) {
	h, err := ParseHeader(packed)
	if err != nil {
		return View{}, err
	}
	s := stream{bytes: packed, header: h, bigEndian: h.BigEndian || h.Encoding == XDR}
	l, err := s.list(headerBytes, headerBytes+versionBytes)
	if err != nil {
		return View{}, err
	}
	if _, err := s.watchPairs(l.pairs, 0, true, w); err != nil {
		return View{}, err
	}
	return View{stream: s, list: l}, nil
}

// A Want is a pair to be looked up.
type Want struct {
	Name string
	Type Type
}

// ParseLookup does what Parse does, and looks pairs up as [View.Lookup] does, in hardly more time than Parse alone. In found, which has a place
// for each of wants, a pair that is not there is zero.
func ParseLookup(packed []byte, wants []Want, found []PairView) (View, error) {
	var w watch
	for i, want := range wants {
		w.lengths.add(len(want.Name))
		found[i] = PairView{}
	}
	v, err := parse(packed, &w)
	if err != nil {
		return v, err
	}
	if v.stream.header.Encoding != Native || w.n > len(w.at) {
		for i, want := range wants {
			found[i], _ = v.Lookup(want.Name, want.Type)
		}
		return v, nil
	}
	p := PairView{stream: v.stream}
	for _, off := range w.at[:w.n] {
		p.stream.nextNative(&p.pair, off)
		for i, want := range wants {
			if string(p.Name()) == want.Name {
				v.take(&found[i], &p, want.Type)
			}
		}
	}
	return v, nil
}

// take makes a pair the one found if it has the type; one of another type is the end of what was found where names are unique.
func (v *View) take(found, p *PairView, t Type) {
	switch {
	case p.typ == t:
		*found = *p
	case v.flags&UniqueName != 0:
		*found = PairView{}
	}
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

// named iterates, as Pairs does, over the pairs of that name. Where most have another, it takes a fraction of the time.
func (v View) named(name string) iter.Seq[*PairView] {
	return func(yield func(*PairView) bool) {
		var lengths nameLengths
		lengths.add(len(name))
		p := PairView{stream: v.stream}
		for off, ok := p.stream.nextOf(&p.pair, v.pairs, lengths); ok; off, ok = p.stream.nextOf(&p.pair, off, lengths) {
			if string(p.Name()) == name && !yield(&p) {
				return
			}
		}
	}
}

// Lookup finds the pair of that name and type that nvlist_lookup does: where
// names are unique, the last of that name if it has that type; else the last
// of that name and type.
func (v View) Lookup(name string, t Type) (PairView, bool) {
	var found PairView
	for p := range v.named(name) {
		v.take(&found, p, t)
	}
	return found, found.typ != 0
}
