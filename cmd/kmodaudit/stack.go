package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
	"github.com/kmodaudit/kmodaudit/report"
	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

func stackCommand(args []string) *cobra.Command {
	cmd := group("stack", "List and check what a module takes of the stack", args, commands{
		"frames":   stackFramesCommand,
		"check":    stackCheckCommand,
		"diff":     stackDiffCommand,
		"paths":    stackPathsCommand,
		"explain":  stackExplainCommand,
		"advise":   stackAdviseCommand,
		"observe":  stackObserveCommand,
		"snapshot": stackSnapshotCommand,
	})
	cmd.PersistentPreRun = func(cmd *cobra.Command, _ []string) {
		if cmd.Name() != "observe" { // the others do not look whether they are to stop, and leave files whole whenever they end
			signal.Reset(os.Interrupt, syscall.SIGTERM)
		}
	}
	return cmd
}

// stackInput describes the arguments of all these commands.
const stackInput = `A PATH is a directory, which is searched, an archive of .su and .ci files (.tar, also .tar.zst, .tar.xz, .tar.gz), one of these,
or an object. The compiler writes .su and .ci when it has -fstack-usage and -fcallgraph-info=su,da. Objects are kernel modules
(.ko, also .ko.xz, .ko.zst, .ko.gz), vmlinux and .o files; a kernel with CONFIG_UNWINDER_ORC tells in them what its functions
take, without a rebuild, and of modules and kernels of x86-64 and aarch64 the code tells what ORC does not. A snapshot, written by stack snapshot, stands for what it was made of. Several are taken together.`

