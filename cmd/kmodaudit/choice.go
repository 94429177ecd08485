package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// choice is a flag that takes one of some words.
type choice[T ~string] struct {
	value   *T
	choices []T
}

// addChoice adds such a flag, whose default is what value holds.
func addChoice[T ~string](cmd *cobra.Command, value *T, name, usage string, choices ...T) {
	cmd.Flags().Var(choice[T]{value, choices}, name, usage+": "+listed(choices))
	cmd.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words(choices), cobra.ShellCompDirectiveNoFileComp
	})
}

func (c choice[T]) String() string { return string(*c.value) }

func (c choice[T]) Type() string { return "word" }

func (c choice[T]) Set(word string) error {
	if !slices.Contains(c.choices, T(word)) {
		return fmt.Errorf("want %s", listed(c.choices))
	}
	*c.value = T(word)
	return nil
}

func words[T ~string](choices []T) []string {
	var all []string
	for _, c := range choices {
		all = append(all, string(c))
	}
	return all
}

// listed joins words as English does: "a, b or c".
func listed[T ~string](choices []T) string {
	all := words(choices)
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " or " + all[last]
}
