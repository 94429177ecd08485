package main

import (
	"github.com/spf13/cobra"

	"github.com/kmodaudit/kmodaudit/audit"
	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
	"github.com/kmodaudit/kmodaudit/headerinstall"
	"github.com/kmodaudit/kmodaudit/report"
)

func headersCommand(args []string) *cobra.Command {
	return group("headers", "Plan, install, verify and uninstall a module's headers, and find what they lack", args, commands{
		"plan":      headersPlanCommand,
		"install":   headersInstallCommand,
		"verify":    headersVerifyCommand,
		"uninstall": headersUninstallCommand,
		"closure":   headersClosureCommand,
	})
}

func headersPlanCommand([]string) *cobra.Command {
	var flags headersFlags
	cmd := &cobra.Command{
		Use:   "plan [SOURCE...]",
		Short: "Print what headers install would do",
		Long: `Plan reads the sources, the destination and the last manifest, and prints what install
with the same flags would do with each header, and why; with --diff, what would change in each of them. It prints too
which headers the rules exclude, which are forgotten (neither installed nor excluded), and which rules match nothing:
those two are findings. It writes nothing.

Exit status: 0 planned, 1 with findings, 2 could not be done: everything that is in the way is told.`,
		Example: `  kmodaudit headers plan ./zfs/include --destdir stage
  kmodaudit headers plan './*/include' --destdir stage --format json
  kmodaudit headers plan ./zfs/include --destdir stage --exclude 'os/**=for the kernel only' --map sys/fs=fs`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return cli.HeadersPlan(cmd.Context(), output(cmd), flags.with(cmd, args))
		},
	}
	flags.add(cmd)
	return cmd
}

func headersInstallCommand([]string) *cobra.Command {
	var flags headersFlags
	cmd := &cobra.Command{
		Use:   "install [SOURCE...]",
		Short: "Install headers, and remove those that a former installation had and this one has not",
		Long: `Install puts the headers of each source, a directory or a glob, into a destination: that of
--destdir, below it that of --prefix, below it the header's path as written, without its leading components.
A header whose content is there already is left alone. A file that no manifest lists is
not replaced without --force. What the manifest lists is taken for installed by an earlier run; each destination
has its own, and needs its own where --manifest names it. SOURCE_DATE_EPOCH, if set, is the time of what is written.

Rules say what else becomes of a header: --exclude keeps it away, --map moves it, --extra adds a file. The first
that matches counts. With --profile they come from a configuration, and so do the sources if none is given;
rules of the command line go before those.

With --list it prints the installed files as a packager's tool reads them, in place of their number; with --diff
what changed in each header; with a --format other than table what was done with each, as plan does.

Exit status: 0 installed, 1 installed with findings (as those of plan), 2 could not be done.`,
		Example: `  kmodaudit headers install ./zfs/include --destdir stage --dry-run
  kmodaudit headers install ./zfs/include --destdir stage --prefix /usr/src/zfs/include --list rpm`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return cli.HeadersInstall(cmd.Context(), output(cmd), flags.with(cmd, args))
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVarP(&flags.DryRun, "dry-run", "n", false, "print the plan, and write nothing")
	cmd.Flags().BoolVar(&flags.Sync, "sync", false, "have the file system write everything out before the manifest is written")
	return cmd
}

func headersVerifyCommand([]string) *cobra.Command {
	var tree cli.HeaderTree
	format := report.TableFormat
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Compare installed headers with their manifest",
		Long: `Verify lists the headers of the manifest that are missing or were changed (content, mode, type),
and the foreign files in the directories of those headers.

Exit status: 0 nothing to list, 1 something, 2 could not be done wholly.`,
		Example: `  kmodaudit headers install ./zfs/include --destdir stage
  kmodaudit headers verify --destdir stage`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cli.HeadersVerify(cmd.Context(), output(cmd), tree, format)
		},
	}
	addTreeFlags(cmd, &tree)
	addHeadersFormat(cmd, &format)
	return cmd
}

