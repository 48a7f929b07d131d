package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/terminal"
	"github.com/bellwether-db/bellwether/config"
)

func serveCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Serve clients as the configuration says",
		Long: `Serve runs until it gets SIGINT or SIGTERM; then it takes no new client, tells idle ones that it
shuts down, lets running statements and open transactions end for proxy.shutdown_timeout, and stops.
A second signal stops it at once. On SIGHUP it reads the configuration again and applies it whole or
not at all.`,
		Args: terminal.NoArguments("the configuration file", "config"),
		RunE: terminal.Running(func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), path, cmd.ErrOrStderr())
		}),
	}
	terminal.RequireConfig(cmd, &path)
	return cmd
}

// serve runs until ctx ends. The log goes to out.
func serve(ctx context.Context, path string, out io.Writer) error {
	c, err := config.Load(path)
	if err != nil {
		return err
	}
	level := new(slog.LevelVar)
	log := newLogger(c.Log, level, out)
	for _, warning := range c.Warnings() {
		log.Warn("configuration", "warning", warning)
	}
	h, err := build(c, log, level)
	if err != nil {
		return err
	}
	name, _ := buildVersion()
	log.Info("serving", "version", name, "clients", h.proxy.Addr(), "admin", h.admin.Addr(), "config", path)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return h.run(ctx) })
	group.Go(func() error { return h.reloadOnHangup(ctx) })
	err = group.Wait()
	log.Info("stopped")
	return err
}
