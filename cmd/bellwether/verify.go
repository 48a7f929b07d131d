package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bellwether-db/bellwether/admin/operation"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/running"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/terminal"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/verify"
)

// verifyOptions are the flags of verify.
type verifyOptions struct {
	config   string
	chunk    time.Duration
	lock     time.Duration
	patience time.Duration
}

func verifyCommand() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify [NODE] --config FILE",
		Short: "Compare slaves with the master while writes go on",
		Long: `Verify compares every row and every definition of a slave with the master's and names what differs.
Writes go on: what differs only because it was just written to is looked at again, and nothing is
reported that is not proven at one position. For a proof up to a thousand rows are locked against
writes for a moment (--lock bounds it). Nothing is changed anywhere.

Without NODE it compares one slave after the other. While bellwether serve runs on this configuration,
it is the one that compares, and a slave that was changed by hand and is equal serves again. The exit code is 0 if all was compared and is
equal, and 1 if something differs or could not be compared.`,
		Args: cobra.MaximumNArgs(1),
		RunE: terminal.Running(func(cmd *cobra.Command, args []string) error {
			return verifyNodes(cmd.Context(), o, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		}),
	}
	terminal.RequireConfig(cmd, &o.config)
	flags := cmd.Flags()
	flags.DurationVar(&o.chunk, "chunk", 300*time.Millisecond, "about how long one chunk of rows takes; there is a rest of that length after each")
	flags.DurationVar(&o.lock, "lock", 2*time.Second, "how long writes to a chunk may have to wait for a proof")
	flags.DurationVar(&o.patience, "patience", time.Minute, "how long the slave may take to catch up")
	return cmd
}

// verifyNodes compares the node named, or one slave after the other.
func verifyNodes(ctx context.Context, o verifyOptions, args []string, out, progress io.Writer) error {
	f, err := loadFleet(o.config)
	if err != nil {
		return err
	}
	slaves, err := f.slaves(args)
	if err != nil {
		return err
	}
	alone, release, err := running.HoldState(f.stateDir)
	if err != nil {
		return err
	}
	release()
	if !alone {
		return o.ask(ctx, first(args), out, progress)
	}
	equal := true
	for _, slave := range slaves {
		same, failed := o.compare(ctx, f, slave, out, progress)
		equal = equal && same
		err = errors.Join(err, failed)
	}
	if err == nil && !equal {
		return terminal.ErrTold
	}
	return err
}

func (o verifyOptions) compare(ctx context.Context, f *fleet, slave control.Node, out, progress io.Writer) (equal bool, err error) {
	v := verify.New(verify.Config{
		Source: f.master, Target: slave, Nodes: f.nodes, ChunkTime: o.chunk, LockTime: o.lock, Patience: o.patience,
	})
	var report verify.Report
	err = terminal.Showing(ctx, progress, func() string { return slave.Name + ": " + v.Progress().String() }, func(ctx context.Context) (err error) {
		report, err = v.Run(ctx)
		return err
	})
	for _, d := range report.Differences {
		fmt.Fprintf(out, "%s: %v\n", slave.Name, d)
	}
	for _, u := range report.Undecided {
		fmt.Fprintf(out, "%s: undecided: %s\n", slave.Name, u)
	}
	if err != nil {
		return false, err
	}
	verdict := "equal"
	if !report.Equal() {
		verdict = fmt.Sprintf("%d differences, %d undecided", len(report.Differences), len(report.Undecided))
	}
	fmt.Fprintf(out, "%s: %s (%d tables, %d rows, %d chunks looked at again, %d locked)\n", slave.Name, verdict, report.Tables, report.Rows, report.Rechecked, report.Locked)
	return report.Equal(), nil
}

// ask has the Bellwether that runs compare the node named, or all for "".
func (o verifyOptions) ask(ctx context.Context, node string, out, progress io.Writer) error {
	done, err := terminal.Operate(ctx, o.config, operation.Request{Kind: "verify", Node: node, Options: operation.Options{
		ChunkMS: inMilliseconds(o.chunk), LockMS: inMilliseconds(o.lock), PatienceSeconds: o.patience.Seconds(),
	}}, out, progress)
	if err != nil {
		return err
	}
	var found verified
	if err := json.Unmarshal(done.Result, &found); err != nil {
		return fmt.Errorf("read what was compared: %w", err)
	}
	for _, n := range found.Nodes {
		for _, d := range n.Differences {
			fmt.Fprintf(out, "%s: %s\n", n.Node, d)
		}
		for _, u := range n.Undecided {
			fmt.Fprintf(out, "%s: undecided: %s\n", n.Node, u)
		}
	}
	if !found.Equal {
		return terminal.ErrTold
	}
	return nil
}
