package proxy

import "fmt"

// Failover is what becomes of what clients have under way when a master is lost.
type Failover struct {
	// Outcomes finds out how a write ended whose answer was lost.
	Outcomes bool
	// Marks puts a comment in front of writes to a MariaDB master, without which
	// none can be found again in its log. It holds from the start.
	Marks bool
	// Replay runs a transaction that was open again on the new master, if it is no
	// longer than ReplayBytes.
	Replay      bool
	ReplayBytes int
	// HoldClients and HoldBytes bound the clients that wait for a master, and their
	// statements; one more gets an error.
	HoldClients, HoldBytes int
}

// DefaultFailover is what holds where nothing is said.
func DefaultFailover() Failover {
	return Failover{Outcomes: true, Marks: true, Replay: true, ReplayBytes: 1 << 20, HoldClients: 10_000, HoldBytes: 256 << 20}
}

func (f *Failover) validate() error {
	switch {
	case f.ReplayBytes < 0:
		return fmt.Errorf("proxy: failover: replay_bytes is negative: say replay: false to replay nothing")
	case f.HoldClients < 1 || f.HoldBytes < 1<<20:
		return fmt.Errorf("proxy: failover: hold_clients must be at least 1 and hold_bytes at least 1MB")
	}
	return nil
}

// ResolveBy names who knows how writes ended. It is called before Run.
func (s *Server) ResolveBy(o Outcomes) { s.outcomes = o }
