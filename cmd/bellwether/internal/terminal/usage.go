package terminal

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Failure is an error of a command that was used as it should be. Any other
// error that cobra returns is one of usage.
type Failure struct{ err error }

// Error returns the command's own error.
func (f Failure) Error() string { return f.err.Error() }

// Unwrap returns the command's own error.
func (f Failure) Unwrap() error { return f.err }

// ErrTold says that the command has printed what is wrong.
var ErrTold = errors.New("already told")

// Running makes a command's work out of a function whose errors are failures.
func Running(work func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := work(cmd, args); err != nil {
			return Failure{err}
		}
		return nil
	}
}

// NoArguments refuses arguments where a flag names what the first of them must have
// meant: by itself cobra takes it for the name of a command.
func NoArguments(what, flag string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return fmt.Errorf("%s takes no arguments: %s is named with --%s %s", cmd.CommandPath(), what, flag, args[0])
	}
}

// ConfigFlag adds the flag that names the configuration file.
func ConfigFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", "", "the configuration `file`")
	// Both fail only for a flag that does not exist.
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
}

// RequireConfig adds the flag and insists on it.
func RequireConfig(cmd *cobra.Command, path *string) {
	ConfigFlag(cmd, path)
	_ = cmd.MarkFlagRequired("config")
}

// OneLine makes a text fit for a line.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
