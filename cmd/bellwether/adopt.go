package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/terminal"
	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/replicator"
)

// adoptOptions are the flags of adopt.
type adoptOptions struct {
	config   string
	feed     string
	dryRun   bool
	patience time.Duration
}

func adoptCommand() *cobra.Command {
	var o adoptOptions
	cmd := &cobra.Command{
		Use:   "adopt --config FILE",
		Short: "Have the slaves of a running fleet replicate from Bellwether, or from the master again",
		Long: `Adopt changes replication.feed of a Bellwether that runs: from direct, where the slaves replicate from
the master by themselves, to relay, where they do from Bellwether's stored log; or back, with --feed
direct. Nothing is copied, clients notice nothing: the stored log catches up with the master first, then
commits wait until they are stored, then the slaves change their source, one after the other.

It looks at every node, says what will change, and refuses, with the SQL, where something is not right.
Then it sets the key in FILE, has Bellwether reload it, and waits until every slave runs from its new
source. The exit code is 1 where that does not come to pass, with what is missing.`,
		Args: terminal.NoArguments("the configuration file", "config"),
		RunE: terminal.Running(func(cmd *cobra.Command, _ []string) error {
			return adopt(cmd.Context(), o, cmd.OutOrStdout())
		}),
	}
	terminal.RequireConfig(cmd, &o.config)
	flags := cmd.Flags()
	flags.StringVar(&o.feed, "feed", "relay", "what slaves are to replicate from: relay (Bellwether's stored log) or direct (the master)")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what will change, and change nothing")
	flags.DurationVar(&o.patience, "patience", 10*time.Minute, "wait so long for the slaves")
	_ = cmd.RegisterFlagCompletionFunc("feed", cobra.FixedCompletions([]string{"relay", "direct"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func adopt(ctx context.Context, o adoptOptions, out io.Writer) error {
	feed, err := replicator.ParseFeed(o.feed)
	if err != nil {
		return fmt.Errorf("--feed: %w", err)
	}
	a, err := newAdoption(o.config, feed)
	if err != nil {
		return err
	}
	if err := a.examine(ctx, out); err != nil || o.dryRun {
		return err
	}
	if err := a.reconfigure(ctx, out); err != nil {
		return err
	}
	return a.await(ctx, o.patience, out)
}

// reconfigure sets the feed in the file and has it reloaded. A file that is
// refused is put back.
func (a *adoption) reconfigure(ctx context.Context, out io.Writer) error {
	path := a.config.Path()
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	text, err := config.WithFeed(path, old, a.feed.String())
	if err != nil {
		return err
	}
	if err := replaceFile(path, text); err != nil {
		return err
	}
	if err := a.caller.Reload(ctx); err != nil {
		if back := replaceFile(path, old); back != nil {
			return fmt.Errorf("%w; and the file could not be put back: %w", err, back)
		}
		return fmt.Errorf("%w; %s is as it was", err, path)
	}
	_, err = fmt.Fprintf(out, "\n%s says feed: %s now, and bellwether has reloaded it.\n", path, a.feed)
	return err
}
