package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/terminal"
	"github.com/bellwether-db/bellwether/router"
)

// explainOptions are the flags of explain.
type explainOptions struct {
	config  string
	flavour string
}

func explainCommand() *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   `explain "SQL"`,
		Short: "Say where a statement goes, and why",
		Long: `Explain says what a statement is, where it goes and why, in a session that has done nothing before.

Without --config it takes a healthy master and a healthy slave for granted, and that no function
or view named in the statement is a stored function of yours. With --config it asks the nodes.`,
		Example: `  bellwether explain "SELECT * FROM t WHERE id = 1 FOR UPDATE"`,
		Args:    cobra.ExactArgs(1),
		RunE: terminal.Running(func(cmd *cobra.Command, args []string) error {
			return explain(cmd.Context(), o, args[0], cmd.OutOrStdout())
		}),
	}
	terminal.ConfigFlag(cmd, &o.config)
	cmd.Flags().StringVar(&o.flavour, "flavour", "mysql", "read the statement as `mysql` or mariadb does")
	_ = cmd.RegisterFlagCompletionFunc("flavour", cobra.FixedCompletions([]string{"mysql", "mariadb"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func explain(ctx context.Context, o explainOptions, sql string, out io.Writer) error {
	flavour, err := parseFlavour(o.flavour)
	if err != nil {
		return err
	}
	topology, rules := imagined(flavour), &router.Rules{}
	if o.config != "" {
		if topology, rules, err = observed(ctx, o.config); err != nil {
			return err
		}
		flavour = topology.Nodes[max(topology.Master, 0)].Flavour
	}
	statement := router.NewClassifier(1).Classify([]byte(sql), router.Dialect{Flavour: flavour}, new(router.Scratch))
	decision := router.Decide(statement, router.Facts{Autocommit: true}, topology, rules)
	return writeExplanation(out, statement, decision, topology)
}

func parseFlavour(word string) (cluster.Flavour, error) {
	for _, flavour := range []cluster.Flavour{cluster.FlavourMySQL, cluster.FlavourMariaDB} {
		if strings.EqualFold(word, flavour.String()) {
			return flavour, nil
		}
	}
	return cluster.FlavourUnknown, fmt.Errorf("flavour %q is neither mysql nor mariadb", word)
}

// imagined is a cluster in which all is well.
func imagined(flavour cluster.Flavour) *cluster.Topology {
	return &cluster.Topology{
		Nodes: []cluster.Node{
			{Name: "master", Role: cluster.RoleMaster, Health: cluster.HealthUp, Weight: 1, Flavour: flavour},
			{Name: "slave", Role: cluster.RoleSlave, Health: cluster.HealthUp, Weight: 1, Flavour: flavour, ReadOnly: true},
		},
		Writes:    cluster.WritesOpen,
		Readable:  []int{1},
		Catalogue: &cluster.Catalogue{Version: 1, Known: true},
	}
}

// writeExplanation prints what a person wants to know of a decision.
func writeExplanation(out io.Writer, s *router.Statement, d router.Decision, t *cluster.Topology) error {
	where := d.Target.String()
	switch {
	case d.Action != router.ActionRoute:
		where = explainAction(d)
	case d.Node >= 0:
		where += " (" + t.Nodes[d.Node].Name + ")"
	}
	_, err := fmt.Fprintf(out, "shape   %s\nclass   %s\ntarget  %s\nreason  %s\nwhy     %s\n", s.Fingerprint, s.Kind, where, d.Reason, d.Reason.Says())
	return err
}

// explainAction says what becomes of a statement that has no plain target.
func explainAction(d router.Decision) string {
	switch {
	case d.Action == router.ActionLocal && d.Reason == router.ReasonConnectionID:
		return "master, in whose answer Bellwether puts the client's own id"
	case d.Action == router.ActionLocal && d.Reason == router.ReasonKill:
		return "none if the id is that of a client, whom Bellwether ends itself; master if it is not"
	case d.Action == router.ActionLocal && d.Reason == router.ReasonBellwether:
		return "none, Bellwether answers it itself"
	case d.Action == router.ActionReject:
		return "none, it is refused"
	case d.Action == router.ActionHold:
		return "master, once there is one that takes it; until then it waits, up to proxy.hold_timeout"
	}
	return d.Action.String()
}