func stackFramesCommand([]string) *cobra.Command {
	flags := cli.StackFlags{Format: report.TableFormat, Source: cli.BestSource}
	cmd := &cobra.Command{
		Use:   "frames PATH...",
		Short: "List stack frames, the largest first",
		Long: `Frames lists what each function takes of the stack, the largest first: once, from the best source there is, which
is .su, then .ci, then .stack_sizes of clang (-fstack-size-section), then ORC, then the code of functions of which nothing else tells. --source chooses one, or shows all side by
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

func stackCheckCommand([]string) *cobra.Command {
	flags := cli.StackFlags{Format: report.TableFormat}
	cmd := &cobra.Command{
		Use:   "check PATH...",
		Short: "Check stack frames against limits and waivers",
		Long: `Check lists the frames and paths above the limits of the configuration, those that have outgrown their
waiver, and the waivers that excuse nothing or have expired. With a baseline, it also lists what has grown since, and
large frames that are new. docs/stack.md shows the configuration.

` + stackInput + `

Exit status: 0 nothing to list, 1 something, 2 could not be done wholly.`,
		Example: `  kmodaudit stack check -C kmodaudit.toml testdata/openzfs-2.1.11/su-ci.tar.zst
  kmodaudit stack check --format github testdata/openzfs-2.1.11/su-ci.tar.zst
  kmodaudit stack check --baseline testdata/openzfs-2.1.11/su-ci.tar.zst testdata/openzfs-2.1.11/su-ci.tar.zst`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.Paths = args
			return cli.StackCheck(output(cmd), flags)
		},
	}
	cmd.Flags().StringVarP(&flags.Config, "config", "C", "", "configuration `file` (default: kmodaudit.toml, if there is one)")
	cmd.Flags().StringVar(&flags.Baseline, "baseline", "", "snapshot or build that nothing may have grown since, a `PATH` (default: that of the configuration)")
	addFormat(cmd, &flags.Format, report.TableFormat, report.JSONFormat, report.CSVFormat, report.MarkdownFormat,
		report.GitHubFormat, report.SARIFFormat, report.JUnitFormat)
	return cmd
}

func stackDiffCommand([]string) *cobra.Command {
	flags := cli.DiffFlags{Format: report.TableFormat}
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Compare the stack of two builds",
		Long: `Diff lists the frames that two builds of a module differ in, the largest change first: grown, shrunk, new, gone, or
inlined into other functions; and how much deeper the stack gets from the functions that nothing calls by name. The
same function is found again when its lines have moved, in another file, and as another clone, so that the builds
may be of other compilers, kernels or releases.

OLD and NEW are each what the other commands take as PATH. Frames are compared by the best source that both have.
CSV has the frames alone.

Exit status: 0 compared, 2 could not be done wholly.`,
		Example: `  kmodaudit stack diff testdata/small-module/clang testdata/small-module/gcc
  kmodaudit stack diff --top 3 --format markdown testdata/small-module/clang testdata/small-module/gcc`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.Old, flags.New = args[0], args[1]
			return cli.StackDiff(output(cmd), flags)
		},
	}
	const mostChanges = 20
	cmd.Flags().IntVar(&flags.Top, "top", mostChanges, "the largest `n` changes only, 0 for all")
	addFormat(cmd, &flags.Format, report.TableFormat, report.JSONFormat, report.CSVFormat, report.MarkdownFormat)
	return cmd
}

func stackPathsCommand([]string) *cobra.Command {
	flags := cli.StackFlags{Format: report.TableFormat}
	cmd := &cobra.Command{
		Use:   "paths PATH...",
		Short: "Show the calls along which the stack gets deepest",
		Long: `Paths shows the deepest chains of calls: the bytes of each step, their sum so far, and where the step is
called. They begin at functions that nothing calls by name, unless --from or --through names a function; of several
functions of that name, or its clones, each has a path. Each path is exact, or a lower bound because of what is
told: calls through pointers, functions outside of the build, cycles, which are charged one turn.

Calls are read from .ci files, and from the code of objects, which also tells how much a caller has of the stack at each
call. Functions that do not return, such as panic, are not followed: what the path takes with them stands beside it.
With --kernel, what the kernel takes counts too; --external-bytes is what all else is taken to take that no file has.
The configuration has figures of single functions, and bounds of cycles (docs/stack.md). --indirect says where calls
through pointers lead: nowhere; by slot, to what data holds at the offset that the pointer is loaded from; by prototype, to the functions whose
address is taken and that have the pointer's, which debug information or BTF tells; or to any function whose address is taken. --entries lists the functions at which paths begin, in groups, and how deep each goes.

` + stackInput + `

Exit status: 0 shown, 2 could not be done wholly.`,
		Example: `  kmodaudit stack paths --top 1 testdata/openzfs-2.1.11/su-ci.tar.zst
  kmodaudit stack paths --through dmu_recv_stream testdata/openzfs-2.1.11/su-ci.tar.zst
  kmodaudit stack paths --entries testdata/small-module/gcc/small.ko`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.Paths = args
			return cli.StackPaths(output(cmd), flags)
		},
	}
	cmd.Flags().StringVar(&flags.Through, "through", "", "the deepest paths that have this `function` on them")
	cmd.Flags().StringVar(&flags.From, "from", "", "the deepest paths that begin at this `function`")
	cmd.Flags().BoolVar(&flags.EntryPoints, "entries", false, "list where paths begin, --top of each group")
	cmd.Flags().StringVar(&flags.SVG, "svg", "", "`file` that receives a drawing of the paths")
	cmd.MarkFlagsMutuallyExclusive("through", "from", "entries")
	cmd.MarkFlagsMutuallyExclusive("svg", "entries")
	cmd.Flags().StringVarP(&flags.Config, "config", "C", "", "configuration `file` (default: kmodaudit.toml, if there is one)")
	cmd.Flags().StringSliceVar(&flags.Beside.Kernel, "kernel", nil, "`vmlinux`, or a module, that the build calls, or the kernel's types (BTF); may be repeated")
	cmd.Flags().IntVar(&flags.Beside.ExternalBytes, "external-bytes", 0, "what a function takes that no file has, in `bytes` (default: nothing, and the path is a lower bound)")
	addChoice(cmd, &flags.Beside.Indirect, "indirect", "where calls through pointers lead (default: as the configuration says, or none)", callgraph.Policies...)
	const fewPaths = 3
	cmd.Flags().IntVar(&flags.Top, "top", fewPaths, "the deepest `n` only, 0 for all")
	addFormat(cmd, &flags.Format, report.TableFormat, report.JSONFormat, report.MarkdownFormat)
	return cmd
}

func stackSnapshotCommand([]string) *cobra.Command {
	var flags cli.SnapshotFlags
	cmd := &cobra.Command{
		Use:   "snapshot PATH... -o FILE",
		Short: "Keep what is known of a build's stack in one file",
		Long: `Snapshot writes the frames and calls of a build into one JSON file, which every command here takes in place
of the build: as the baseline of a check, or to compare two builds. A name that ends in .zst has it compressed.

A module says in the snapshot what it is and which kernel it is for; what no file tells can be said by flags.

` + stackInput + `

Exit status: 0 written, 2 could not be done wholly; nothing is written then.`,
		Example: `  kmodaudit stack snapshot -o baseline.json.zst testdata/openzfs-2.1.11/su-ci.tar.zst
  kmodaudit stack check --baseline baseline.json.zst testdata/openzfs-2.1.11/su-ci.tar.zst`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.Paths = args
			return cli.StackSnapshot(output(cmd), flags)
		},
	}
	cmd.Flags().StringVarP(&flags.File, "output", "o", "", "`file` that receives the snapshot")
	cmd.MarkFlagRequired("output")
	cmd.Flags().StringSliceVar(&flags.Built.Modules, "module", nil, "`name` of the module that was built, may be repeated")
	cmd.Flags().StringVar(&flags.Built.Version, "module-version", "", "its `version`")
	cmd.Flags().StringVar(&flags.Built.Kernel, "kernel", "", "`release` of the kernel that it was built for")
	cmd.Flags().StringVar(&flags.Built.Compiler, "compiler", "", "`name` and version of what compiled it")
	cmd.Flags().StringVar(&flags.Built.Flags, "flags", "", "`flags` that it was built with, such as KCFLAGS")
	return cmd
}
