package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/running"
	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/failover"
	"github.com/bellwether-db/bellwether/proxy"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/replicator"
)

// house is every room, wired as one configuration says. It belongs to one
// goroutine for building, and run to another; reload is for any.
type house struct {
	config     *config.File
	log        *slog.Logger
	level      *slog.LevelVar
	store      *cluster.Store
	registry   *cluster.Registry
	monitor    *cluster.Monitor
	operator   *operator
	controller *failover.Controller
	replicator *replicator.Replicator
	pools      *backend.Pools
	proxy      *proxy.Server
	admin      *admin.Server
	copying    *copying
	// patience is shutdown_timeout, in nanoseconds; of reload and run alike.
	patience atomic.Int64
	// reloading is held by a reload: they come from signals and from admin. It is
	// over config and loaded, too, once the house runs.
	reloading sync.Mutex
	loaded    time.Time // when config was taken over
}

// wishesFile is where operators' wishes of nodes are kept.
func wishesFile(stateDir string) string { return filepath.Join(stateDir, "nodes.json") }

// build makes the rooms and takes the addresses, but runs nothing yet.
func build(c *config.File, log *slog.Logger, level *slog.LevelVar) (*house, error) {
	if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
		return nil, fmt.Errorf("make state_dir: %w", err)
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildInfo())
	h := &house{config: c, loaded: time.Now(), log: log, level: level, store: cluster.NewStore(&cluster.Topology{Master: -1}), copying: copyingIn(c.StateDir)}
	h.patience.Store(int64(c.Proxy.ShutdownTimeout))
	h.registry = cluster.NewRegistry(h.store)
	if _, err := h.registry.Apply(c.ClusterConfig()); err != nil {
		return nil, err
	}
	if err := h.registry.Keep(wishesFile(c.StateDir)); err != nil {
		return nil, err
	}
	if err := h.registry.KeepTouched(touchedFile(c.StateDir)); err != nil {
		return nil, err
	}
	h.monitor = cluster.NewMonitor(h.store, c.ClusterConfig(), room(log, "cluster"), cluster.NewMetrics(metrics))
	if err := h.buildReplicator(metrics); err != nil {
		return nil, err
	}
	h.operator = newOperator(c.ClusterConfig(), h.replicator)
	token, err := running.Token(c.StateDir)
	if err != nil {
		return nil, err
	}
	h.admin = admin.New(c.AdminConfig(), h.adminParts(metrics, token))
	if err := h.admin.Listen(); err != nil {
		return nil, withAdvice(err, "admin.listen (demo: --admin)")
	}
	if err := h.buildProxy(metrics); err != nil {
		return nil, errors.Join(err, h.admin.Close())
	}
	h.controller = failover.NewController(h.store, c.FailoverConfig(), failover.Parts{
		Operator: h.operator, Stream: stream{h.replicator}, Clients: writers{h}, Metrics: failover.NewMetrics(metrics), Log: room(log, "failover"),
	})
	return h, nil
}

// adminParts is the house as admin sees it.
func (h *house) adminParts(metrics prometheus.Gatherer, token string) admin.Parts {
	name, _ := buildVersion()
	file := newConfiguration(h)
	return admin.Parts{
		Topologies: h.store, Durability: h.replicator, Metrics: metrics, Logger: room(h.log, "admin"), Version: name,
		Reload: h.reload, Token: token, Proxy: func() string { return dialable(h.proxy.Addr()) },
		Slaves: alone{h}, Operator: operations{h}, History: operations{h}, Fleet: roster{h, file}, Stream: flow{h}, Configuration: file,
		Sessions: clientView{h}, Digests: clientView{h}, Traffic: clientView{h}, Explainer: clientView{h},
	}
}

// buildReplicator makes the room that feeds the slaves.
func (h *house) buildReplicator(metrics prometheus.Registerer) error {
	shown, err := proxyConfig(h.config)
	if err != nil {
		return err
	}
	c := replicatorConfig(h.config, shown)
	if err := c.Validate(); err != nil {
		return fmt.Errorf("configure replication: %w", err)
	}
	h.replicator = replicator.New(c, h.store, room(h.log, "replicator"))
	metrics.MustRegister(replicator.NewMetrics(h.replicator))
	return nil
}

// replicatorConfig completes what the file says of replication: slaves are shown
// the certificate that clients are shown.
func replicatorConfig(c *config.File, shown proxy.Config) replicator.Config {
	r := c.ReplicatorConfig()
	r.TLS, r.RSA = shown.TLS, shown.RSA
	return r
}

// buildProxy makes the pools and the proxy, which listens from here on.
func (h *house) buildProxy(metrics prometheus.Registerer) error {
	clients, err := proxyConfig(h.config)
	if err != nil {
		return err
	}
	log := room(h.log, "proxy")
	h.pools = backend.New(h.config.BackendConfig(), h.store, h.monitor, log)
	h.proxy, err = proxy.New(clients, h.store, h.pools, h.monitor, h.replicator, proxy.NewMetrics(metrics, h.pools, h.store), log)
	if err != nil {
		return withAdvice(err, "proxy.listen (demo: --proxy)")
	}
	h.proxy.ResolveBy(outcomes{h.replicator})
	return nil
}

// room is the logger of one room.
func room(log *slog.Logger, name string) *slog.Logger { return log.With("room", name) }

// run runs every room until ctx ends or one fails. When ctx ends the proxy
// lets its clients finish, and finds the other rooms running meanwhile.
func (h *house) run(ctx context.Context) error {
	tuneRuntime()
	rooms, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer func() { _ = h.operator.close() }() // nobody gives orders any more
	group, rooms := errgroup.WithContext(rooms)
	defer context.AfterFunc(ctx, func() {
		h.admin.Stopping()
		h.proxy.Drain(time.Duration(h.patience.Load()))
	})()
	group.Go(func() error { return h.monitor.Run(rooms) })
	group.Go(func() error { return h.controller.Run(rooms) })
	group.Go(func() error { return h.replicator.Run(rooms) })
	group.Go(func() error { return h.pools.Run(rooms) })
	group.Go(func() error { return h.admin.Run(rooms) })
	group.Go(func() error {
		defer stop()
		return h.proxy.Run(rooms)
	})
	return group.Wait()
}

// buildInfo is a metric that says which program this is.
func buildInfo() prometheus.Collector {
	name, commit := buildVersion()
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "bellwether_build_info", Help: "1, with the version and the commit of the program.",
		ConstLabels: prometheus.Labels{"version": name, "commit": commit},
	}, func() float64 { return 1 })
}
