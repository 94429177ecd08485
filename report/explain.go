package report

import (
	"fmt"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/advice"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/framemap"
)

// Explanations shows what frames are made of: for each function the shares of the frame, its variables and the functions that
// were inlined into it, no more than top of each (0 for all), and the deepest path through it.
func Explanations(all []advice.Explanation, top int) Listing {
	l := Listing{JSON: struct {
		Explanations []advice.Explanation `json:"explanations"`
	}{all}}
	for _, e := range all {
		l.Tables = append(l.Tables, frameTable(e))
		if e.Contents != nil {
			l.Tables = append(l.Tables, variablesTable(e.Contents.Variables, top), inlinedTable(e.Contents.Inlined, top))
		} else {
			l.Tables = append(l.Tables, elsewhereTable(e.Elsewhere, top))
		}
		p := path(e.Path)
		p.Title = "the deepest path through it: " + p.Title
		p.Columns = append(p.Columns, "")
		for i := range p.Rows {
			here := ""
			if i == e.Step {
				here = "<- here"
			}
			p.Rows[i] = append(p.Rows[i], here)
		}
		l.Tables = append(l.Tables, p)
	}
	return l
}

func frameTable(e advice.Explanation) Table {
	f := e.Frames[0]
	t := Table{Title: fmt.Sprintf("%s, %s: %s", f.Function, framePosition(f), toldBy(e.Frames))}
	if e.Contents == nil {
		t.Title += "; what lies in the frame is not known: no object here has debug information of it (-g, not stripped)"
		return t
	}
	t.Columns = []string{"bytes", "what"}
	s := e.Contents.Bytes
	for _, row := range []struct {
		bytes int
		what  string
	}{
		{s.Own, "its own variables"},
		{s.Inlined, "variables of inlined functions, beyond those"},
		{s.Return, "the return address"},
		{s.Rest, "saved registers, pushed arguments, spills and temporaries without a name, alignment"},
	} {
		t.Rows = append(t.Rows, []any{row.bytes, row.what})
	}
	return t
}

// toldBy tells the frame, and what other sources say of it if they differ.
func toldBy(frames []frame.Frame) string {
	text := fmt.Sprintf("%s (%s) by %s", bytes(frames[0].Bytes), frames[0].Kind, frames[0].Source)
	for _, f := range frames[1:] {
		text += fmt.Sprintf(", %s by %s", bytes(f.Bytes), f.Source)
	}
	return text
}

func variablesTable(all []advice.Variable, top int) Table {
	t := Table{Columns: []string{"bytes", "alone", "variable", "type", "of", "declared at"}}
	shown := firstOf(all, top)
	t.Title = "variables: " + of(len(shown), len(all))
	for _, v := range shown {
		t.Rows = append(t.Rows, []any{v.Bytes, v.MarginalBytes, v.Name, v.Type, v.From, place(v.Place)})
	}
	return t
}

func inlinedTable(all []framemap.Inlined, top int) Table {
	t := Table{Columns: []string{"own", "bytes", "shared", "saves", "inlined function", "into", "called at", "declared at"}}
	var taking []framemap.Inlined
	for _, i := range all {
		if i.Bytes > 0 {
			taking = append(taking, i)
		}
	}
	shown := firstOf(taking, top)
	t.Title = fmt.Sprintf("inlined functions with variables in the frame: %s; %d without", of(len(shown), len(taking)), len(all)-len(taking))
	for _, i := range shown {
		t.Rows = append(t.Rows, []any{i.OwnBytes, i.Bytes, i.SharedBytes(), i.MarginalBytes, i.Function, strings.Join(i.Into, ", "), sites(i.Sites), place(i.Place)})
	}
	return t
}

// sites tells the first of some places, and how many there are.
func sites(all []framemap.Position) string {
	if len(all) == 1 {
		return place(all[0])
	}
	return fmt.Sprintf("%s and %d more", place(all[0]), len(all)-1)
}

func elsewhereTable(all []advice.Elsewhere, top int) Table {
	t := Table{Title: "its calls that stand in other functions' lines, so that these were inlined: none"}
	if len(all) == 0 {
		return t
	}
	t.Columns = []string{"calls", "lines", "of the function at, or after"}
	shown := firstOf(all, top)
	t.Title = "its calls that stand in other functions' lines, so that these were inlined: " + of(len(shown), len(all))
	for _, at := range shown {
		lines := fmt.Sprintf("%s:%d", at.File, at.FirstLine)
		if at.LastLine > at.FirstLine {
			lines += fmt.Sprintf("-%d", at.LastLine)
		}
		t.Rows = append(t.Rows, []any{at.Calls, lines, at.After})
	}
	return t
}

