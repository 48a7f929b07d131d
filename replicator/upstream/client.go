package upstream

import (
	"context"
	"errors"
	"log/slog"
	"math/bits"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Client reads the binary log of one master into a sink. Run is for one
// goroutine; Status and Changed are for any.
type Client struct {
	config  Config
	sink    Sink
	log     *slog.Logger
	board   board
	backoff backoff
	reserve reserve
	contact time.Time // when the server last said anything; zero before
}

// New makes a client. It starts nothing.
func New(c Config, sink Sink, log *slog.Logger) *Client {
	client := &Client{config: c, sink: sink, log: log.With("master", c.Addr)}
	client.reserve = reserve{config: c, board: &client.board, log: client.log}
	return client
}

// Status is how the connection does.
func (c *Client) Status() Status { return c.board.read() }

// Changed is closed when the stream begins or ends next, or has checksums or none as it had
// not before. Take it before Status, so that no change is missed.
func (c *Client) Changed() <-chan struct{} { return c.board.turned() }

// Run reads until ctx ends, which is no error, or until there is no hope: that
// is a *Refusal. It may be called again after it has returned. When it returns,
// everything whole that had arrived is durable, unless the sink failed.
func (c *Client) Run(ctx context.Context) error {
	defer c.reserve.drop()
	for {
		err := c.attempt(ctx)
		refused := (*Refusal)(nil)
		switch {
		case errors.As(err, &refused):
			return c.refuse(refused)
		case ctx.Err() != nil:
			return nil
		case !c.backoff.failed(err):
			return c.refuse(hopeless(err))
		}
		c.lost(err)
		select {
		case <-time.After(c.backoff.pause()):
		case <-ctx.Done():
			return nil
		}
	}
}

// refuse puts the end of Run on the board.
func (c *Client) refuse(r *Refusal) *Refusal {
	r.Addr = c.config.Addr
	c.board.write(func(s *Status) { s.Failures, s.LastError = c.backoff.attempts, r })
	return r
}

// hopeless is the end after the stream was wrong again and again.
func hopeless(err error) *Refusal {
	return &Refusal{
		Reason: ReasonStream, What: "what it sends cannot be stored", Err: err,
		Hint: "it may have deleted what is not stored yet, or its binary log is damaged",
	}
}

// lost tells of a failed attempt, less and less often while they go on.
func (c *Client) lost(err error) {
	n := c.backoff.attempts
	c.board.write(func(s *Status) { s.Failures, s.LastError = n, err })
	if bits.OnesCount(uint(n)) == 1 {
		c.log.Warn("the binary log of the master is not being read; trying again", "error", err, "failures", n)
	}
}

// attempt is one connection from its beginning to its end.
func (c *Client) attempt(ctx context.Context) error {
	s, f, err := c.meet(ctx)
	if err != nil {
		return err
	}
	defer s.conn.Close() //nolint:errcheck // whatever had to be sent was sent
	defer context.AfterFunc(ctx, func() { _ = s.conn.Close() })()
	stored := c.sink.Executed()
	if refused := f.judge(wanted{identity: c.config.Identity, stored: stored, restarted: c.restarted(f)}); refused != nil {
		return refused
	}
	if err := s.met(c.config, f, stored); err != nil {
		return err
	}
	if err := s.begin(c.config, stored); err != nil {
		return err
	}
	return c.stream(ctx, s, f, stored)
}

// meet asks the server about itself, on the connection in reserve if that does.
func (c *Client) meet(ctx context.Context) (*session, facts, error) {
	if s := c.reserve.take(ctx); s != nil {
		if f, err := s.introduce(ctx, c.config.Addr); err == nil {
			return s, f, nil
		}
	}
	return meet(ctx, c.config)
}

// restarted says whether the server was certainly started after its last
// contact with this client; uptimes are in whole seconds.
func (c *Client) restarted(f facts) bool {
	return !c.contact.IsZero() && time.Since(c.contact) > f.uptime+time.Second
}

// stream relays until the connection breaks, and keeps another one in reserve
// meanwhile.
func (c *Client) stream(ctx context.Context, s *session, f facts, stored *cluster.GTIDSet) error {
	frames := newFrames(s.conn.NetConn(), c.backoff.patience(c.config.patience()), maxEvent)
	stream := &stream{
		frames: frames, sink: c.sink, board: &c.board, have: stored, semiSync: f.semiSync && c.config.SemiSync,
		opened: func() { c.found(s.hello.Version, f) }, bared: c.bared, backoff: &c.backoff,
	}
	ctx, stop := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	keeping.Go(func() { c.reserve.keep(ctx) })
	err := stream.run()
	stop()
	keeping.Wait()
	c.contact = frames.heard
	if stream.tracker != nil {
		c.board.turn(func(now *Status) { now.Connected, now.Since, now.Heard = false, time.Now(), frames.heard })
	}
	return err
}

// bared tells that the master writes without checksums, or does with them again.
func (c *Client) bared(bare bool) {
	c.board.turn(func(s *Status) { s.NoChecksums = bare })
	if bare {
		c.log.Warn("the master writes its binary log without checksums: they are added on arrival, so what is damaged before that is not noticed")
		return
	}
	c.log.Info("the master writes its binary log with checksums again")
}

// found tells that the stream has begun.
func (c *Client) found(version string, f facts) {
	semiSync := f.semiSync && c.config.SemiSync
	c.board.turn(func(s *Status) {
		s.Connected, s.Since, s.Heard, s.Failures, s.NoChecksums = true, time.Now(), time.Now(), 0, false
		s.Version, s.Identity, s.SemiSync = version, f.identity, semiSync
	})
	c.log.Info("reading the binary log of the master", "version", version, "semisync", semiSync)
}
