package proxy

import (
	"context"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/wire"
)

const (
	// drainPause is between two looks at who is still there.
	drainPause = 20 * time.Millisecond
	// lastWords is how long the sessions that are out of time may take to say so.
	lastWords = 250 * time.Millisecond
)

// errShutdown is what servers tell their clients when they stop.
var errShutdown = &wire.ServerError{Code: wire.CodeServerShutdown, State: "08S01", Message: "Server shutdown in progress"}

// drain is a server's end in order. The zero value is of no use.
type drain struct {
	once     sync.Once
	asked    chan struct{} // closed once the end is asked for
	patience time.Duration // valid once asked is closed
}

// begun reports whether the end was asked for.
func (d *drain) begun() bool {
	select {
	case <-d.asked:
		return true
	default:
		return false
	}
}

// Drain asks Run to end in order: it takes no new client, tells those that
// idle error 1053 and closes them, and lets running statements and open
// transactions end. What is left after patience is ended as it is. It returns
// at once; a second call changes nothing.
func (s *Server) Drain(patience time.Duration) {
	s.drain.once.Do(func() {
		s.drain.patience = patience
		close(s.drain.asked)
	})
}

// drainWhenAsked waits for Drain, then for the clients to leave, and ends Run.
func (s *Server) drainWhenAsked(ctx context.Context, end func()) {
	defer end()
	select {
	case <-ctx.Done():
		return
	case <-s.drain.asked:
	}
	s.log.Info("shutting down", "clients", s.Clients(), "patience", s.drain.patience)
	s.listener.Close()
	woken := map[*session]bool{}
	if s.emptied(ctx, s.drain.patience, func() { s.wakeIdle(woken) }) || ctx.Err() != nil {
		return
	}
	s.log.Warn("shutdown takes too long, ending what is left", "clients", s.Clients())
	s.emptied(ctx, lastWords, func() {
		clear(woken) // one that was just going back to wait has missed it
		s.wakeIdle(woken)
	})
}

// emptied waits for the last client to leave, calling look now and then; false
// where it has not come to that.
func (s *Server) emptied(ctx context.Context, patience time.Duration, look func()) bool {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(drainPause)
	defer tick.Stop()
	for {
		look()
		if s.Clients() == 0 {
			return true
		}
		select {
		case <-bounded.Done():
			return false
		case <-tick.C:
		}
	}
}

// wakeIdle wakes, once each, the sessions that wait for a command. Their
// goroutine does the rest: it alone knows whether a transaction is open.
func (s *Server) wakeIdle(woken map[*session]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		if !woken[x] && x.busy.Load() == nil {
			woken[x] = true
			_ = x.socket.SetReadDeadline(time.Unix(1, 0)) // one that is closed is awake
		}
	}
}

// takeLeave ends a session in order where Drain has woken it: after its open
// transaction, with the error that a server would give.
func (x *session) takeLeave() bool {
	if !x.client.Interrupted() {
		return false // it ended for a reason of its own
	}
	_ = x.socket.SetReadDeadline(time.Time{})
	for x.status&wire.StatusInTransaction != 0 || x.client.Buffered() > 0 {
		if x.serveOne() {
			continue
		}
		if !x.client.Interrupted() {
			return false
		}
		break // out of time
	}
	_ = x.sendError(errShutdown)
	return false
}

// serveOne serves one more command, as loop does.
func (x *session) serveOne() bool {
	frame, payload, err := x.client.ReadCommand()
	if err != nil {
		x.readError(err)
		return false
	}
	if err := x.command(frame, payload); err != nil {
		x.failed(err)
		return false
	}
	x.client.Release()
	return !x.killed.Load()
}

// refuse tells a client that has not been greeted why it is not let in.
func (x *session) refuse(e *wire.ServerError) {
	_ = x.client.SetDeadline(time.Now().Add(time.Second))
	x.server.metrics.failure(wire.SideClient, e.Code)
	x.client.ResetSequence()
	_ = x.client.WritePacket(wire.AppendError(nil, e))
	_ = x.client.Flush()
}
