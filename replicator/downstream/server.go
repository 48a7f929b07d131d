package downstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/wire"
)

// Server is the source of the slaves. Any goroutine may use it; Run is called
// once.
type Server struct {
	config   Config
	log      Log
	logger   *slog.Logger
	listener net.Listener
	accounts accounts
	shape    shape // what keeps slaves from losing events in silence
	buffers  buffers

	mu       sync.Mutex
	nextID   uint32
	sessions map[uint32]*session
	streams  map[*feed]struct{}
	departed map[string]SlaveInfo // of slaves that have read, by identity
}

// New returns a server that listens already but accepts nobody before Run.
func New(c Config, log Log, logger *slog.Logger) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for slaves: %w", err)
	}
	return &Server{
		config: c.withDefaults(), log: log, logger: logger, listener: l,
		accounts: newAccounts(c.Accounts, c.Guest),
		shape:    shape{disguise: true, exact: true, place: place},
		sessions: map[uint32]*session{}, streams: map[*feed]struct{}{}, departed: map[string]SlaveInfo{},
	}, nil
}

// Addr is the address that the server listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Run serves slaves until ctx ends, then ends every connection and returns once
// all have ended.
func (s *Server) Run(ctx context.Context) error {
	var children sync.WaitGroup
	defer children.Wait()
	outer := ctx
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(outer))
	defer cancel(errClosing)
	stop := context.AfterFunc(outer, func() {
		cancel(errClosing) // slaves are told why
		s.listener.Close()
	})
	defer stop()
	for {
		nc, err := s.listener.Accept()
		switch {
		case err == nil:
			children.Go(func() { s.serve(ctx, nc) })
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept slave: %w", err)
		default: // out of descriptors, or one that left already
			s.logger.Warn("accept slave", "error", err)
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

// serve serves one connection to its end. Whatever comes in, it costs nobody
// else anything.
func (s *Server) serve(ctx context.Context, nc net.Conn) {
	defer nc.Close()
	x := &session{server: s, conn: wire.NewConn(nc), socket: nc}
	x.ctx, x.cancel = context.WithCancelCause(ctx)
	defer x.cancel(nil)
	if !s.enter(x) {
		x.refuseFull()
		return
	}
	defer s.leave(x)
	x.logger = s.logger.With("slave", nc.RemoteAddr().String(), "connection", x.id)
	stop := context.AfterFunc(x.ctx, x.hurry)
	defer stop()
	if err := x.run(); err != nil {
		x.logger.Info("connection of a slave ended", "error", err)
	}
}

// enter gives a session its id and counts it in, unless there are too many.
func (s *Server) enter(x *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sessions) >= s.config.MaxConnections {
		return false
	}
	s.nextID++
	x.id = s.nextID
	s.sessions[x.id] = x
	return true
}

func (s *Server) leave(x *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, x.id)
}

// kill ends the session of that id, if it is the user's own.
func (s *Server) kill(id uint64, user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		if uint64(x.id) == id && x.login.user == user {
			x.cancel(errKilled)
			return true
		}
	}
	return false
}
