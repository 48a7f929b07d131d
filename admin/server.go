// Package admin is the HTTP address for people, programs and monitoring: the
// REST calls, health, readiness and metrics. It holds no truth of its own: it
// reads the cluster's through the interfaces it declares, and the data calls
// are clients of the proxy's own address.
package admin

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/admin/compose"
	"github.com/bellwether-db/bellwether/admin/operation"
	"github.com/bellwether-db/bellwether/cluster"
)

// Topologies hands out the published truth. Load is called by many goroutines
// and never returns nil.
type Topologies interface {
	Load() *cluster.Topology
}

// Durability tells whether writes are as durable as promised; see
// replicator.Replicator.Unprotected. Any goroutine calls it.
type Durability interface {
	Unprotected() (reason string, waits bool)
}

// Parts are what the server shows and calls. Topologies, Metrics and Logger are
// needed; a call whose part is nil says that it is not there.
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
	// Proxy returns the proxy's own address, as host:port; any goroutine calls
	// it, once the proxy listens. nil: there are no data calls.
	Proxy func() string
	// Slaves changes single slaves; nil: the calls for that say that they cannot.
	Slaves Slaves

	Operator      Operator
	History       History
	Fleet         Fleet
	Stream        Stream
	Configuration Configuration
	Sessions      Sessions
	Digests       Digests
	Traffic       Traffic
	Explainer     Explainer
}

// Server answers HTTP requests. Listen comes first and Run after it, each once;
// Handler may be used by many goroutines.
type Server struct {
	config   atomic.Pointer[Config]
	parts    Parts
	listener net.Listener
	stopping atomic.Bool

	compose compose.Composer
	gateway *sql.DB // nil: there are no data calls
	rates   rates
	audit   auditFile
	doors   doors
	readers readers

	started    time.Time
	operations *operation.Runner
	events     *events
	traffic    traffic
}

// New makes a server that does not listen yet.
func New(config Config, parts Parts) *Server {
	now := time.Now()
	s := &Server{parts: parts, started: now.UTC().Truncate(time.Second), operations: operation.NewRunner(), events: newEvents(now)}
	config = config.withDefaults()
	s.config.Store(&config)
	return s
}

// settings is the configuration that counts now.
func (s *Server) settings() *Config { return s.config.Load() }

// Configure takes over another configuration, but for where the server listens
// and where its audit is. Any goroutine may call it.
func (s *Server) Configure(next Config) {
	next = next.withDefaults()
	was := s.config.Swap(&next)
	if s.gateway != nil && was.Account != next.Account {
		s.gateway.SetMaxIdleConns(-1) // sessions of the account before
		s.gateway.SetMaxIdleConns(gatewayIdle)
	}
	s.keepDoors(next.Nodes)
	s.readers.forget()
}

// Listen takes the address, so that a mistake is known before anything runs.
func (s *Server) Listen() error {
	listener, err := net.Listen("tcp", s.settings().Listen)
	if err != nil {
		return fmt.Errorf("listen for admin: %w", err)
	}
	s.listener = lenient{Listener: listener, tls: func() *tls.Config { return s.settings().TLS }}
	err = s.audit.open(s.settings().AuditFile)
	if path := s.settings().OperationsFile; err == nil && path != "" {
		s.operations.Keep(path, func(err error) {
			s.parts.Logger.Error("the operations are not on disk, and will not be known after a restart", "error", err)
		})
	}
	if err == nil && s.parts.Proxy != nil {
		s.gateway, err = s.newGateway()
	}
	if err == nil {
		err = s.listenForNodes()
	}
	if err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

// Addr returns the address that Listen took.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Stopping makes /readyz say from now on that the process is about to end. Any
// goroutine may call it.
func (s *Server) Stopping() { s.stopping.Store(true) }

// Close gives the address back where Run was never called.
func (s *Server) Close() error { return errors.Join(s.listener.Close(), s.release()) }

// release ends what calls have used.
func (s *Server) release() error {
	s.closeDoors()
	err := errors.Join(s.audit.close(), s.readers.close())
	if s.gateway != nil {
		err = errors.Join(err, s.gateway.Close())
	}
	return err
}

// httpServer serves one address.
func (s *Server) httpServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.parts.Logger.Handler(), slog.LevelDebug),
	}
}

// stopTimeout bounds how long open requests may take once Run is to end.
const stopTimeout = 2 * time.Second

// Run serves until ctx ends, then lets open requests finish for a bounded time,
// and ends what was ordered.
func (s *Server) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, s.release()) }()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.operations.Run(ctx) })
	group.Go(func() error { return s.watch(ctx) })
	group.Go(func() error { return s.serveHTTP(ctx) })
	return group.Wait()
}

// serveHTTP answers until ctx ends.
func (s *Server) serveHTTP(ctx context.Context) error {
	server := s.httpServer(s.Handler())
	s.serveDoors()
	stopped := make(chan error, 1)
	unwatch := context.AfterFunc(ctx, func() {
		s.events.close()
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
