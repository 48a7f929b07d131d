package proxy

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/wire"
)

func utoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// kill serves KILL of another session by the id that its client knows. Ids
// that no session can have are the nodes' own and go to the master.
func (x *session) kill(id uint64, query bool) error {
	victim := x.server.find(uint32(id))
	if victim == nil || !x.mayKill(victim) {
		return x.sendError(&wire.ServerError{Code: 1095, State: "HY000", Message: fmt.Sprintf("You are not owner of thread %d", id)})
	}
	if victim == x && query {
		return x.sendError(&wire.ServerError{Code: 1317, State: "70100", Message: "Query execution was interrupted"})
	}
	if !query {
		victim.cutOff()
	}
	x.server.cancel(victim)
	if query {
		return x.sendOK()
	}
	if victim == x {
		return errQuit
	}
	return x.sendOK()
}

// cutOff has a session end, whatever it does: its client is told nothing more, not even
// that what it ran has ended (SLEEP answers when it is interrupted).
func (x *session) cutOff() {
	x.killed.Store(true)
	x.socket.Close()
}

// mayKill reports whether a session may end another one: its own account's, or
// with the privilege for it.
func (x *session) mayKill(victim *session) bool {
	if owner := victim.user.Load(); owner == nil || owner.User == x.account.User {
		return owner != nil
	}
	return mayKillOthers(x.account.Grants())
}

// mayKillOthers reports whether SHOW GRANTS, a grant a line, names a privilege
// on everything that allows ending other accounts' sessions.
func mayKillOthers(grants string) bool {
	for line := range strings.SplitSeq(grants, "\n") {
		privileges, rest, _ := strings.Cut(strings.TrimPrefix(line, "GRANT "), " ON ")
		if !strings.HasPrefix(rest, "*.* TO ") {
			continue
		}
		for privilege := range strings.SplitSeq(privileges, ",") {
			switch strings.TrimSpace(privilege) {
			case "ALL PRIVILEGES", "SUPER", "CONNECTION_ADMIN", "CONNECTION ADMIN":
				return true
			}
		}
	}
	return false
}

// processKill serves COM_PROCESS_KILL.
func (x *session) processKill(payload []byte) error {
	if len(payload) < 5 {
		return x.sendError(malformed("COM_PROCESS_KILL without its id"))
	}
	id := binary.LittleEndian.Uint32(payload[1:])
	if x.server.find(id) != nil {
		return x.kill(uint64(id), false)
	}
	return x.run(&request{payload: payload, statement: onMaster, answer: wire.AnswerQuery})
}

// cancel ends the statement that a session runs, on its node or before it.
func (s *Server) cancel(victim *session) {
	if stop := victim.delayed.Load(); stop != nil {
		(*stop)()
		return
	}
	c := victim.busy.Load()
	if c == nil {
		return
	}
	t := s.store.Load()
	i := t.Find(c.Node())
	if i < 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.pools.KillQuery(ctx, &t.Nodes[i], c.Account(), c.Thread); err != nil {
		s.log.Warn("cancel statement", "session", victim.id, "node", c.Node(), "error", err)
		return
	}
	s.metrics.cancels.Add(1)
}

// watchInterval is how often clients whose statement runs on are looked at.
const watchInterval = 250 * time.Millisecond

// watch cancels the statements of clients that have left: their goroutine
// waits for the node and cannot see it. It costs a statement nothing.
func (s *Server) watch(ctx context.Context) {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	cancelled := map[*session]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for _, x := range s.lingering(now) {
				if !cancelled[x] {
					cancelled[x] = true
					s.cancel(x)
				}
			}
			s.mu.Lock()
			for x := range cancelled {
				if s.sessions[x.id] != x {
					delete(cancelled, x)
				}
			}
			s.mu.Unlock()
		}
	}
}

// lingering returns the sessions whose statement has run for a while though
// their client is gone.
func (s *Server) lingering(now time.Time) (gone []*session) {
	before := now.Add(-watchInterval).UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		if x.busy.Load() != nil && x.busySince.Load() < before && x.client.PeerGone() {
			gone = append(gone, x)
		}
	}
	return gone
}
