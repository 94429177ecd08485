package main

import (
	"github.com/spf13/cobra"

	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
	"github.com/kmodaudit/kmodaudit/report"
	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

func stackCommand() *cobra.Command {
	return group("stack", "List and check what a module takes of the stack",
		stackFramesCommand(), stackCheckCommand(), stackPathsCommand())
}

// stackInput describes the arguments of all these commands.
const stackInput = `A PATH is a directory, which is searched, a .tar.zst archive of .su and .ci files, one of these, or an
object. The compiler writes .su and .ci when it has -fstack-usage and -fcallgraph-info=su,da. Objects are kernel modules
(.ko, also .ko.xz, .ko.zst, .ko.gz), vmlinux and .o files; a kernel with CONFIG_UNWINDER_ORC tells in them what its functions
take, without a rebuild. Several are taken together.`

func stackFramesCommand() *cobra.Command {
	flags := cli.StackFlags{Format: report.TableFormat, Source: cli.BestSource}
	cmd := &cobra.Command{
		Use:   "frames PATH...",
		Short: "List stack frames, the largest first",
		Long: `Frames lists what each function takes of the stack, the largest first: once, from the best source there is, which
is .su, then .ci, then .stack_sizes of clang (-fstack-size-section), then ORC. --source chooses one, or shows all side by
side. The return address counts, as gcc does; it is added to what clang tells.

` + stackInput + `

Exit status: 0 listed, 2 could not be done wholly; what could be read is listed all the same.`,
		Example: `  kmodaudit stack frames --top 10 testdata/openzfs-2.1.11/su-ci.tar.zst
  kmodaudit stack frames --min 1024 --format json testdata/openzfs-2.1.11/su-ci.tar.zst
  kmodaudit stack frames --source all testdata/small-module/gcc`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.Paths = args
			return cli.StackFrames(output(cmd), flags)
		},
	}
	cmd.Flags().IntVar(&flags.MinBytes, "min", 0, "leave out frames of less `bytes`")
	cmd.Flags().IntVar(&flags.Top, "top", 0, "the largest `n` only (default all)")
	addChoice(cmd, &flags.Source, "source", "where sizes come from", append([]frame.Source{cli.BestSource, cli.AllSources}, stackcheck.Sources...)...)
	addFormat(cmd, &flags.Format, report.TableFormat, report.JSONFormat, report.CSVFormat, report.MarkdownFormat)
	return cmd
}

func stackCheckCommand() *cobra.Command {
	flags := cli.StackFlags{Format: report.TableFormat}
	cmd := &cobra.Command{
		Use:   "check PATH...",
		Short: "Check stack frames against limits and waivers",
		Long: `Check lists the frames above the limit of the configuration, those that have outgrown their waiver,
and the waivers that excuse nothing.

` + stackInput + `

Exit status: 0 nothing to list, 1 something, 2 could not be done wholly.`,
		Example: `  kmodaudit stack check -C kmodaudit.toml testdata/openzfs-2.1.11/su-ci.tar.zst
  kmodaudit stack check --format github testdata/openzfs-2.1.11/su-ci.tar.zst`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.Paths = args
			return cli.StackCheck(output(cmd), flags)
		},
	}
	cmd.Flags().StringVarP(&flags.Config, "config", "C", "", "configuration `file` (default: kmodaudit.toml, if there is one)")
	addFormat(cmd, &flags.Format, report.TableFormat, report.JSONFormat, report.CSVFormat, report.MarkdownFormat, report.GitHubFormat)
	return cmd
}

func stackPathsCommand() *cobra.Command {
	flags := cli.StackFlags{Format: report.TableFormat}
	cmd := &cobra.Command{
		Use:   "paths PATH...",
		Short: "Show the calls along which the stack gets deepest",
		Long: `Paths shows the deepest chains of calls: the bytes of each step, their sum so far, and where the step is
called. They begin at functions that nothing calls by name, unless --from or --through names a function; of several
functions of that name, or its clones, each has a path. Each path is exact, or a lower bound because of what is
told: calls through pointers, functions outside of the build, cycles, which are charged one turn.

` + stackInput + `

Exit status: 0 shown, 2 could not be done wholly.`,
		Example: `  kmodaudit stack paths --top 1 testdata/openzfs-2.1.11/su-ci.tar.zst
  kmodaudit stack paths --through dmu_recv_stream testdata/openzfs-2.1.11/su-ci.tar.zst`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.Paths = args
			return cli.StackPaths(output(cmd), flags)
		},
	}
	cmd.Flags().StringVar(&flags.Through, "through", "", "the deepest paths that have this `function` on them")
	cmd.Flags().StringVar(&flags.From, "from", "", "the deepest paths that begin at this `function`")
	cmd.MarkFlagsMutuallyExclusive("through", "from")
	const fewPaths = 3
	cmd.Flags().IntVar(&flags.Top, "top", fewPaths, "the deepest `n` only, 0 for all")
	addFormat(cmd, &flags.Format, report.TableFormat, report.JSONFormat, report.MarkdownFormat)
	return cmd
}
