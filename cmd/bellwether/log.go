package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/terminal"
	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// logOptions say which stored log to look at.
type logOptions struct {
	config string
	dir    string
	key    []byte
}

func logCommand() *cobra.Command {
	var o logOptions
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Look inside the stored log",
		Long: `Log looks inside the stored log of replication.feed relay. It changes nothing, and may be used while
Bellwether runs. The files are named by --config, or by --dir where they are not encrypted; without
encryption mysqlbinlog and mariadb-binlog read them, too.`,
		Args: cobra.NoArgs,
	}
	cmd.PersistentFlags().StringVarP(&o.config, "config", "c", "", "the configuration `file`")
	cmd.PersistentFlags().StringVar(&o.dir, "dir", "", "the `folder` of the stored log")
	cmd.MarkFlagsOneRequired("config", "dir")
	cmd.MarkFlagsMutuallyExclusive("config", "dir")
	_ = cmd.MarkPersistentFlagFilename("config", "yaml", "yml")
	_ = cmd.MarkPersistentFlagDirname("dir")
	cmd.AddCommand(logListCommand(&o), logShowCommand(&o), logVerifyCommand(&o))
	return cmd
}

func logListCommand(o *logOptions) *cobra.Command {
	return &cobra.Command{
		Use: "ls", Short: "List its files, and what came before each", Args: cobra.NoArgs,
		RunE: o.running(func(_ context.Context, out io.Writer) error { return o.list(out) }),
	}
}

func logShowCommand(o *logOptions) *cobra.Command {
	var gtid string
	cmd := &cobra.Command{
		Use: "show --gtid GTID", Short: "Show where a transaction is, and its events", Args: cobra.NoArgs,
		RunE: o.running(func(ctx context.Context, out io.Writer) error { return o.show(ctx, gtid, out) }),
	}
	cmd.Flags().StringVar(&gtid, "gtid", "", "such as 3e11fa47-71ca-11e1-9e33-c80aa9429562:23, or 0-1-23 on MariaDB")
	_ = cmd.MarkFlagRequired("gtid")
	return cmd
}

func logVerifyCommand(o *logOptions) *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Read every byte: checksums, order, nothing missing", Args: cobra.NoArgs,
		RunE: o.running(o.verify),
	}
}

// running makes a command of work on the log that the flags name.
func (o *logOptions) running(work func(ctx context.Context, out io.Writer) error) func(*cobra.Command, []string) error {
	return terminal.Running(func(cmd *cobra.Command, _ []string) error {
		if o.config != "" {
			c, err := config.Load(o.config)
			if err != nil {
				return err
			}
			r := c.ReplicatorConfig()
			o.dir, o.key = r.StoredLog(), r.Key
		}
		return work(cmd.Context(), cmd.OutOrStdout())
	})
}

func (o *logOptions) list(out io.Writer) error {
	files, err := storedlog.List(o.dir, o.key)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s holds no stored log; there is one once a Bellwether with replication.feed relay has run", o.dir)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FILE\tBYTES\tMODIFIED\tSERVER\tENCRYPTED\tBEFORE IT")
	for _, f := range files {
		encrypted := "no"
		if f.Encrypted {
			encrypted = "yes"
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\n",
			f.Name, f.Size, f.Modified.UTC().Format(time.RFC3339), f.Version, encrypted, setText(f.Before))
	}
	return table.Flush()
}

func (o *logOptions) show(ctx context.Context, text string, out io.Writer) error {
	gtid, err := cluster.ParseGTID(cluster.FlavourMySQL, text)
	if err != nil {
		if gtid, err = cluster.ParseGTID(cluster.FlavourMariaDB, text); err != nil {
			return fmt.Errorf("--gtid %q: write uuid:number, uuid:tag:number, or domain-server-sequence", text)
		}
	}
	found, err := storedlog.Find(ctx, o.dir, o.key, gtid)
	if errors.Is(err, storedlog.ErrNotFound) {
		return fmt.Errorf("%s is not in %s: `bellwether log ls` shows what came before the oldest file", gtid, o.dir)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s, offset %d, %d bytes\n\n", found.GTID, found.File, found.Offset, found.Size)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "OFFSET\tEVENT\tBYTES\tSERVER ID\tWRITTEN")
	for _, e := range found.Events {
		fmt.Fprintf(table, "%d\t%s\t%d\t%d\t%s\n", e.Offset, e.Type, e.Size, e.ServerID, e.Written.UTC().Format(time.RFC3339))
	}
	return table.Flush()
}

func (o *logOptions) verify(ctx context.Context, out io.Writer) error {
	v, err := storedlog.Verify(ctx, o.dir, o.key)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d files, %d transactions, %d bytes\nfrom  %s\nto    %s\n", v.Files, v.Transactions, v.Bytes, setText(v.First), setText(v.Last))
	if v.Open > 0 {
		fmt.Fprintf(out, "%d bytes behind the last transaction: one that is being written, or what a crash left and the next start cuts\n", v.Open)
	}
	for _, problem := range v.Problems {
		fmt.Fprintf(out, "problem: %s\n", problem)
	}
	if len(v.Problems) > 0 {
		return terminal.ErrTold
	}
	_, err = fmt.Fprintln(out, "All is well.")
	return err
}

// setText is a set for people.
func setText(s *cluster.GTIDSet) string {
	if text := s.String(); text != "" {
		return text
	}
	return "nothing"
}
