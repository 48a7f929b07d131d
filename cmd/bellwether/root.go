package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/terminal"
)

// The exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
)

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "bellwether",
		Short: "One address for a MySQL or MariaDB master and its slaves",
		Long: `Bellwether stands in front of a master and its slaves. Clients connect to it as to one
MySQL server; writes go to the master, and what is certain to be a read goes to a slave.

Begin with: bellwether demo`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	root.AddCommand(terminal.Commands()...)
	root.AddCommand(serveCommand(), checkCommand(), demoCommand(), explainCommand(), logCommand(), versionCommand())
	root.AddCommand(adoptCommand(), syncCommand(), verifyCommand())
	return root
}

// exitCode prints what went wrong and returns the code to exit with.
func exitCode(root *cobra.Command, err error) int {
	var failed terminal.Failure
	switch {
	case err == nil:
		return 0
	case errors.Is(err, terminal.ErrTold):
		return exitFailure
	case errors.As(err, &failed):
		fmt.Fprintf(root.ErrOrStderr(), "bellwether: %v\n", failed)
		return exitFailure
	default:
		fmt.Fprintf(root.ErrOrStderr(), "bellwether: %v\nTry: bellwether help\n", err)
		return exitUsage
	}
}
