package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
)

// failure is an error of a command that was used as it should be. Any other
// error that cobra returns is one of usage.
type failure struct{ err error }

// Error returns the command's own error.
func (f failure) Error() string { return f.err.Error() }

// Unwrap returns the command's own error.
func (f failure) Unwrap() error { return f.err }

// errTold says that the command has printed what is wrong.
var errTold = errors.New("already told")

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
	root.AddCommand(statusCommand(), nodesCommand(), sessionsCommand(), topCommand())
	root.AddCommand(serveCommand(), checkCommand(), demoCommand(), explainCommand(), logCommand(), versionCommand())
	root.AddCommand(adoptCommand(), syncCommand(), verifyCommand())
	root.AddCommand(switchoverCommand(), failoverCommand(), incidentsCommand(), maintenanceCommand(), drainCommand())
	return root
}

// running makes a command's work out of a function whose errors are failures.
func running(work func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := work(cmd, args); err != nil {
			return failure{err}
		}
		return nil
	}
}

// exitCode prints what went wrong and returns the code to exit with.
func exitCode(root *cobra.Command, err error) int {
	var failed failure
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errTold):
		return exitFailure
	case errors.As(err, &failed):
		fmt.Fprintf(root.ErrOrStderr(), "bellwether: %v\n", failed.err)
		return exitFailure
	default:
		fmt.Fprintf(root.ErrOrStderr(), "bellwether: %v\nTry: bellwether help\n", err)
		return exitUsage
	}
}

// configFlag adds the flag that names the configuration file.
func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", "", "the configuration `file`")
	// Both fail only for a flag that does not exist.
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
}

// requireConfig adds the flag and insists on it.
func requireConfig(cmd *cobra.Command, path *string) {
	configFlag(cmd, path)
	_ = cmd.MarkFlagRequired("config")
}
