package nvlist

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
)

// Encode packs a list as libnvpair does. To give a list to the kernel, use
// the header of [Host]. An error names the pair whose value does not fit its
// type.
func Encode(l List, h Header) ([]byte, error) {
	packed, err := encode(l, h)
	if err != nil {
		return nil, fmt.Errorf("encoding nvlist: %w", err)
	}
	return packed, nil
}

func encode(l List, h Header) ([]byte, error) {
	switch h.Encoding {
	case Native:
		e := newNativeEncoder(h, len(l.Pairs))
		err := e.list(l)
		return e.b, err
	case XDR:
		e := &xdrEncoder{b: h.append(nil)}
		err := e.list(l, 0)
		e.zero(e.surplus)
		return e.b, err
	}
	return nil, fmt.Errorf("encoding %d: want 0 (native) or 1 (XDR)", h.Encoding)
}

var errDepth = fmt.Errorf("lists are embedded more than %d deep", MaxDepth)

// elements is the element count of the encoded pair. It is an error when the
// name cannot be packed, or the value does not have the Go type that belongs to
// the pair's type.
func (p Pair) elements() (int, error) {
	if len(p.Name) >= math.MaxInt16 {
		return 0, fmt.Errorf("name of %d bytes: want less than %d", len(p.Name), math.MaxInt16)
	}
	if err := checkString(p.Name); err != nil {
		return 0, fmt.Errorf("name: %w", err)
	}
	if !p.Type.valid() {
		return 0, fmt.Errorf("unknown %v", p.Type)
	}
	if got, want := reflect.TypeOf(p.Value), reflect.TypeOf(layouts[p.Type].zero); got != want {
		return 0, fmt.Errorf("value of a %v is of Go type %v: want %v", p.Type, got, want)
	}
	switch {
	case p.Type == Boolean:
		return 0, nil
	case p.Type.isArray():
		n := reflect.ValueOf(p.Value).Len()
		if int64(n) > math.MaxInt32 {
			return 0, fmt.Errorf("%v of %d elements: want at most %d", p.Type, n, math.MaxInt32)
		}
		return n, nil
	}
	return 1, nil
}

var errNUL = errors.New("string has a NUL within")

func checkString(s string) error {
	if strings.IndexByte(s, 0) >= 0 {
		return errNUL
	}
	return nil
}

// boolean is a boolean_t.
func boolean(v bool) uint32 {
	if v {
		return 1
	}
	return 0
}
