package main

import "github.com/kmodaudit/kmodaudit/measure"

// A goal is a ratio to reach.
type goal struct {
	scenario   scenario
	tool, peer string
	most       float64
}

// goals are those of the installer.
var goals = []goal{
	{first, kmodauditName, cpName, 1},
	{unchanged, kmodauditName, checksumName, 0.6},
	{unchanged, trustName, cpUpdateName, 1},
}

// ratio compares a goal's tools round by round; it is nil if one of them was not measured.
func (t trial) ratio(g goal) *measure.Ratio {
	tool, peer := t.row(g.tool).samples[g.scenario], t.row(g.peer).samples[g.scenario]
	if len(tool) == 0 || len(peer) == 0 {
		return nil
	}
	r := measure.Ratios(tool, peer)
	return &r
}
