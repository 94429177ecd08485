package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/kmodaudit/kmodaudit/version"
	"github.com/kmodaudit/kmodaudit/zevent"
)

// printOptions are what the command line asks of a print.
type printOptions struct {
	verbose, scripted, follow, json bool
	from                            string // a recording in place of the module
	color                           string // one of the three below
	filter                          zevent.Filter
}

// When the text is coloured.
const (
	colorAuto   = "auto" // on a terminal
	colorAlways = "always"
	colorNever  = "never"
)

func rootCommand(s system) *cobra.Command {
	var o printOptions
	var clear bool
	cmd := &cobra.Command{
		Use:   "zevents [-vHf] [POOL] | -c",
		Short: "Print the events of ZFS as zpool events does",
		Long: `Zevents prints the events that the loaded zfs module has queued, or those of a recording,
with the text of zpool events of the same release. With POOL it leaves out the events of
other pools; a pool that is called like a subcommand is chosen with --pool.

With --json each line is one object: "type" is "event"; "eid" a number; "time" RFC 3339 in
UTC; "class" and, for an event of a pool, "pool"; "dropped" as zpool counts it; "payload"
an object with every pair. There integers of 64 bits are strings of decimal digits,
shorter ones numbers, byte arrays base64, and embedded lists objects. An object of "type"
"dropped" stands for a count whose event was left out.

On a terminal, or with --color=always, control characters in strings are printed as
escapes, such as \x1b. A terminal also gets colours, unless NO_COLOR is set or TERM is dumb.
Times of the text are local; TZ chooses another zone, as Europe/Paris or CET-1CEST. So are
those of --since and --until, as "2026-11-22 06:12:20", or as an event's is printed, unless
they are RFC 3339 and say their zone.

Exit status: 0, or 2 if something could not be done, an event that cannot be read among it.`,
		Example: `  zevents -v tank
  zevents -f --json --class 'ereport.*'
  zevents --from events.zevents --since 2026-11-22T06:12:20Z --class '*.resilver_*'
  zevents record -f -o events.zevents`,
		Version:               version.String(),
		Args:                  atMostOnePool,
		SilenceErrors:         true,
		SilenceUsage:          true,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if clear {
				return s.clear(cmd, args)
			}
			if err := o.complete(args); err != nil {
				return usageError{err}
			}
			p := newPrinter(o, s, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if o.from != "" {
				return p.printRecording(cmd.Context(), o.from, cmd.InOrStdin())
			}
			return s.print(cmd.Context(), p)
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "print the whole of each event")
	flags.BoolVarP(&o.scripted, "scripted", "H", false, "no header, and a tab between time and class")
	flags.BoolVarP(&o.follow, "follow", "f", false, "go on with the events that come, until interrupted")
	flags.BoolVarP(&clear, "clear", "c", false, "empty the queue, for every reader of the machine")
	flags.BoolVar(&o.json, "json", false, "print JSON, one object a line")
	flags.StringVar(&o.color, "color", colorAuto, "colour the text `when`: auto, always or never")
	flags.Lookup("color").NoOptDefVal = colorAlways
	flags.StringVar(&o.from, "from", "", "print the recording `file`, - for standard input; the module is left alone")
	flags.StringVar(&o.filter.Pool, "pool", "", "as POOL; for a `name` that is also a subcommand")
	flags.StringVar(&o.filter.Class, "class", "", "only events whose class matches the `pattern`, such as 'ereport.*'")
	flags.Var(moment{&o.filter.Since, s.location, time.Now}, "since", "only events from this time on, such as 2026-11-22, or 2h: two hours ago")
	flags.Var(moment{&o.filter.Until, s.location, time.Now}, "until", "only events before this time")
	cmd.AddCommand(recordCommand(s))
	return cmd
}

func atMostOnePool(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageError{errors.New("too many arguments")}
	}
	return nil
}

// complete adds the argument and refuses what contradicts itself.
func (o *printOptions) complete(args []string) error {
	switch {
	case len(args) == 1 && o.filter.Pool != "":
		return fmt.Errorf("both %q and --pool; choose one", args[0])
	case len(args) == 1:
		o.filter.Pool = args[0]
	}
	switch {
	case o.json && (o.verbose || o.scripted):
		return errors.New("--json is always whole and without a header; leave out -v and -H")
	case o.follow && o.from != "":
		return errors.New("-f follows the loaded module; leave it out with --from")
	case o.color != colorAuto && o.color != colorAlways && o.color != colorNever:
		return fmt.Errorf("--color=%q; choose auto, always or never", o.color)
	case len(args) == 1 && args[0] == "", o.filter.Pool != "" && !isPoolName(o.filter.Pool):
		return fmt.Errorf("invalid pool name %q", o.filter.Pool)
	}
	return o.filter.Check()
}

// isPoolName tells whether zpool lets a name pass: pool_namecheck of
// module/zcommon/zfs_namecheck.c, and zpool_name_valid of
// lib/libzfs/libzfs_pool.c, which keeps the names of vdevs.
func isPoolName(name string) bool {
	return poolName.MatchString(name) && len(name) <= maxPoolNameBytes && !vdevName.MatchString(name)
}

var (
	poolName = regexp.MustCompile(`^[A-Za-z][-A-Za-z0-9_.: ]*$`)
	vdevName = regexp.MustCompile(`^(mirror|raidz|draid|spare|log$)`)
)

// maxPoolNameBytes leaves room for "/$ORIGIN@$ORIGIN" in 255 bytes.
const maxPoolNameBytes = 239

// clear empties the queue of the module.
func (s system) clear(cmd *cobra.Command, args []string) error {
	if len(args) > 0 || cmd.Flags().NFlag() > 1 {
		return usageError{errors.New("invalid options combined with -c")}
	}
	device, err := s.open()
	if err != nil {
		return err
	}
	defer device.Close()
	events, err := device.Clear()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "cleared %d events\n", events)
	return err
}

func recordCommand(s system) *cobra.Command {
	var name string
	var follow bool
	cmd := &cobra.Command{
		Use:   "record [-f] -o FILE",
		Short: "Append the queued events to a recording",
		Long: `Record appends the queued events to a recording, made if there is none, and prints how
many. It goes on behind the event that was recorded last if the queue still holds that.
Otherwise it says whether the module was loaded anew, and records all that is queued. It
also says which EIDs are missing, as of events that were evicted before they were recorded.

Each event is one write. What is written reaches the disk before record waits or ends. A
line that a crash cut short is removed when the recording goes on. One process at a time
records into a file. A recording is of one release of the module on one kernel; for
another start another file.`,
		Example: "  zevents record -o events.zevents\n  zevents --from events.zevents -v",
		Args:    noArguments,

		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name == "" {
				return usageError{errors.New("no recording is named; add -o FILE")}
			}
			return s.record(cmd.Context(), name, follow, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVarP(&name, "output", "o", "", "the recording, a `file`")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with the events that come, until interrupted")
	return cmd
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{errors.New("too many arguments")}
	}
	return nil
}

// print prints the events of the module.
func (s system) print(ctx context.Context, p *printer) error {
	device, err := s.open()
	if err != nil {
		return err
	}
	defer device.Close()
	version, err := s.module()
	if err != nil {
		fmt.Fprintf(p.stderr, "zevents: reading the version of the module: %v; bits are printed without their names\n", err)
	}
	if err := p.start(version); err != nil {
		return err
	}
	return p.end(readQueue(ctx, device, p.options.follow, p))
}
