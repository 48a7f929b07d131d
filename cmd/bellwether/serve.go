package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/config"
)

func serveCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Serve clients as the configuration says",
		Long: `Serve runs until it gets SIGINT or SIGTERM; then it takes no new client, ends the sessions, and
stops. A second signal stops it at once. On SIGHUP it reads the configuration again and applies it
whole or not at all.`,
		Args: cobra.NoArgs,
		RunE: running(func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), path, cmd.ErrOrStderr())
		}),
	}
	requireConfig(cmd, &path)
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
	group.Go(func() error { return reloadOnHangup(ctx, h) })
	err = group.Wait()
	log.Info("stopped")
	return err
}

// reloadOnHangup reloads at each SIGHUP until ctx ends.
func reloadOnHangup(ctx context.Context, h *house) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangups:
		}
		if err := h.reload(); err != nil {
			h.log.Error("reload refused, nothing has changed", "error", err)
		}
	}
}

// reload reads the configuration again and applies it, whole or not at all.
func (h *house) reload() error {
	next, err := config.Load(h.config.Path())
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	changes := config.Diff(h.config, next)
	for _, change := range changes {
		if change.Restart {
			return fmt.Errorf("reload: %s needs a restart", change.Text)
		}
	}
	if err := h.apply(next); err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	h.config = next
	for _, change := range changes {
		h.log.Info("configuration changed", "change", change.Text)
	}
	h.log.Info("reloaded", "changes", len(changes))
	return nil
}
