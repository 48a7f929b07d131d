// Package admin is the HTTP address for people and monitoring: health,
// readiness and metrics. It holds no truth of its own and reads the cluster's
// through the interfaces it declares.
package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Topologies hands out the published truth. Load is called by many goroutines
// and never returns nil.
type Topologies interface {
	Load() *cluster.Topology
}

// Config says where the server listens.
type Config struct {
	// Listen is the address, as host:port.
	Listen string
}

// Durability tells whether writes are as durable as promised; see
// replicator.Replicator.Unprotected. Any goroutine calls it.
type Durability interface {
	Unprotected() (reason string, waits bool)
}

// Parts are what the server shows and calls; all but Durability and Reload are
// needed.
type Parts struct {
	Topologies Topologies
	Durability Durability // nil: nothing is promised
	Metrics    prometheus.Gatherer
	Logger     *slog.Logger
	// Version is the program's, as the index shows it.
	Version string
	// Reload reads the configuration again and applies it, whole or not at all;
	// any goroutine calls it. nil: there is no such call. Token is what it takes.
	Reload func() error
	Token  string
}

// Server answers HTTP requests. Listen comes first and Run after it, each once;
// Handler may be used by many goroutines.
type Server struct {
	config   Config
	parts    Parts
	listener net.Listener
	stopping atomic.Bool
}

// New makes a server that does not listen yet.
func New(config Config, parts Parts) *Server {
	return &Server{config: config, parts: parts}
}

// Listen takes the address, so that a mistake is known before anything runs.
func (s *Server) Listen() error {
	listener, err := net.Listen("tcp", s.config.Listen)
	if err != nil {
		return fmt.Errorf("listen for admin: %w", err)
	}
	s.listener = listener
	return nil
}

// Addr returns the address that Listen took.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Stopping makes /readyz say from now on that the process is about to end. Any
// goroutine may call it.
func (s *Server) Stopping() { s.stopping.Store(true) }

// Close gives the address back where Run was never called.
func (s *Server) Close() error { return s.listener.Close() }

// stopTimeout bounds how long open requests may take once Run is to end.
const stopTimeout = 2 * time.Second

// Run serves until ctx ends, then lets open requests finish for a bounded time.
func (s *Server) Run(ctx context.Context) error {
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.parts.Logger.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	unwatch := context.AfterFunc(ctx, func() {
		bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err := server.Shutdown(bound)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		stopped <- err
	})
	err := server.Serve(s.listener)
	if !errors.Is(err, http.ErrServerClosed) {
		unwatch()
		return fmt.Errorf("serve admin: %w", err)
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("stop admin: %w", err)
	}
	return nil
}

// Handler routes every request.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.index)
	mux.HandleFunc("GET /healthz", s.alive)
	mux.HandleFunc("GET /livez", s.alive)
	mux.HandleFunc("GET /readyz", s.ready)
	if s.parts.Reload != nil {
		mux.HandleFunc("POST /reload", s.reload)
	}
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.parts.Metrics, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(s.parts.Logger.Handler(), slog.LevelWarn),
	}))
	return withProblems(mux)
}
