// Kmodaudit audits a Linux kernel module before it ships: the headers that it installs, the
// stack that it takes, and whether its event ABI answers.
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
	"github.com/kmodaudit/kmodaudit/report"
	"github.com/kmodaudit/kmodaudit/version"
)

func main() {
	// A run is short: collecting its garbage half as often saves a twentieth of the time, for some megabytes.
	debug.SetGCPercent(200)
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	cmd, err := root(os.Args[1:]).ExecuteContextC(ctx)
	var exit *cli.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if exit.Err != nil {
			report.Message(os.Stderr, "kmodaudit", exit.Err.Error())
		}
		return exit.Code
	default: // of the command line
		report.Message(os.Stderr, "kmodaudit", fmt.Sprintf("%v; see %s --help", err, cmd.CommandPath()))
		return 2
	}
}

// root returns the command, ready for arguments.
func root(args []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:           "kmodaudit",
		Short:         "Audit a Linux kernel module before it ships",
		Version:       version.String(),
		Args:          subcommand,
		SilenceErrors: true,
		SilenceUsage:  true,
		// Without this, cobra takes an unknown command for a call for help, and succeeds.
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	addNamed(cmd, args, commands{"audit": auditCommand, "headers": headersCommand, "stack": stackCommand})
	return cmd
}

// commands are sub-commands by name: what returns them takes the arguments behind that name.
type commands map[string]func(args []string) *cobra.Command

// addNamed adds the sub-command that the first argument names, or all if it names none: to make all of them takes as long as
// many a command itself.
func addNamed(cmd *cobra.Command, args []string, all commands) {
	if len(args) > 0 {
		if make, ok := all[args[0]]; ok {
			cmd.CompletionOptions.DisableDefaultCmd = true
			cmd.AddCommand(make(args[1:]))
			return
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		cmd.AddCommand(all[name](nil))
	}
}

// group returns a command that is nothing but its sub-commands.
func group(name, short string, args []string, all commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Args:  subcommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	addNamed(cmd, args, all)
	return cmd
}

// subcommand refuses what is none, and names the sub-commands that are like it.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := cobra.NoArgs(cmd, args)
	cmd.SuggestionsMinimumDistance = 2
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		err = fmt.Errorf("%w (did you mean %s?)", err, strings.Join(like, " or "))
	}
	return err
}

func output(cmd *cobra.Command) cli.Output {
	return cli.Output{Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr()}
}

func auditCommand([]string) *cobra.Command {
	var flags cli.AuditFlags
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Audit headers, stack and events",
		Long: `Audit installs the headers of ./zfs/include into out/include, checks the stack usage of
the build in ./zfs, and runs the event checks of zevent-test. It prints a line an
audit, which ends with where its input came from, and writes out/audit.json.

The events are checked on the emulator unless --device names the device of a loaded module.
That is for test machines: the checks empty the machine's event queue and create a pool.

Exit status: 0 clean, 1 findings, 2 could not be done.`,
		Example: "  kmodaudit audit\n  kmodaudit audit -C kmodaudit.toml --json result.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cli.Audit(cmd.Context(), cmd.OutOrStdout(), flags)
		},
	}
	cmd.Flags().StringVarP(&flags.Config, "config", "C", "", "configuration `file` (default: kmodaudit.toml, if there is one)")
	cmd.Flags().StringVar(&flags.JSON, "json", "", "`file` for the result (default: audit.json in the output directory)")
	cmd.Flags().StringVar(&flags.Device, "device", "", "check the loaded module through this `device`, such as /dev/zfs")
	return cmd
}
