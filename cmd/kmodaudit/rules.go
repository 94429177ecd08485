package main

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kmodaudit/kmodaudit/headerinstall"
)

// rules is a flag that may be repeated; each value is parsed into a rule.
type rules[T any] struct {
	values *[]T
	syntax string
	parse  func(string) (T, error)
}

func (r rules[T]) String() string { return "" }

func (r rules[T]) Type() string { return r.syntax }

func (r rules[T]) Set(text string) error {
	rule, err := r.parse(text)
	if err != nil {
		return err
	}
	*r.values = append(*r.values, rule)
	return nil
}

func addRules[T any](cmd *cobra.Command, values *[]T, parse func(string) (T, error), name, syntax, usage string) {
	cmd.Flags().Var(rules[T]{values, syntax, parse}, name, usage+", may be repeated")
}

func parseExclusion(text string) (headerinstall.Exclusion, error) {
	match, reason, given := strings.Cut(text, "=")
	if !given {
		reason = "excluded on the command line"
	}
	if match == "" || reason == "" {
		return headerinstall.Exclusion{}, errors.New("want GLOB or GLOB=REASON")
	}
	return headerinstall.Exclusion{Match: match, Reason: reason}, nil
}

func parseMapping(text string) (headerinstall.Mapping, error) {
	from, to, _ := strings.Cut(text, "=")
	if from == "" || to == "" {
		return headerinstall.Mapping{}, errors.New(`want FROM=TO; "." is the destination itself`)
	}
	return headerinstall.Mapping{From: from, To: to}, nil
}

func parseExtra(text string) (headerinstall.Extra, error) {
	source, to, given := strings.Cut(text, "=")
	if !given {
		to = filepath.Base(source)
	}
	if source == "" || to == "" {
		return headerinstall.Extra{}, errors.New("want FILE or FILE=DESTINATION")
	}
	return headerinstall.Extra{Source: source, To: to}, nil
}

// given returns the value of a flag, nil unless it is on the command line.
func given[T any](cmd *cobra.Command, name string, value *T) *T {
	if !cmd.Flags().Changed(name) {
		return nil
	}
	return value
}
