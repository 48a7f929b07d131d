package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/terminal"
	"github.com/bellwether-db/bellwether/config"
)

// inspectTimeout bounds how long check talks with the nodes.
const inspectTimeout = 20 * time.Second

func checkCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Check a configuration and its nodes, and say what to change",
		Long: `Check reads the configuration, connects to every node and says what it is: version, role, GTID
mode, binary log format, privileges; what it lacks to be master or slave under replication.feed (the
semi-synchronous plugin and its settings, sync_binlog, the slaves' account, ...); and what has to change,
with the SQL to do it. Some of that Bellwether sets by itself once it serves.

The exit code is 0 if all is well, and 1 if something must change.`,
		Args: terminal.NoArguments("the configuration file", "config"),
		RunE: terminal.Running(func(cmd *cobra.Command, _ []string) error {
			return check(cmd.Context(), path, cmd.OutOrStdout())
		}),
	}
	terminal.RequireConfig(cmd, &path)
	return cmd
}

func check(ctx context.Context, path string, out io.Writer) error {
	c, err := config.Load(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: the configuration is sound\n", path)
	for _, warning := range c.Warnings() {
		fmt.Fprintf(out, "warning: %s\n", warning)
	}
	ctx, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	wanted, err := withRecordedMaster(c)
	if err != nil {
		return err
	}
	report := cluster.Inspect(ctx, wanted, c.Pool.MaxPerNode)
	report.Findings = withNeeds(report.Findings, needsOf(ctx, c, wanted), c.ReplicatorConfig().Feed)
	if _, err := report.WriteTo(out); err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	if report.MustChange() {
		fmt.Fprintln(out, "\nSomething must change: see the verdict \"must\" above.")
		return terminal.ErrTold
	}
	_, err = fmt.Fprintln(out, "\nNothing must change.")
	return err
}
