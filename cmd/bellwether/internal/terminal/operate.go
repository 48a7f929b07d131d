package terminal

import (
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/admin/operation"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/running"
	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/failover"
)

func switchoverCommand() *cobra.Command {
	return operationCommand("switchover", "Make another node the master, while the present one works", `Switchover has a Bellwether that runs hold new writes for a moment, wait until the node has everything,
and swap the roles. No client gets an error, nothing is lost. Without --to the best slave is taken. It
refuses, with the reason, where the node could not be ready in time.`)
}

func failoverCommand() *cobra.Command {
	return operationCommand("failover", "Give the master up, and make a slave the master", `Failover has a Bellwether that runs give the master up, whether it works or not, and promote the best
slave that has every acknowledged write. Bellwether does this by itself for a master that is dead, unless
failover.automatic is false. The old master is fenced, and comes back as a slave once it answers.`)
}

func operationCommand(kind, short, long string) *cobra.Command {
	var path string
	o := operation.Request{Kind: kind}
	cmd := &cobra.Command{
		Use: kind + " --config FILE", Short: short, Long: long, Args: NoArguments("the node that is to be the master", "to"),
		RunE: Running(func(cmd *cobra.Command, _ []string) error {
			_, err := Operate(cmd.Context(), path, o, cmd.OutOrStdout(), cmd.ErrOrStderr())
			return err
		}),
	}
	RequireConfig(cmd, &path)
	flags := cmd.Flags()
	flags.StringVar(&o.To, "to", "", "the `node` that is to be the master (the best one)")
	flags.StringVar(&o.Reason, "reason", "", "why, for the record")
	flags.BoolVar(&o.DryRun, "dry-run", false, "say what would be done, and do nothing")
	flags.BoolVar(&o.Force, "force", false, "pass over preferences, versions and lag; never over acknowledged writes")
	return cmd
}

func incidentsCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "incidents [ID] --config FILE",
		Short: "Tell what was done about failures, or one incident as a story",
		Long:  `Incidents lists the failovers, switchovers and returns of former masters that state_dir has on record, the last 100; or tells one step by step. It only reads, and needs no Bellwether that runs.`,
		Args:  cobra.MaximumNArgs(1),
		RunE: Running(func(cmd *cobra.Command, args []string) error {
			c, err := config.Load(path)
			if err != nil {
				return err
			}
			all, err := failover.ReadIncidents(c.StateDir)
			if err != nil {
				return err
			}
			return printIncidents(all, args, cmd.OutOrStdout())
		}),
	}
	RequireConfig(cmd, &path)
	return cmd
}

func printIncidents(all []failover.Incident, args []string, out io.Writer) error {
	for _, i := range all {
		if len(args) == 0 {
			fmt.Fprintf(out, "%s  %-10s %-8s %s -> %s  %s\n", i.ID, i.Kind, i.Outcome, i.From, i.To, i.Says)
		} else if i.ID == args[0] {
			_, err := fmt.Fprintln(out, i.Story())
			return err
		}
	}
	if len(args) > 0 {
		return fmt.Errorf("there is no incident %s", args[0])
	}
	return nil
}

func nodeCommand(name, short string, wish func(*admin.NodeChange, *bool)) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use: name + " NODE on|off --config FILE", Short: short, Args: cobra.ExactArgs(2),
		Long: short + ". It holds at once, and over a restart, until it is taken back or the configuration says something new of the node.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[1] != "on" && args[1] != "off" {
				return fmt.Errorf("%q is neither on nor off", args[1])
			}
			on := args[1] == "on"
			var change admin.NodeChange
			wish(&change, &on)
			return Running(func(cmd *cobra.Command, _ []string) error {
				c, err := running.On(path)
				if err != nil {
					return err
				}
				return c.Do(cmd.Context(), http.MethodPatch, "/v1/nodes/"+url.PathEscape(args[0]), change, nil)
			})(cmd, args)
		},
	}
	RequireConfig(cmd, &path)
	return cmd
}

func maintenanceCommand() *cobra.Command {
	return nodeCommand("maintenance", "Leave a node alone that is being worked on: no reads, no repairs, never the master", func(c *admin.NodeChange, on *bool) { c.Maintenance = on })
}

func drainCommand() *cobra.Command {
	return nodeCommand("drain", "Take reads from a node while it is a slave", func(c *admin.NodeChange, on *bool) { c.Drain = on })
}
