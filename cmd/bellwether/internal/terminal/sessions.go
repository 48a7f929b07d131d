package terminal

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/running"
)

func sessionsCommand() *cobra.Command {
	l, query := live{}, url.Values{}
	var user, node string
	var pinned bool
	cmd := &cobra.Command{
		Use:   "sessions --config FILE",
		Short: "List the clients' sessions, what they run, and why they are pinned",
		Args:  cobra.NoArgs,
		RunE: Running(func(cmd *cobra.Command, _ []string) error {
			for name, value := range map[string]string{"user": user, "node": node} {
				if value != "" {
					query.Set(name, value)
				}
			}
			if pinned {
				query.Set("pinned", "true")
			}
			return l.show(cmd.Context(), cmd.OutOrStdout(), func(ctx context.Context, from running.Bellwether, out io.Writer) error {
				var s admin.SessionsView
				if err := from.Do(ctx, http.MethodGet, "/v1/sessions?"+query.Encode(), nil, &s); err != nil {
					return err
				}
				if l.output == "json" {
					return writeDocument(out, s)
				}
				return writeSessions(out, &s)
			})
		}),
	}
	l.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&user, "user", "", "those of one `account`")
	flags.StringVar(&node, "node", "", "those that are at one `node`")
	flags.BoolVar(&pinned, "pinned", false, "those that have a connection of their own")
	cmd.AddCommand(killCommand())
	return cmd
}

func writeSessions(out io.Writer, s *admin.SessionsView) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tUSER\tCLIENT\tDATABASE\tSTATE\tFOR\tNODE\tPINNED BY\tSTATEMENT")
	for i := range s.Sessions {
		c := &s.Sessions[i]
		node := "-"
		if c.Node != nil {
			node = *c.Node
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.ID, c.User, c.Client, cmp.Or(c.Database, "-"), c.State, seconds(&c.SinceSeconds),
			node, cmp.Or(strings.Join(c.Pins, ", "), "-"), brief(c.Statement, statementWidth))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if len(s.Sessions) < s.Total {
		fmt.Fprintf(out, "\n%d of %d\n", len(s.Sessions), s.Total)
	}
	return nil
}

func killCommand() *cobra.Command {
	var path string
	var statement bool
	cmd := &cobra.Command{
		Use: "kill ID --config FILE", Short: "End a client's session, or only what it runs", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseUint(args[0], 10, 32)
			if err != nil {
				return fmt.Errorf("%q is not the number of a session: see bellwether sessions", args[0])
			}
			return Running(func(cmd *cobra.Command, _ []string) error {
				return killSession(cmd.Context(), path, id, statement)
			})(cmd, args)
		},
	}
	RequireConfig(cmd, &path)
	cmd.Flags().BoolVar(&statement, "statement", false, "end only what it runs now")
	return cmd
}

func killSession(ctx context.Context, path string, id uint64, statement bool) error {
	from, err := running.On(path)
	if err != nil {
		return err
	}
	call := "/v1/sessions/" + strconv.FormatUint(id, 10)
	if statement {
		call += "?query=true"
	}
	return from.Do(ctx, http.MethodDelete, call, nil, nil)
}
