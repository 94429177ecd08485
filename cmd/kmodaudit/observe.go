package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
	"github.com/kmodaudit/kmodaudit/report"
)

func stackObserveCommand([]string) *cobra.Command {
	flags := cli.ObserveFlags{Format: report.TableFormat}
	live := false
	cmd := &cobra.Command{
		Use:   "observe (--trace FILE | --live) PATH...",
		Short: "Lay what a run really used of the stack beside what is known of it",
		Long: `Observe reads a trace of the kernel's stack tracer (CONFIG_STACK_TRACER), which is the deepest stack that it has
seen, and lays it beside the builds of the modules that ran, call by call:

  bytes    what the function had taken when it called the next
  at call  what ORC or code tells of that call, where a .ko of the build does; it has to be the same
  bound    its frame; the bytes can only be less

and the longest run of modules' functions beside the deepest path between its ends, and the deepest that is known to
begin at any of its functions. A bound that was exceeded is a finding: the build is not what ran, or what is known of it is wrong.

The trace is a file, a copy of /sys/kernel/tracing/stack_trace or several of them with a comment ("# ") before each; or --live that
of this machine. --enable turns the tracer on, for as long as that, and then puts back what was; it forgets what was recorded
before. While it is on, every function that the kernel calls takes longer, so that a --module or two are better than all.

` + stackInput + `

Exit status: 0 nothing found, 1 a bound was exceeded, 2 could not be done wholly; what could be read is shown all the same.`,
		Example: `  kmodaudit stack observe --trace testdata/openzfs-2.1.11/stack_trace.txt testdata/openzfs-2.1.11/su-ci.tar.zst
  kmodaudit stack observe --trace testdata/openzfs-2.1.11/stack_trace.txt --svg observed.svg testdata/openzfs-2.1.11/su-ci.tar.zst`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.Paths = args
			switch {
			case live == (flags.Trace != ""):
				return errors.New("want either --trace FILE or --live")
			case !live && (flags.Enable > 0 || flags.Save != ""):
				return errors.New("--enable and --save are for --live")
			case flags.Enable <= 0 && len(flags.Modules) > 0:
				return errors.New("--module is for --enable")
			}
			return cli.StackObserve(cmd.Context(), output(cmd), flags)
		},
	}
	cmd.Flags().StringVar(&flags.Trace, "trace", "", "`file` with what the tracer recorded")
	cmd.Flags().BoolVar(&live, "live", false, "read the tracer of this machine")
	cmd.Flags().DurationVar(&flags.Enable, "enable", 0, "turn the tracer on for that `time`, such as 30s")
	cmd.Flags().StringSliceVar(&flags.Modules, "module", nil, "have it look at functions of the module of that `name` alone, may be repeated")
	cmd.Flags().StringVar(&flags.Save, "save", "", "`file` that receives what the tracer recorded")
	cmd.Flags().StringVar(&flags.SVG, "svg", "", "`file` that receives a drawing: what was observed, each beside the deepest path that is known")
	addFormat(cmd, &flags.Format, report.TableFormat, report.JSONFormat, report.MarkdownFormat)
	return cmd
}
