package differential

import "slices"

// shrink makes the sequence of a difference as short and plain as it can while
// compare still finds one: it leaves out runs of operations, first long ones,
// and turns numbers to 0, until nothing more helps or compare fails.
func shrink(d *Difference, compare func([]Operation) (*Difference, error)) *Difference {
	var failure error
	try := func(sequence []Operation) bool {
		if failure != nil {
			return false
		}
		var found *Difference
		if found, failure = compare(sequence); found == nil {
			return false
		}
		found.Seed = d.Seed
		d = found
		return true
	}
	for shrunk := true; shrunk; {
		shrunk = false
		for run := max(len(d.Sequence)/2, 1); run > 0; run /= 2 {
			for at := 0; at+run < len(d.Sequence); {
				if try(slices.Delete(slices.Clone(d.Sequence), at, at+run)) {
					shrunk = true
				} else {
					at += run
				}
			}
		}
		for at := 0; at < len(d.Sequence); at++ {
			for _, plain := range plainer(d.Sequence[at]) {
				sequence := slices.Clone(d.Sequence)
				sequence[at] = plain
				if try(sequence) {
					shrunk = true
					break
				}
			}
		}
	}
	return d
}

// plainer are simpler operations that may do in the place of one.
func plainer(o Operation) (simpler []Operation) {
	if o.Descriptor != 0 {
		p := o
		p.Descriptor = 0
		simpler = append(simpler, p)
	}
	if o.Argument != 0 {
		p := o
		p.Argument = 0
		simpler = append(simpler, p)
	}
	if o.Size != Whole {
		p := o
		p.Size = Whole
		simpler = append(simpler, p)
	}
	return simpler
}
