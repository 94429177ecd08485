package main

import (
	"github.com/spf13/cobra"

	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
	"github.com/kmodaudit/kmodaudit/report"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
)

func stackExplainCommand([]string) *cobra.Command {
	flags := cli.ExplainFlags{Format: report.TableFormat}
	cmd := &cobra.Command{
		Use:   "explain FUNCTION PATH...",
		Short: "Say what a frame is made of, and which inlined functions",
		Long: `Explain shows why a frame is as large as it is: what it has of its own variables, of those of functions that were
inlined, and beside variables; the variables, largest first; the inlined functions; and the deepest path through the function.

Variables that do not live at once share bytes of the frame, so that sizes do not add up:

  alone    bytes of a variable where no other lies
  bytes    of an inlined function: its own variables, and those of what was inlined into it
  shared   of these, what something else covers too
  saves    the rest, which the frame would not have without the function

What lies in a frame is read from the debug information (-g) of the object, beside its .su file or in a module that is not
stripped. Without it, .ci files tell which calls stand in other functions' lines, and no bytes.

` + stackInput + `

Exit status: 0 shown, 2 could not be done wholly.`,
		Example: `  kmodaudit stack explain parent testdata/small-module/inlined
  kmodaudit stack explain --format json parent testdata/small-module/inlined
  kmodaudit stack explain dmu_recv_stream testdata/openzfs-2.1.11/su-ci.tar.zst`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.Function, flags.Paths = args[0], args[1:]
			return cli.StackExplain(output(cmd), flags)
		},
	}
	const fewLines = 12
	cmd.Flags().IntVar(&flags.Top, "top", fewLines, "the first `n` variables and inlined functions only, 0 for all")
	addExplainFlags(cmd, &flags)
	return cmd
}

func stackAdviseCommand([]string) *cobra.Command {
	flags := cli.ExplainFlags{Format: report.TableFormat}
	cmd := &cobra.Command{
		Use:   "advise PATH...",
		Short: "Say what would make heavy frames smaller, and whether it helps",
		Long: `Advise lists, for each frame above the limit, what could be done about it: noinline_for_stack on a function that was
inlined, and the heap for a large variable. Each option is tried on the call graph:

  path     what becomes of the deepest path through the function
  frame    what is left of the frame, and
  saves    what is not
  callee   the frame of the function that is no longer inlined; an upper estimate, unless it has code already

A frame that gets smaller does not help by itself: the path that goes on through the new function gets deeper by that one's frame. The
verdict is "helps", "hurts" or "no effect on the worst path". Recursion is charged a turn, as paths are.

Debug information (-g) is needed, as for stack explain.

` + stackInput + `

Exit status: 0 listed, 2 could not be done wholly.`,
		Example: `  kmodaudit stack advise --limit 256 testdata/small-module/inlined
  kmodaudit stack advise --function parent testdata/small-module/inlined`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.Paths = args
			return cli.StackAdvise(output(cmd), flags)
		},
	}
	cmd.Flags().StringVar(&flags.Function, "function", "", "the `function` to advise on, in place of all above the limit")
	cmd.Flags().IntVar(&flags.Limit, "limit", 0, "frames above that many `bytes` (default: the limit of the configuration)")
	cmd.MarkFlagsMutuallyExclusive("function", "limit")
	const fewFrames = 10
	cmd.Flags().IntVar(&flags.Top, "top", fewFrames, "the largest `n` frames only, 0 for all")
	addExplainFlags(cmd, &flags)
	return cmd
}

// addExplainFlags adds what both have.
func addExplainFlags(cmd *cobra.Command, flags *cli.ExplainFlags) {
	cmd.Flags().StringVarP(&flags.Config, "config", "C", "", "configuration `file` (default: kmodaudit.toml, if there is one)")
	cmd.Flags().StringSliceVar(&flags.Beside.Kernel, "kernel", nil, "`vmlinux`, or a module, that the build calls; may be repeated")
	cmd.Flags().IntVar(&flags.Beside.ExternalBytes, "external-bytes", 0, "what a function takes that no file has, in `bytes` (default: nothing, and the path is a lower bound)")
	addChoice(cmd, &flags.Beside.Indirect, "indirect", "where calls through pointers lead (default: as the configuration says, or none)", callgraph.Policies...)
	addFormat(cmd, &flags.Format, report.TableFormat, report.JSONFormat, report.MarkdownFormat)
}
