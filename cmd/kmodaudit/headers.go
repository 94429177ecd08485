package main

import (
	"github.com/spf13/cobra"

	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
	"github.com/kmodaudit/kmodaudit/headerinstall"
	"github.com/kmodaudit/kmodaudit/report"
)

func headersCommand() *cobra.Command {
	return group("headers", "Plan, install, verify and uninstall a module's headers, and find what they lack",
		headersPlanCommand(), headersInstallCommand(), headersVerifyCommand(), headersUninstallCommand(), headersClosureCommand())
}

func headersPlanCommand() *cobra.Command {
	flags := cli.HeadersFlags{Format: report.TableFormat}
	cmd := &cobra.Command{
		Use:   "plan SOURCE...",
		Short: "Print what headers install would do",
		Long: `Plan reads the sources, the destination and the last manifest, and prints what install
with the same flags would do with each header, and why. It writes nothing.

Exit status: 0 planned, 2 could not be done: everything that is in the way is told.`,
		Example: `  kmodaudit headers plan ./zfs/include --destdir stage
  kmodaudit headers plan './*/include' --destdir stage --format json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.Sources = args
			return cli.HeadersPlan(cmd.Context(), output(cmd), flags)
		},
	}
	addHeadersFlags(cmd, &flags)
	addFormat(cmd, &flags.Format, report.TableFormat, report.JSONFormat, report.CSVFormat, report.MarkdownFormat)
	cmd.MarkFlagsMutuallyExclusive("format", "list")
	return cmd
}

func headersInstallCommand() *cobra.Command {
	flags := cli.HeadersFlags{Format: report.TableFormat}
	cmd := &cobra.Command{
		Use:   "install SOURCE...",
		Short: "Install headers, and remove those that a former installation had and this one has not",
		Long: `Install puts the headers of each source, a directory or a glob, into a destination: that of
--destdir, below it that of --prefix, below it the header's path as written, without its leading components.
A header whose content is there already is left alone. A file that no manifest lists is
not replaced without --force. What the manifest lists is taken for installed by an earlier run; each destination
has its own, and needs its own where --manifest names it. SOURCE_DATE_EPOCH, if set, is the time of what is written.

With --list it prints the installed files as a packager's tool reads them, in place of their number.

Exit status: 0 installed, 2 could not be done.`,
		Example: `  kmodaudit headers install ./zfs/include --destdir stage --dry-run
  kmodaudit headers install ./zfs/include --destdir stage --prefix /usr/src/zfs/include --list rpm`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			flags.Sources = args
			return cli.HeadersInstall(cmd.Context(), output(cmd), flags)
		},
	}
	addHeadersFlags(cmd, &flags)
	cmd.Flags().BoolVarP(&flags.DryRun, "dry-run", "n", false, "print the plan, and write nothing")
	return cmd
}

func headersVerifyCommand() *cobra.Command {
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
	addFormat(cmd, &format, report.TableFormat, report.JSONFormat, report.CSVFormat, report.MarkdownFormat)
	return cmd
}

func headersUninstallCommand() *cobra.Command {
	var tree cli.HeaderTree
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
			return cli.HeadersUninstall(cmd.Context(), output(cmd), tree)
		},
	}
	addTreeFlags(cmd, &tree)
	return cmd
}

func addHeadersFlags(cmd *cobra.Command, flags *cli.HeadersFlags) {
	addTreeFlags(cmd, &flags.HeaderTree)
	cmd.Flags().IntVar(&flags.Strip, "strip", headerinstall.DefaultStrip, "leading `components` that a source loses; \".\" is one")
	cmd.Flags().StringArrayVar(&flags.Include, "include", nil, "doublestar `glob` of what is a header, may be repeated (default **/*.h)")
	cmd.Flags().BoolVar(&flags.Force, "force", false, "replace files that no manifest lists")
	addChoice(cmd, &flags.List, "list", "print a list of the files", headerinstall.ListKinds...)
}

func addTreeFlags(cmd *cobra.Command, tree *cli.HeaderTree) {
	cmd.Flags().StringVar(&tree.DestDir, "destdir", "", "`directory` in place of the root directory")
	cmd.Flags().StringVar(&tree.Prefix, "prefix", cli.DefaultPrefix, "absolute `path` of the headers below it")
	cmd.Flags().StringVar(&tree.Manifest, "manifest", "", "`file` that records what is installed (default out/headers-DESTINATION.json)")
}

func addFormat(cmd *cobra.Command, format *report.Format, formats ...report.Format) {
	addChoice(cmd, format, "format", "how to print it", formats...)
}
