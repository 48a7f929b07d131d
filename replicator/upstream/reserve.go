package upstream

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/bellwether-db/bellwether/wire"
)

const (
	// reserveInterval is between two looks at the connection in reserve: whether it
	// is there, and whether the server still answers on it.
	reserveInterval = 10 * time.Second
	// pingTimeout bounds a look. A connection that has not answered by then is not
	// given up for it: the network may be away, and come back.
	pingTimeout = time.Second
	// reserveSilence is how long it may owe that answer while the stream runs: behind
	// that, something on the way has forgotten it.
	reserveSilence = time.Minute
)

// reserve is one connection to the master that is logged in and idle while the
// stream runs, so that the next stream needs no login. There may be none to be had
// just then: on MySQL an account statement that waits for our reply holds a lock
// that every login takes, and clients that wait for it may use all connections that
// the server allows. Only who comes without a login can give the reply then.
//
// One goroutine at a time: that of keep while the stream runs, that of Run else.
type reserve struct {
	config  Config
	board   *board
	log     *slog.Logger
	session *session  // nil: none
	pinged  time.Time // an answer is to come since; zero: none is
	missed  bool      // it was told that there is none
}

// keep sees to it that there is a connection which answers, until ctx ends.
func (r *reserve) keep(ctx context.Context) {
	for ctx.Err() == nil {
		if r.session != nil && !r.answers(ctx) && time.Since(r.pinged) > reserveSilence {
			r.drop() // or was already
		}
		if r.session == nil {
			r.open(ctx)
		}
		select {
		case <-time.After(reserveInterval):
		case <-ctx.Done():
		}
	}
}

// open logs in.
func (r *reserve) open(ctx context.Context) {
	s, err := dial(ctx, r.config.dial())
	if err == nil {
		r.hold(s)
		r.missed = false
		return
	}
	if ctx.Err() == nil && !r.missed {
		r.missed = true
		r.log.Warn("there is no second connection to the master in reserve; trying again", "error", err)
	}
}

// hold makes s the connection in reserve; nil: there is none.
func (r *reserve) hold(s *session) {
	r.session, r.pinged = s, time.Time{}
	r.board.write(func(now *Status) { now.Reserve = s != nil })
}

// take returns the connection for a new stream, nil where there is none that
// answers. One that may yet do so stays.
func (r *reserve) take(ctx context.Context) *session {
	if r.session == nil || !r.answers(ctx) {
		return nil
	}
	s := r.session
	r.hold(nil)
	return s
}

// drop closes the connection.
func (r *reserve) drop() {
	if r.session != nil {
		_ = r.session.conn.Close()
		r.hold(nil)
	}
}

// answers says whether the server answers, and closes a connection on which it
// never will.
func (r *reserve) answers(ctx context.Context) bool {
	err := r.ping(ctx)
	if err != nil && (r.pinged.IsZero() || !errors.Is(err, os.ErrDeadlineExceeded)) {
		r.drop()
	}
	return err == nil
}

// ping waits for the answer to a ping, or to the one before that had none yet.
func (r *reserve) ping(ctx context.Context) error {
	conn, interrupted := r.session.conn, make(chan struct{})
	if err := conn.SetDeadline(time.Now().Add(pingTimeout)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		_ = conn.SetDeadline(time.Unix(1, 0))
		close(interrupted)
	})
	defer func() {
		if !stop() {
			<-interrupted // else it would break off what comes next
		}
	}()
	if r.pinged.IsZero() {
		conn.ResetSequence()
		if err := errors.Join(conn.WritePacket([]byte{byte(wire.ComPing)}), conn.Flush()); err != nil {
			return err
		}
		r.pinged = time.Now()
	}
	p, err := conn.ReadPacket()
	if err != nil {
		return err
	}
	r.pinged = time.Time{}
	return refusedBy(p)
}
