package nvlist

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// UnmarshalTypeError is a pair whose value does not fit the Go type of its
// field. It goes to the rest.
type UnmarshalTypeError struct {
	Name string
	Type Type
	Go   reflect.Type
}

func (e *UnmarshalTypeError) Error() string {
	return fmt.Sprintf("unmarshaling nvlist: pair %q of type %v does not fit the Go type %v", e.Name, e.Type, e.Go)
}

// Unmarshal fills the struct that v points to from a list. A field takes the
// pair that its tag names, `nvlist:"pool_guid"`:
//
//   - an integer takes any type of integer, and a slice of integers any array
//     of them, whose values it can hold: releases change widths
//   - a bool takes a BOOLEAN_VALUE, or a BOOLEAN as true; a string, []string,
//     []bool or float64 what is named like it
//   - a struct takes a NVLIST, and a slice of structs a NVLIST_ARRAY
//   - a pointer is set if the pair is there
//
// A field tagged `nvlist:",inline"` is a struct, or a pointer to one, whose
// fields take pairs of the same list; the pointer is set if one of them is there.
// A [List] tagged `nvlist:",rest"` takes the pairs that no field took, in their
// order. Of pairs of one name the last is taken. Fields without a tag, and those
// whose pair is not there, are left alone.
//
// The error joins an [*UnmarshalTypeError] for each pair that did not fit; all
// others were filled. Unmarshal panics if v is no pointer to a struct.
func (l List) Unmarshal(v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("nvlist: Unmarshal of a %T: want a pointer to a struct", v))
	}
	return l.fill(target.Elem())
}

func (l List) fill(target reflect.Value) error {
	last := make(map[string]int, len(l.Pairs))
	for i, p := range l.Pairs {
		last[p.Name] = i
	}
	f := &filler{list: l, last: last, taken: make([]bool, len(l.Pairs))}
	f.structure(target)
	if f.rest.IsValid() {
		rest := List{Flags: l.Flags}
		for i, p := range l.Pairs {
			if !f.taken[i] {
				rest.Pairs = append(rest.Pairs, p)
			}
		}
		f.rest.Set(reflect.ValueOf(rest))
	}
	return errors.Join(f.errs...)
}

type filler struct {
	list  List
	last  map[string]int // index of the last pair of each name
	taken []bool         // by index
	rest  reflect.Value  // the field for what is not taken
	errs  []error
}

// structure fills the fields of a struct, and tells whether a pair was there
// for any.
func (f *filler) structure(target reflect.Value) (any bool) {
	for i := range target.NumField() {
		name, option, _ := strings.Cut(target.Type().Field(i).Tag.Get("nvlist"), ",")
		switch field := target.Field(i); {
		case option == "rest":
			f.rest = field
		case option == "inline":
			any = f.inline(field) || any
		case name != "":
			any = f.field(field, name) || any
		}
	}
	return any
}

func (f *filler) inline(field reflect.Value) bool {
	if field.Kind() != reflect.Pointer {
		return f.structure(field)
	}
	group := reflect.New(field.Type().Elem())
	if !f.structure(group.Elem()) {
		return false
	}
	field.Set(group)
	return true
}

func (f *filler) field(field reflect.Value, name string) bool {
	at, ok := f.last[name]
	if !ok {
		return false
	}
	p := f.list.Pairs[at]
	err := assign(field, p)
	if errors.Is(err, errMisfit) {
		f.errs = append(f.errs, &UnmarshalTypeError{p.Name, p.Type, field.Type()})
		return false
	}
	if err != nil { // of an embedded list, which keeps its own rest
		f.errs = append(f.errs, err)
	}
	f.taken[at] = true
	return true
}

var errMisfit = errors.New("the value does not fit")

// assign sets a field to the value of a pair.
func assign(field reflect.Value, p Pair) error {
	if field.Kind() == reflect.Pointer {
		value := reflect.New(field.Type().Elem())
		err := assign(value.Elem(), p)
		if !errors.Is(err, errMisfit) {
			field.Set(value)
		}
		return err
	}
	if p.Type == Boolean && field.Kind() == reflect.Bool {
		field.SetBool(true)
		return nil
	}
	value := reflect.ValueOf(p.Value)
	if !value.IsValid() {
		return errMisfit
	}
	return convert(field, value)
}

func convert(to, from reflect.Value) error {
	if list, ok := from.Interface().(List); ok && to.Kind() == reflect.Struct && to.Type() != from.Type() {
		return list.fill(to)
	}
	switch {
	case from.CanInt() && (to.CanInt() || to.CanUint()):
		return setInteger(to, from.Int(), from.Int() < 0, uint64(from.Int()))
	case from.CanUint() && (to.CanInt() || to.CanUint()):
		return setInteger(to, int64(from.Uint()), false, from.Uint())
	case from.Kind() == reflect.Slice && to.Kind() == reflect.Slice:
		return convertSlice(to, from)
	case from.Kind() == to.Kind() && from.CanConvert(to.Type()):
		to.Set(from.Convert(to.Type()))
		return nil
	}
	return errMisfit
}

func setInteger(to reflect.Value, signed int64, negative bool, unsigned uint64) error {
	switch {
	case to.CanInt() && (negative || signed >= 0) && !to.OverflowInt(signed):
		to.SetInt(signed)
	case to.CanUint() && !negative && !to.OverflowUint(unsigned):
		to.SetUint(unsigned)
	default:
		return errMisfit
	}
	return nil
}

func convertSlice(to, from reflect.Value) error {
	values := reflect.MakeSlice(to.Type(), from.Len(), from.Len())
	var errs []error
	for i := range from.Len() {
		err := convert(values.Index(i), from.Index(i))
		if errors.Is(err, errMisfit) {
			return errMisfit
		}
		errs = append(errs, err)
	}
	to.Set(values)
	return errors.Join(errs...)
}
