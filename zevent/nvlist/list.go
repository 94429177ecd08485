package nvlist

import "slices"

// Flags of a list: nvl_nvflag of include/sys/nvpair.h.
const (
	UniqueName     uint32 = 1 // NV_UNIQUE_NAME: what events and ioctl arguments use
	UniqueNameType uint32 = 2 // NV_UNIQUE_NAME_TYPE
)

// List is one name-value list. The order of Pairs and repeated names are kept
// whatever Flags says.
type List struct {
	Flags uint32 // UniqueName, UniqueNameType or 0
	Pairs []Pair
}

// Pair is one name with its value. Type decides which Go type Value holds;
// see the constants of [Type].
type Pair struct {
	Name  string
	Type  Type
	Value any
}

// New returns a list with unique names, the kind that ioctls take.
func New(pairs ...Pair) List { return List{Flags: UniqueName, Pairs: pairs} }

// Lookup returns the last pair of that name, as nvlist_lookup does when a
// name is repeated.
func (l List) Lookup(name string) (Pair, bool) {
	for _, p := range slices.Backward(l.Pairs) {
		if p.Name == name {
			return p, true
		}
	}
	return Pair{}, false
}

// LookupString returns the STRING of that name, as [View.Lookup] finds it.
func (l List) LookupString(name string) (string, bool) { return lookup[string](l, name, String) }

// LookupUint64 returns the UINT64 of that name, as [View.Lookup] finds it.
func (l List) LookupUint64(name string) (uint64, bool) { return lookup[uint64](l, name, Uint64) }

// LookupInt64Array returns the INT64_ARRAY of that name, as [View.Lookup] finds
// it.
func (l List) LookupInt64Array(name string) ([]int64, bool) {
	return lookup[[]int64](l, name, Int64Array)
}

func lookup[T any](l List, name string, t Type) (v T, ok bool) {
	for _, p := range slices.Backward(l.Pairs) {
		if p.Name != name {
			continue
		}
		if p.Type == t {
			v, ok = p.Value.(T)
			return v, ok
		}
		if l.Flags&UniqueName != 0 {
			break
		}
	}
	return v, false
}

// Set returns a list with the pair at its end in place of any of its name:
// what nvlist_add does in a list of unique names. The receiver is left alone.
func (l List) Set(p Pair) List {
	pairs := make([]Pair, 0, len(l.Pairs)+1)
	for _, old := range l.Pairs {
		if old.Name != p.Name {
			pairs = append(pairs, old)
		}
	}
	return List{Flags: l.Flags, Pairs: append(pairs, p)}
}
