package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/proxy/trace"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// firstSession is the id of the first session. Ids begin far above those of
// the nodes, so that KILL tells one from the other.
const firstSession = 1 << 30

// Hints is where the proxy tells what it has seen to whoever watches the
// nodes. Any goroutine may call it.
type Hints interface {
	// Observe reports a failure to reach a node.
	Observe(node string, err error)
	// CatalogueChanging reports that the schema is about to change; until it is
	// read again after done, any name may be a stored function's.
	CatalogueChanging() (done func())
	// AwaitVisible returns once a MariaDB master shows to readers all that its
	// binary log held when the call began.
	AwaitVisible(ctx context.Context) error
}

// Server accepts clients. Any goroutine may use it.
type Server struct {
	config     atomic.Pointer[Config]
	store      *cluster.Store
	pools      *backend.Pools
	hints      Hints
	journal    Journal         // nil: writes are as durable as the master makes them
	ended      context.Context //nolint:containedctx // it has ended, for who asks and does not wait
	outcomes   Outcomes        // nil: nobody knows how writes ended
	classifier *router.Classifier
	metrics    *Metrics
	log        *slog.Logger
	listener   net.Listener

	late    laggards
	reached reached
	holding *holding
	records *records
	tables  tables
	// instance names this process in the marks of writes, numbers counts connections.
	instance string
	numbers  atomic.Uint64
	marking  bool

	scratch sync.Pool // *router.Scratch, held while a statement is classified
	digests digests
	tracer  *trace.Tracer // nil without traces

	nextID     atomic.Uint32
	drain      drain
	precedence precedence

	mu       sync.Mutex
	sessions map[uint32]*session
}

// New returns a server that listens already but accepts nobody before Run. The
// journal may be nil.
func New(config Config, store *cluster.Store, pools *backend.Pools, hints Hints, journal Journal, metrics *Metrics, log *slog.Logger) (*Server, error) {
	l, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for clients: %w", err)
	}
	s := &Server{
		store: store, pools: pools, hints: hints, journal: journal, metrics: metrics, log: log, listener: l,
		classifier: router.NewClassifier(1 << 14),
		holding:    metrics.holding, records: newRecords(), instance: newInstance(), marking: config.Failover.Marks,
		sessions: map[uint32]*session{},
		drain:    drain{asked: make(chan struct{})},
	}
	ended, end := context.WithCancel(context.Background())
	end()
	s.ended = ended
	s.scratch.New = func() any { return new(router.Scratch) }
	s.digests.begin(config.Digests)
	s.tracer = trace.New(config.Traces, log)
	metrics.tracer.Store(s.tracer)
	s.config.Store(&config)
	s.nextID.Store(firstSession)
	return s, nil
}

// Addr is the address that the server listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Configure replaces the configuration; it holds for what comes next. The
// address stays.
func (s *Server) Configure(c Config) {
	s.digests.limit.Store(int64(c.Digests))
	if s.tracer != nil {
		s.tracer.Sample(c.Traces.OneIn)
	}
	s.config.Store(&c)
}

// Run accepts clients until ctx ends, then ends every session, or until Drain
// is called, and returns once all sessions have ended.
func (s *Server) Run(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	var children sync.WaitGroup
	defer children.Wait()
	defer end()
	children.Go(func() { s.watch(ctx) })
	if s.tracer != nil {
		children.Go(func() { s.tracer.Run(ctx) })
	}
	children.Go(func() { newBackpressure(s).run(ctx) })
	children.Go(func() { s.drainWhenAsked(ctx, end) })
	context.AfterFunc(ctx, func() {
		s.listener.Close()
		s.endAll()
	})
	for {
		nc, err := s.listener.Accept()
		switch {
		case err == nil:
			children.Go(func() { s.serve(ctx, nc, &children) })
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed) && s.drain.begun():
			<-ctx.Done()
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept client: %w", err)
		default: // out of descriptors, or a client that left already
			s.log.Warn("accept client", "error", err)
			pause(ctx, 10*time.Millisecond)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// serve lets one client in. Whatever it sends, it costs nobody else anything.
//
// The session goes on in a goroutine of its own: the handshake has grown this
// one's stack, and a session that idles must not hold that.
func (s *Server) serve(ctx context.Context, nc net.Conn, children *sync.WaitGroup) {
	x := s.newSession(ctx, nc)
	if refused := s.enter(x); refused != nil {
		x.refuse(refused)
		nc.Close()
		return
	}
	if !x.guard(x.login) {
		s.leave(x)
		return
	}
	children.Go(func() {
		defer s.leave(x)
		if s.drain.begun() { // nobody wakes it any more
			_ = x.sendError(errShutdown)
			return
		}
		x.guard(x.loop)
		if s.drain.begun() {
			x.guard(x.takeLeave)
		}
	})
}

func (s *Server) newSession(ctx context.Context, nc net.Conn) *session {
	x := &session{
		server: s,
		ctx:    ctx,
		client: wire.NewConn(nc),
		socket: nc,
		id:     s.nextID.Add(1),
		random: rand.Uint64() | 1,
	}
	x.owner = backend.Owner(x.id)
	x.shown.connected = time.Now()
	x.relay.Client = x.client
	x.relay.Watch = x.watchOK
	x.relay.Keep = x.keepEntry
	return x
}

// enter counts a session in, unless there are too many or the server ends.
func (s *Server) enter(x *session) *wire.ServerError {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case x.ctx.Err() != nil || s.drain.begun():
		return errShutdown
	case len(s.sessions) >= s.config.Load().MaxClients:
		return errFull
	}
	s.sessions[x.id] = x
	s.metrics.clients.Add(1)
	return nil
}

// errFull is what servers tell a client that is one too many.
var errFull = &wire.ServerError{Code: wire.CodeTooManyConnections, State: "08004", Message: "Too many connections"}

// leave gives back what the session has and counts it out.
func (s *Server) leave(x *session) {
	x.guard(x.end)
	x.client.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, x.id)
	s.metrics.clients.Add(-1)
}

func (s *Server) find(id uint32) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[id]
}

// Clients returns how many clients are connected.
func (s *Server) Clients() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

func (s *Server) endAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		x.socket.Close()
		if c := x.busy.Load(); c != nil {
			c.Sever()
		}
	}
}