// Advice shows what could be done about frames, a table for each. Of the frames that are above a limit they are the largest; no limit (0)
// is for frames that were asked for.
func Advice(all []advice.Advice, above, limit int) Listing {
	l := Listing{JSON: struct {
		Advice []advice.Advice `json:"advice"`
	}{all}}
	helps := 0
	for _, a := range all {
		l.Tables = append(l.Tables, adviceTable(a))
		if a.Once.All {
			l.Tables = append(l.Tables, Table{Title: once(a.Once)})
		}
		for _, o := range a.Options {
			if o.Verdict == advice.Helps {
				helps++
			}
		}
	}
	frames := count(len(all), "frame")
	switch {
	case limit > 0 && len(all) < above:
		frames = fmt.Sprintf("the largest %s of %s above %s", grouped(len(all)), count(above, "frame"), bytes(limit))
	case limit > 0:
		frames += " above " + bytes(limit)
	}
	l.Summary = fmt.Sprintf("%s: %s that %s", frames, count(helps, "option"), helping(helps))
	return l
}

func helping(options int) string {
	if options == 1 {
		return "helps"
	}
	return "help"
}

func adviceTable(a advice.Advice) Table {
	f := a.Frame
	t := Table{Title: fmt.Sprintf("%s, %s: %s (%s); the deepest path through it takes %s",
		f.Function, framePosition(f), bytes(f.Bytes), f.Kind, boundOf(a.Path))}
	switch {
	case !a.Mapped:
		t.Title += "; no object here has debug information of it (-g, not stripped), so that nothing can be advised"
	case len(a.Options) == 0:
		t.Title += "; neither an inlined function nor a variable takes much of it alone"
	}
	if len(a.Options) == 0 {
		return t
	}
	t.Columns = []string{"verdict", "path", "frame", "saves", "callee", "what", "declared at", "remarks"}
	for _, o := range a.Options {
		var callee any = ""
		if o.Kind == advice.NoInline {
			callee = o.CalleeBytes
		}
		t.Rows = append(t.Rows, []any{string(o.Verdict), change(o.PathBytes - o.WasPathBytes), o.FrameBytes, o.SavedBytes, callee, optionText(o), place(o.Place), strings.Join(remarks(o), "; ")})
	}
	return t
}

func optionText(o advice.Option) string {
	if o.Kind == advice.NoInline {
		if strings.Contains(o.Name, ", ") {
			return string(o.Kind) + " on each of " + o.Name
		}
		return string(o.Kind) + " on " + o.Name
	}
	text := fmt.Sprintf("%s on the heap (%s)", o.Name, o.Type)
	if o.From != "" {
		text += " of " + o.From
	}
	return text
}

func remarks(o advice.Option) []string {
	var all []string
	if o.Kind == advice.NoInline {
		if o.CalleeKnown {
			all = append(all, "it has code already, of that size")
		}
		if o.Others > 0 {
			all = append(all, fmt.Sprintf("%s of the object inlined it too", count(o.Others, "other function")))
		}
	}
	if o.Turn != nil {
		all = append(all, fmt.Sprintf("a turn of the recursion takes %s, before %s", bytes(o.Turn.Bytes), bytes(o.Turn.WasBytes)))
		if o.Turn.HelpsFrom > 0 {
			all = append(all, fmt.Sprintf("helps from %d turns on", o.Turn.HelpsFrom))
		}
	}
	if o.Shallower > 0 {
		all = append(all, fmt.Sprintf("%s shallower", count(o.Shallower, "entry point")))
	}
	if o.Deeper > 0 {
		all = append(all, fmt.Sprintf("%s deeper", count(o.Deeper, "entry point")))
	}
	return all
}

// once tells of the functions that are called once, and take all that inlined functions do.
func once(o advice.Once) string {
	whether := "was not"
	if o.ConserveStack {
		whether = "was"
	}
	return fmt.Sprintf("All %s that inlined functions add are of functions that are called once. gcc inlines these whatever their size, unless it is told not to"+
		" by -fno-inline-functions-called-once; or, where the frame would grow much, by -fconserve-stack, with which the object %s compiled.", bytes(o.Bytes), whether)
}

func place(p framemap.Position) string { return position(p.File, p.Line, 0) }

func firstOf[T any](all []T, top int) []T {
	if top <= 0 {
		return all
	}
	return all[:min(top, len(all))]
}

// of counts what is shown of some.
func of(shown, total int) string {
	if shown == total {
		return grouped(total)
	}
	return fmt.Sprintf("%s of %s", grouped(shown), grouped(total))
}
