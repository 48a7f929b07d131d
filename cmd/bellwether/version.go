package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/terminal"
)

// The linker sets these (see the Makefile); nothing else writes to them.
var version, revision string

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version and how it was built",
		Args:  cobra.NoArgs,
		RunE: terminal.Running(func(cmd *cobra.Command, _ []string) error {
			name, commit := buildVersion()
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "bellwether %s\ncommit %s\nbuilt with %s for %s/%s\n",
				name, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		}),
	}
}

// buildVersion returns the program's version and the commit it is of: from
// the linker, or else from what the Go command has recorded.
func buildVersion() (name, commit string) {
	name, commit = version, revision
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return orUnknown(name), orUnknown(commit)
	}
	if name == "" {
		name = info.Main.Version
	}
	for _, setting := range info.Settings {
		if commit == "" && setting.Key == "vcs.revision" {
			commit = setting.Value
		}
	}
	return orUnknown(name), orUnknown(commit)
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
