//go:build mage

// Mymod is a kernel module.
package main

import (
	//mage:import
	_ "github.com/kmodaudit/kmodaudit/targets"
)
