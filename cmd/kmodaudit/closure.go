package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
	"github.com/kmodaudit/kmodaudit/headerinstall/compile"
	"github.com/kmodaudit/kmodaudit/report"
)

func headersClosureCommand([]string) *cobra.Command {
	flags := cli.ClosureFlags{Format: report.TableFormat, Language: compile.C}
	cmd := &cobra.Command{
		Use:   "closure TREE",
		Short: "Find what installed headers include and lack",
		Long: `Closure follows every #include of an installed header tree, without a compiler, and lists those that lead
nowhere: not into the tree, nor into a directory of --system. With --consumer it follows those of source
code that uses the tree too: a header that only such code includes is missed by nothing else. It also lists
computed includes, headers without a guard, and those that depend on a CONFIG_ macro.

With --compile it has a compiler take each header alone, included twice, with a consumer's flags:
--cflag, or those of a .pc file. A file of excuses (a line each: HEADER: REASON) lets headers fail;
an excuse that is not needed is a finding.

Exit status: 0 all is there, 1 something is missing or does not compile, 2 could not be done wholly.`,
		Example: `  kmodaudit headers install './*/include' --destdir stage
  kmodaudit headers closure stage/usr/include/zfs --system /usr/include
  kmodaudit headers closure stage/usr/include/zfs --system /usr/include --compile`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.Tree = args[0]
			if !flags.Compile && needsCompile(cmd) {
				return errors.New("a flag that is of the compiler's needs --compile")
			}
			return cli.HeadersClosure(cmd.Context(), output(cmd), flags)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&flags.System, "system", nil, "`directory` that a consumer searches after the tree, may be repeated")
	f.StringArrayVar(&flags.Consumers, "consumer", nil, "`directory` of source code that includes the tree, may be repeated")
	f.BoolVar(&flags.Compile, "compile", false, "compile each header too")
	f.StringVar(&flags.Compiler, "compiler", "", "`command` of gcc or clang (default cc, or c++)")
	f.StringArrayVar(&flags.Flags, "cflag", nil, "`flag` of a consumer, may be repeated")
	f.StringVar(&flags.PC, "pc", "", "pkg-config `file` of the consumer's flags; what it requires is found beside it, or where pkg-config looks")
	f.StringVar(&flags.Sysroot, "sysroot", "", "`directory` below which the .pc file's paths lie, as after a staged installation")
	f.StringVar(&flags.Excuses, "excuses", "", "`file` of headers that may fail")
	addChoice(cmd, &flags.Language, "language", "what to compile as", compile.C, compile.CXX)
	addFormat(cmd, &flags.Format, report.TableFormat, report.JSONFormat, report.MarkdownFormat)
	return cmd
}

// needsCompile says whether a flag was given that only --compile heeds.
func needsCompile(cmd *cobra.Command) bool {
	for _, name := range []string{"compiler", "cflag", "pc", "sysroot", "excuses", "language"} {
		if cmd.Flags().Changed(name) {
			return true
		}
	}
	return false
}
