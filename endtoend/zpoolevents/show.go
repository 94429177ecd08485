package zpoolevents

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// String is the result for a reader: the classes that were raised, those that were not and why, the prints, and the first difference.
func (r *Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "OpenZFS %v on Linux %s: %d events of %d classes\n", r.Release, r.Kernel, r.Events, len(r.Raised))
	for _, class := range slices.Sorted(maps.Keys(r.Raised)) {
		fmt.Fprintf(&b, "%6d %s\n", r.Raised[class], class)
	}
	for _, class := range r.Missing {
		fmt.Fprintf(&b, "  none %s: %s\n", class.Name, class.Why)
	}
	for _, class := range r.Unknown {
		fmt.Fprintf(&b, "       %s is not known of this release; add it to endtoend/zpoolevents/classes.go\n", class)
	}
	for _, c := range r.Prints {
		verdict := "same   "
		if c.Difference != nil {
			verdict = "DIFFERS"
		}
		fmt.Fprintf(&b, "%s %7d bytes  %v\n", verdict, c.Bytes, c)
	}
	i := slices.IndexFunc(r.Prints, func(c Comparison) bool { return c.Difference != nil })
	if i < 0 {
		return b.String()
	}
	first := r.Prints[i]
	where := "outside of any event"
	if d := first.Difference; d.Class != "" {
		where = fmt.Sprintf("in EID %d (%#x), %s", d.EID, d.EID, d.Class)
	}
	fmt.Fprintf(&b, "\nThe first difference of %v is %s:\n%s", first, where, first.Difference.Text)
	return b.String()
}

func (c Comparison) String() string {
	if c.Recorded {
		return c.Print.String() + ", of the recording"
	}
	return c.Print.String() + ", of the module's queue"
}
