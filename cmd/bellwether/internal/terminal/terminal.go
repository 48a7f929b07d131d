// Package terminal has the commands that ask the Bellwether that runs on a
// configuration, and show or order what it can; and what every command has in
// common that people type. It knows of no room but by what that Bellwether answers,
// and by the records that failover leaves.
package terminal

import "github.com/spf13/cobra"

// Commands are those that ask the Bellwether that runs.
func Commands() []*cobra.Command {
	return []*cobra.Command{
		statusCommand(), nodesCommand(), sessionsCommand(), topCommand(),
		switchoverCommand(), failoverCommand(), incidentsCommand(), maintenanceCommand(), drainCommand(),
	}
}
