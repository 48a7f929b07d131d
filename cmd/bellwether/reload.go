package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/bellwether-db/bellwether/admin/operation"
	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/failover"
)

// errHungUp says that the terminal is gone.
var errHungUp = errors.New("the terminal is gone")

// reloadOnHangup reloads at each SIGHUP until ctx ends. Where the signal comes
// because the terminal was closed that the process was started from, it
// returns errHungUp instead.
func (h *house) reloadOnHangup(ctx context.Context) error {
	fromTerminal := onTerminal() && !signal.Ignored(syscall.SIGHUP) // nohup ignores it
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangups:
		}
		if fromTerminal && !onTerminal() {
			return errHungUp
		}
		if err := h.reload(); err != nil {
			h.log.Error("reload refused, nothing has changed", "error", err)
		}
	}
}

// onTerminal reports whether the process belongs to a terminal.
func onTerminal() bool {
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	return terminal.Close() == nil
}

// reload reads the configuration again and applies it, whole or not at all.
func (h *house) reload() error {
	_, err := h.reloadChanges()
	return err
}

// reloadChanges is reload, and says what changed.
func (h *house) reloadChanges() ([]string, error) {
	h.reloading.Lock()
	defer h.reloading.Unlock()
	next, err := config.Load(h.config.Path())
	if err != nil {
		return nil, fmt.Errorf("reload: %w", err)
	}
	changes := config.Diff(h.config, next)
	for _, change := range changes {
		if change.Restart {
			return nil, fmt.Errorf("reload: %s needs a restart", change.Text)
		}
	}
	if err := h.apply(next); err != nil {
		return nil, fmt.Errorf("reload: %w", err)
	}
	h.config, h.loaded = next, time.Now()
	texts := make([]string, len(changes))
	for i, change := range changes {
		if texts[i] = described(change); change.Ignored {
			h.log.Warn("configuration change ignored", "change", change.Text, "reason", h.whyIgnored())
			continue
		}
		h.log.Info("configuration changed", "change", change.Text)
	}
	h.log.Info("reloaded", "changes", len(changes))
	return texts, nil
}

// running is the configuration that counts now.
func (h *house) running() *config.File {
	c, _ := h.runningSince()
	return c
}

// runningSince is the same, with when it was taken over.
func (h *house) runningSince() (*config.File, time.Time) {
	h.reloading.Lock()
	defer h.reloading.Unlock()
	return h.config, h.loaded
}

// planReload says what a reload would change, or why it would be refused.
func (o operations) planReload() (refusal, text string) {
	running := o.running()
	next, err := config.Load(running.Path())
	if err != nil {
		return err.Error(), ""
	}
	for _, change := range config.Diff(running, next) {
		if text += described(change) + "\n"; change.Restart {
			refusal = change.Text + " needs a restart"
		}
	}
	if text == "" {
		text = "nothing would change, but for what secrets and certificates say by now\n"
	}
	return refusal, text
}

// carryOutReload is a reload as an operation.
func (o operations) carryOutReload(context.Context, *operation.Teller) (operation.Outcome, error) {
	changes, err := o.reloadChanges()
	if err != nil {
		return operation.Outcome{}, fmt.Errorf("%w, nothing has changed: %w", operation.ErrRefused, err)
	}
	return operation.Outcome{Says: fmt.Sprintf("reloaded, %d changes", len(changes)), Result: map[string][]string{"changes": changes}}, nil
}

// whyIgnored says why moving the master's mark changes nothing.
func (h *house) whyIgnored() string {
	if recorded, err := failover.Recorded(h.config.StateDir); err == nil && recorded.Master == "" {
		return "no master is recorded yet, but the mark is read at a start only: restart Bellwether"
	}
	return "the mark counts at the first start only; who is master since then is in " + failover.StateFile(h.config.StateDir)
}

// apply takes over a configuration that differs only in what a running house
// can change. What can still be refused comes first.
func (h *house) apply(next *config.File) error {
	clients, err := proxyConfig(next)
	if err != nil {
		return err
	}
	feeding := replicatorConfig(next, clients)
	if err := h.replicator.Accepts(feeding); err != nil {
		return err
	}
	take, drop, err := h.admin.Prepare(next.AdminConfig())
	if err != nil {
		return err
	}
	if _, err := h.registry.Apply(next.ClusterConfig()); err != nil {
		drop()
		return err
	}
	take()
	h.monitor.Apply(next.ClusterConfig())
	h.operator.apply(next.ClusterConfig())
	h.controller.Configure(next.FailoverConfig().Policy)
	h.pools.Configure(next.BackendConfig())
	h.proxy.Configure(clients)
	h.admin.Configure(next.AdminConfig())
	h.replicator.Configure(feeding)
	h.patience.Store(int64(next.Proxy.ShutdownTimeout))
	h.level.Set(next.Log.Level)
	return nil
}
