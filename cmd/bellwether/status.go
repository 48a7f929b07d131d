package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// seenCluster is what status shows of GET /v1/cluster. It is a value.
type seenCluster struct {
	Version       string  `json:"version"`
	Family        string  `json:"family"`
	UptimeSeconds float64 `json:"uptime_seconds"`
	Generation    uint64  `json:"generation"`
	Master        *string `json:"master"`
	Writes        string  `json:"writes"`
	Ready         bool    `json:"ready"`
	NotReady      string  `json:"not_ready"`
	Degraded      string  `json:"degraded"`
	Feed          string  `json:"feed"`
	Consistency   string  `json:"consistency"`
	Clients       int     `json:"clients"`
	Held          int     `json:"held_statements"`
}

// seenNode is what status shows of one of GET /v1/nodes. It is a value.
type seenNode struct {
	Name        string   `json:"name"`
	Address     string   `json:"address"`
	Role        string   `json:"role"`
	Health      string   `json:"health"`
	Problem     string   `json:"problem"`
	Weight      int      `json:"weight"`
	ServesReads bool     `json:"serves_reads"`
	Drain       bool     `json:"drain"`
	Maintenance bool     `json:"maintenance"`
	Fenced      bool     `json:"fenced"`
	Touched     string   `json:"touched"`
	Replication string   `json:"replication"`
	LagSeconds  *float64 `json:"lag_seconds"`
	Version     string   `json:"version"`
	Connections struct{ Idle, Busy int }
}

// seenProblem is one of GET /v1/problems. It is a value.
type seenProblem struct {
	Node        string   `json:"node"`
	Priority    string   `json:"priority"`
	Description string   `json:"description"`
	Evidence    []string `json:"evidence"`
}

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
		RunE: running(func(cmd *cobra.Command, _ []string) error {
			return l.show(cmd.Context(), cmd.OutOrStdout(), func(ctx context.Context, from caller, out io.Writer) error {
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
		RunE: running(func(cmd *cobra.Command, _ []string) error {
			return l.show(cmd.Context(), cmd.OutOrStdout(), func(ctx context.Context, from caller, out io.Writer) error {
				var raw json.RawMessage
				if err := from.do(ctx, http.MethodGet, "/v1/nodes", nil, &raw); err != nil {
					return err
				}
				if l.output == "json" {
					return writeDocument(out, raw)
				}
				nodes, err := readList[seenNode](raw, "nodes")
				if err != nil {
					return err
				}
				return writeNodes(out, nodes)
			})
		}),
	}
	l.flags(cmd)
	cmd.AddCommand(addNodeCommand(), removeNodeCommand(), weightCommand())
	return cmd
}

func drawStatus(ctx context.Context, from caller, out io.Writer, document bool) error {
	var g glance
	for path, into := range map[string]*json.RawMessage{"/v1/cluster": &g.Cluster, "/v1/nodes": &g.Nodes, "/v1/problems": &g.Problems} {
		if err := from.do(ctx, http.MethodGet, path, nil, into); err != nil {
			return err
		}
	}
	var c seenCluster
	err := json.Unmarshal(g.Cluster, &c)
	if err == nil && document {
		err = writeDocument(out, g)
	} else if err == nil {
		err = g.write(out, c)
	}
	if err != nil {
		return fmt.Errorf("show the status: %w", err)
	}
	if !c.Ready {
		return errTold
	}
	return nil
}

func (g *glance) write(out io.Writer, c seenCluster) error {
	nodes, err := readList[seenNode](g.Nodes, "nodes")
	if err != nil {
		return err
	}
	problems, err := readList[seenProblem](g.Problems, "problems")
	if err != nil {
		return err
	}
	writeState(out, c)
	if err := writeNodes(out, nodes); err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintf(out, "\n%s: %s", p.Priority, strings.TrimSpace(p.Node+" "+p.Description))
		for _, e := range p.Evidence {
			fmt.Fprintf(out, "\n    %s", e)
		}
		fmt.Fprintln(out)
	}
	return nil
}

// readList reads the one list of a document.
func readList[T any](raw json.RawMessage, name string) ([]T, error) {
	var lists map[string]json.RawMessage
	if err := json.Unmarshal(raw, &lists); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	var list []T
	if err := json.Unmarshal(lists[name], &list); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return list, nil
}

// writeState says in two lines what matters most.
func writeState(out io.Writer, c seenCluster) {
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
	up := time.Duration(c.UptimeSeconds * float64(time.Second)).Round(time.Second)
	fmt.Fprintf(out, "%s\n%s, feed %s, consistency %s, generation %d; %d clients, %d held; bellwether %s, up %s\n\n",
		state, c.Family, c.Feed, c.Consistency, c.Generation, c.Clients, c.Held, c.Version, up)
}

func writeNodes(out io.Writer, nodes []seenNode) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NODE\tADDRESS\tROLE\tHEALTH\tREADS\tLAG\tREPLICATION\tBUSY/IDLE\tVERSION\tNOTES")
	for i := range nodes {
		n := &nodes[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d/%d\t%s\t%s\n", n.Name, n.Address, n.Role, n.Health, yes(n.ServesReads), seconds(n.LagSeconds),
			cmp.Or(n.Replication, "-"), n.Connections.Busy, n.Connections.Idle, cmp.Or(n.Version, "-"), strings.Join(n.notes(), "; "))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// notes is what is special about a node.
func (n *seenNode) notes() (notes []string) {
	for _, of := range []struct {
		is   bool
		says string
	}{{n.Fenced, "fenced"}, {n.Drain, "drained"}, {n.Maintenance, "maintenance"}, {n.Touched != "", "touched by hand: " + n.Touched}, {n.Problem != "", n.Problem}} {
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
