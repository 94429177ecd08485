package zevent

import (
	"cmp"
	"slices"
)

// nameSequence is the names of the pairs of a list, one behind the other: a node of a tree that has those that were seen. The
// events of a class have the same names, so that these are sorted and escaped once.
type nameSequence struct {
	name     string        // the last
	before   *nameSequence // nil of no names
	length   int
	likely   *nameSequence            // followed this one last
	next     map[string]*nameSequence // nil as long as likely is the only one
	fields   []jsonField              // of sorted
	isSorted bool
	total    *int // about the bytes of the whole tree
}

// jsonField is a name as JSON has it, with its quotes and colon, and which pair of the list has its value.
type jsonField struct {
	label []byte
	pair  int
}

// maxSequencesBytes is far above what a module's events take. A tree that takes so much grows no further.
const (
	maxSequencesBytes = 1 << 20
	sequenceBytes     = 256 // with its field, besides the name in both
)

func newNameSequence() *nameSequence { return &nameSequence{total: new(int)} }

func (s *nameSequence) isFull() bool { return *s.total >= maxSequencesBytes }

// followedBy is the names with one more.
func (s *nameSequence) followedBy(name []byte) *nameSequence {
	if s.likely != nil && s.likely.name == string(name) {
		return s.likely
	}
	next := s.next[string(name)]
	if next == nil {
		next = &nameSequence{name: string(name), before: s, length: s.length + 1, total: s.total}
		if s.isFull() {
			return next
		}
		*s.total += sequenceBytes + 2*len(name)
		if s.likely != nil {
			if s.next == nil {
				s.next = map[string]*nameSequence{s.likely.name: s.likely}
			}
			s.next[next.name] = next
		}
	}
	s.likely = next
	return next
}

// sorted has each name once, in order; of a name that is repeated, the last pair.
func (s *nameSequence) sorted() []jsonField {
	if s.isSorted {
		return s.fields
	}
	all := make([]*nameSequence, s.length)
	for at := s; at.before != nil; at = at.before {
		all[at.length-1] = at
	}
	slices.SortFunc(all, func(a, b *nameSequence) int {
		return cmp.Or(cmp.Compare(a.name, b.name), b.length-a.length)
	})
	all = slices.CompactFunc(all, func(a, b *nameSequence) bool { return a.name == b.name })
	for _, at := range all {
		s.fields = append(s.fields, jsonField{append(appendJSONString(nil, []byte(at.name)), ':'), at.length - 1})
	}
	s.isSorted = true
	return s.fields
}
