package terminal

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/running"
)

// addNodeCommand and those behind it change which nodes there are, and what of
// the reads they get, by the Bellwether that runs: it writes the configuration.
func addNodeCommand() *cobra.Command {
	var path string
	var n admin.NewNode
	weight := 1
	cmd := &cobra.Command{
		Use: "add NAME ADDRESS --config FILE", Short: "Take a slave in while Bellwether runs", Args: cobra.ExactArgs(2),
		Long: `Add takes a server in as a slave, at once, and writes it into the configuration. It is set up as every slave
is; one without the master's data is made a copy by bellwether sync NAME, for which it is best added with --maintenance.`,
		RunE: Running(func(cmd *cobra.Command, args []string) error {
			n.Name, n.Address = args[0], args[1]
			if cmd.Flags().Changed("weight") {
				n.Weight = &weight
			}
			return tellRunning(cmd, path, http.MethodPost, "/v1/nodes", n)
		}),
	}
	RequireConfig(cmd, &path)
	flags := cmd.Flags()
	flags.IntVar(&weight, "weight", weight, "its share of the reads, next to the others'")
	flags.BoolVar(&n.Drain, "drain", false, "no reads go there yet")
	flags.BoolVar(&n.Maintenance, "maintenance", false, "it is left alone until maintenance NODE off")
	flags.StringVar(&n.DataCentre, "datacentre", "", "where it stands")
	flags.StringVar(&n.REST, "rest", "", "an `address` of its own for REST calls")
	return cmd
}

func removeNodeCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use: "remove NAME --config FILE", Short: "Let go of a slave while Bellwether runs", Args: cobra.ExactArgs(1),
		Long: "Remove lets go of a slave at once, and takes it out of the configuration. On the server nothing is changed: it goes on replicating, if it can, until somebody stops it.",
		RunE: Running(func(cmd *cobra.Command, args []string) error {
			return tellRunning(cmd, path, http.MethodDelete, "/v1/nodes/"+url.PathEscape(args[0]), nil)
		}),
	}
	RequireConfig(cmd, &path)
	return cmd
}

func weightCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use: "weight NAME N --config FILE", Short: "Change a node's share of the reads", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			weight, err := strconv.Atoi(args[1])
			if err != nil || weight < 0 || weight > cluster.MostWeight {
				return noWeight(args[1])
			}
			return Running(func(cmd *cobra.Command, _ []string) error {
				return tellRunning(cmd, path, http.MethodPatch, "/v1/nodes/"+url.PathEscape(args[0]), admin.NodeChange{Weight: &weight})
			})(cmd, args)
		},
	}
	RequireConfig(cmd, &path)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		var unknown interface{ GetSpecifiedShortnames() string }
		if errors.As(err, &unknown) {
			if _, other := strconv.ParseUint(unknown.GetSpecifiedShortnames(), 10, 64); other == nil {
				return noWeight("-" + unknown.GetSpecifiedShortnames())
			}
		}
		return err
	})
	return cmd
}

func noWeight(text string) error {
	return fmt.Errorf("%q is not a weight: it is a whole number from 0 (no reads) to %d", text, cluster.MostWeight)
}

// tellRunning has the Bellwether that runs change something.
func tellRunning(cmd *cobra.Command, path, method, call string, what any) error {
	c, err := running.On(path)
	if err != nil {
		return err
	}
	return c.Do(cmd.Context(), method, call, what, nil)
}
