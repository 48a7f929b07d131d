package downstream

import (
	"cmp"
	"slices"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// SlaveInfo is what is known of somebody who reads the stream. It is a copy.
type SlaveInfo struct {
	// ServerID and UUID as the slave says them; 0 and "" for tools.
	ServerID uint32
	UUID     string
	// Host and Port that it reports, which may be empty; Addr is where it comes from.
	Host string
	Port uint16
	Addr string
	// User that it logged in as.
	User string
	// Registered says that it is a slave, and not one of the tools.
	Registered bool
	// Secure says that it came over TLS.
	Secure bool
	// Since is when it began to read.
	Since time.Time
	// Had is what it had then; nil for one that reads by file and position.
	Had *cluster.GTIDSet
	// File and Offset are how far it was sent the log, and Last the last whole
	// transaction of that; it may have less, and has applied less still.
	File   string
	Offset int64
	Last   cluster.GTID
	// Bytes sent, and when the last of them were.
	Bytes    uint64
	LastSent time.Time
}

// Slaves returns who reads the stream now, ordered by server id and address.
func (s *Server) Slaves() []SlaveInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]SlaveInfo, 0, len(s.streams))
	for f := range s.streams {
		out = append(out, f.status())
	}
	slices.SortFunc(out, func(a, b SlaveInfo) int {
		return cmp.Or(cmp.Compare(a.ServerID, b.ServerID), cmp.Compare(a.Addr, b.Addr))
	})
	return out
}

// begin enters a stream into the list of those who read, and ends the ones that
// it replaces: a slave that comes again has given its former connection up,
// whether that knows it or not.
func (s *Server) begin(f *feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for other := range s.streams {
		if f.replaces(other) {
			other.session.cancel(errReplaced)
		}
	}
	s.streams[f] = struct{}{}
}

func (s *Server) finish(f *feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, f)
}

// replaces reports whether both streams go to one slave: of one UUID, or of one
// server id where a slave has no UUID. A tool without an id is nobody's.
func (f *feed) replaces(other *feed) bool {
	a, b := &f.info, &other.info
	if a.UUID != "" || b.UUID != "" {
		return a.UUID == b.UUID
	}
	return a.ServerID != 0 && a.ServerID == b.ServerID && a.Registered == b.Registered
}