func headersUninstallCommand([]string) *cobra.Command {
	var tree cli.HeaderTree
	format := report.TableFormat
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "Remove installed headers",
		Long: `Uninstall removes the headers that the manifest lists, the directories that are empty without them,
and the manifest. A header whose content was changed is kept, and named.

Exit status: 0 all removed, 1 something was kept, 2 could not be done wholly.`,
		Example: `  kmodaudit headers install ./zfs/include --destdir stage
  kmodaudit headers uninstall --destdir stage`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cli.HeadersUninstall(cmd.Context(), output(cmd), tree, format)
		},
	}
	addTreeFlags(cmd, &tree)
	addHeadersFormat(cmd, &format)
	return cmd
}

// headersFlags are the flags of plan and install.
type headersFlags struct {
	cli.HeadersFlags
	strip                         int
	preserveModTime, trustModTime bool
}

func (f *headersFlags) add(cmd *cobra.Command) {
	f.Format = report.TableFormat
	addTreeFlags(cmd, &f.HeaderTree)
	flags := cmd.Flags()
	flags.IntVar(&f.strip, "strip", headerinstall.DefaultStrip, "leading `components` that a source loses; \".\" is one")
	flags.StringArrayVar((*[]string)(&f.Given.Include), "include", nil, "doublestar `glob` of what is a header, may be repeated (default **/*.h)")
	addRules(cmd, &f.Given.Exclude, parseExclusion, "exclude", "glob[=reason]", "keep headers from being installed")
	addRules(cmd, &f.Given.Map, parseMapping, "map", "from=to", "move a directory of stripped paths; \".\" is the destination itself")
	addRules(cmd, &f.Given.Extra, parseExtra, "extra", "file[=destination]", "install a file besides, whatever its name")
	flags.BoolVar(&f.preserveModTime, "preserve-mtime", false, "give what is written the mtime of its source")
	flags.BoolVar(&f.trustModTime, "trust-mtime", false, "take a header of the size and mtime that the manifest has for unchanged, unread")
	flags.BoolVar(&f.Force, "force", false, "replace files that no manifest lists")
	flags.BoolVar(&f.Diff, "diff", false, "print what changes in the headers, as a unified diff")
	addChoice(cmd, &f.List, "list", "print a list of the files", headerinstall.ListKinds...)
	addHeadersFormat(cmd, &f.Format)
	cmd.MarkFlagsMutuallyExclusive("format", "list", "diff")
}

// with returns the flags once the command line has been read.
func (f *headersFlags) with(cmd *cobra.Command, sources []string) cli.HeadersFlags {
	f.Given.Source = sources
	f.Given.Strip = given(cmd, "strip", &f.strip)
	f.Given.PreserveModTime = given(cmd, "preserve-mtime", &f.preserveModTime)
	f.Given.TrustModTime = given(cmd, "trust-mtime", &f.trustModTime)
	return f.HeadersFlags
}

func addTreeFlags(cmd *cobra.Command, tree *cli.HeaderTree) {
	flags := cmd.Flags()
	flags.StringVar(&tree.DestDir, "destdir", "", "`directory` in place of the root directory")
	flags.StringVar(&tree.Prefix, "prefix", "", "absolute `path` of the headers below it (default: the profile's, or "+cli.DefaultPrefix+")")
	flags.StringVar(&tree.Manifest, "manifest", "", "`file` that records what is installed (default out/headers-DESTINATION.json)")
	flags.StringVar(&tree.Profile, "profile", "", "`name` of a profile of the configuration (default: none, or with --config its table [headers])")
	flags.StringVarP(&tree.Config, "config", "C", "", "configuration `file` (default with --profile: "+audit.ConfigName+")")
}

func addHeadersFormat(cmd *cobra.Command, format *report.Format) {
	addFormat(cmd, format, report.TableFormat, report.JSONFormat, report.CSVFormat, report.MarkdownFormat)
}

func addFormat(cmd *cobra.Command, format *report.Format, formats ...report.Format) {
	addChoice(cmd, format, "format", "how to print it", formats...)
}
