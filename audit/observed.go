package audit

import "github.com/kmodaudit/kmodaudit/stackcheck/observe"

// Observe adds what runs used of the stack. A bound that one of them exceeded is a finding.
func (s *Stack) Observe(observed []observe.Observation) {
	s.Observed = append(s.Observed, observed...)
	for _, o := range observed {
		for _, f := range o.Findings {
			s.Findings = append(s.Findings, Finding{Where: f.Function, What: f.Message, Remedy: f.Remedy})
		}
	}
	if len(s.Findings) > 0 {
		s.Verdict = s.Verdict.worse(Findings)
	}
}
