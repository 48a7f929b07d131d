package terminal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/running"
)

// glance is everything that status shows, with what it came from. It is a value.
type glance struct {
	Cluster  json.RawMessage `json:"cluster"`
	Nodes    json.RawMessage `json:"nodes"`
	Problems json.RawMessage `json:"problems"`
}

func statusCommand() *cobra.Command {
	var l live
	cmd := &cobra.Command{
		Use:   "status --config FILE",
		Short: "Show at a glance how the cluster does",
		Long: `Status shows who is master, whether writes are served and as safe as promised, how every node does,
and what is the matter. The exit code is 1 where writes are not served now.`,
		Args: cobra.NoArgs,
		RunE: Running(func(cmd *cobra.Command, _ []string) error {
			return l.show(cmd.Context(), cmd.OutOrStdout(), func(ctx context.Context, from running.Bellwether, out io.Writer) error {
				return drawStatus(ctx, from, out, l.output == "json")
			})
		}),
	}
	l.flags(cmd)
	return cmd
}

func nodesCommand() *cobra.Command {
	var l live
	cmd := &cobra.Command{
		Use: "nodes --config FILE", Short: "List the nodes: role, health, lag, whether reads go there; add, remove or weigh one", Args: cobra.NoArgs,
		RunE: Running(func(cmd *cobra.Command, _ []string) error {
			return l.show(cmd.Context(), cmd.OutOrStdout(), func(ctx context.Context, from running.Bellwether, out io.Writer) error {
				var raw json.RawMessage
				if err := from.Do(ctx, http.MethodGet, "/v1/nodes", nil, &raw); err != nil {
					return err
				}
				if l.output == "json" {
					return writeDocument(out, raw)
				}
				var view admin.NodesView
				if err := json.Unmarshal(raw, &view); err != nil {
					return fmt.Errorf("read nodes: %w", err)
				}
				return writeNodes(out, view.Nodes)
			})
		}),
	}
	l.flags(cmd)
	cmd.AddCommand(addNodeCommand(), removeNodeCommand(), weightCommand())
	return cmd
}

func drawStatus(ctx context.Context, from running.Bellwether, out io.Writer, document bool) error {
	var g glance
	for path, into := range map[string]*json.RawMessage{"/v1/cluster": &g.Cluster, "/v1/nodes": &g.Nodes, "/v1/problems": &g.Problems} {
		if err := from.Do(ctx, http.MethodGet, path, nil, into); err != nil {
			return err
		}
	}
	var c admin.ClusterView
	err := json.Unmarshal(g.Cluster, &c)
	if err == nil && document {
		err = writeDocument(out, g)
	} else if err == nil {
		err = g.write(out, &c)
	}
	if err != nil {
		return fmt.Errorf("show the status: %w", err)
	}
	if !c.Ready {
		return ErrTold
	}
	return nil
}

func (g *glance) write(out io.Writer, c *admin.ClusterView) error {
	var nodes admin.NodesView
	var problems admin.ProblemsView
	if err := errors.Join(json.Unmarshal(g.Nodes, &nodes), json.Unmarshal(g.Problems, &problems)); err != nil {
		return err
	}
	writeState(out, c)
	if err := writeNodes(out, nodes.Nodes); err != nil {
		return err
	}
	for _, p := range problems.Problems {
		fmt.Fprintf(out, "\n%s: %s", p.Priority, strings.TrimSpace(p.Node+" "+p.Description))
		for _, e := range p.Evidence {
			fmt.Fprintf(out, "\n    %s", e)
		}
		fmt.Fprintln(out)
	}
	return nil
}

// writeState says in two lines what matters most.
func writeState(out io.Writer, c *admin.ClusterView) {
	state := "READY: writes are served"
	switch {
	case !c.Ready:
		state = "NOT READY: " + c.NotReady
	case c.Degraded != "":
		state = "DEGRADED: " + c.Degraded
	}
	if c.Ready && c.Master != nil {
		state += " by " + *c.Master
	}
	fmt.Fprintf(out, "%s\n%s, feed %s, consistency %s, generation %d; %d clients, %d held; bellwether %s, up %s\n\n",
		state, known(c.Family), known(c.Feed), c.Consistency, c.Generation, known(c.Clients), known(c.Held), c.Version, time.Duration(c.UptimeSeconds)*time.Second)
}

// known is a value, or the zero one where it is not known.
func known[T any](value *T) (v T) {
	if value != nil {
		v = *value
	}
	return v
}

func writeNodes(out io.Writer, nodes []admin.NodeView) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NODE\tADDRESS\tROLE\tHEALTH\tREADS\tLAG\tREPLICATION\tBUSY/IDLE\tVERSION\tNOTES")
	for i := range nodes {
		n := &nodes[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d/%d\t%s\t%s\n", n.Name, n.Address, n.Role, n.Health, yes(n.ServesReads), seconds(n.LagSeconds),
			cmp.Or(n.Replication, "-"), n.Connections.Busy, n.Connections.Idle, cmp.Or(n.Version, "-"), strings.Join(notes(n), "; "))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// notes is what is special about a node.
func notes(n *admin.NodeView) (notes []string) {
	for _, of := range []struct {
		is   bool
		says string
	}{
		{n.Fenced, "fenced"}, {n.Drain, "drained"}, {n.Maintenance, "maintenance"}, {n.Weight != cluster.DefaultWeight, "weight " + strconv.Itoa(n.Weight)},
		{n.Touched != "", "touched by hand: " + n.Touched}, {n.Problem != "", n.Problem},
	} {
		if of.is {
			notes = append(notes, of.says)
		}
	}
	return notes
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "-"
}

func seconds(s *float64) string {
	if s == nil {
		return "-"
	}
	return strconv.FormatFloat(*s, 'f', 1, 64) + "s"
}
