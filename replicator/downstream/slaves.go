package downstream

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
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
	// Bytes sent, and when the last of them were. Before is what a registered slave
	// was sent on connections before this one.
	Bytes, Before uint64
	LastSent      time.Time
	// Transactions begun.
	Transactions uint64
	// BehindBytes is how much of the log is yet to be sent, and
	// BehindTransactions how many transactions that is: on MariaDB at most, since
	// its numbers may have gaps, and not known to one that reads by file and
	// position.
	BehindBytes        int64
	BehindTransactions uint64
	// Until is when a stream ended that is no more; zero for one that runs.
	Until time.Time
}

// Slaves returns who reads the stream now, ordered by server id and address.
func (s *Server) Slaves() []SlaveInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := endOf(s.log)
	out := make([]SlaveInfo, 0, len(s.streams))
	for f := range s.streams {
		info := f.status()
		end.measure(&info)
		out = append(out, info)
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
	if id, ok := f.identity(); ok {
		f.info.Before = s.departed[id].Before + s.departed[id].Bytes
	}
	s.streams[f] = struct{}{}
}

func (s *Server) finish(f *feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, f)
	id, ok := f.identity()
	if _, known := s.departed[id]; !ok || !known && len(s.departed) >= mostDeparted {
		return
	}
	f.progress.set(f)
	info := f.status()
	info.Until = time.Now()
	if last, known := s.departed[id]; known && last.Since.After(info.Since) { // it has come again, and left again
		last.Before += info.Bytes
		info = last
	}
	s.departed[id] = info
}

// mostDeparted bounds the slaves that are remembered.
const mostDeparted = 256

// identity is by what a slave is known that comes again; a tool has none.
func (f *feed) identity() (string, bool) {
	return fmt.Sprint(f.info.UUID, " ", f.info.ServerID), f.info.Registered
}

// Departed returns the registered slaves that have read the stream and do not
// now, as they were at their end.
func (s *Server) Departed() []SlaveInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	here := make(map[string]bool, len(s.streams))
	for f := range s.streams {
		id, _ := f.identity()
		here[id] = true
	}
	end, out := endOf(s.log), []SlaveInfo(nil)
	for id, info := range s.departed {
		if !here[id] {
			end.measure(&info)
			out = append(out, info)
		}
	}
	return out
}

// end is where the log ends.
type end struct {
	files    []storedlog.File
	executed *cluster.GTIDSet
}

func endOf(l Log) end { return end{l.Files(), l.Executed()} }

// measure fills in how far a stream is behind.
func (e end) measure(info *SlaveInfo) {
	at := slices.IndexFunc(e.files, func(f storedlog.File) bool { return f.Name == info.File })
	behind := int64(0)
	if at >= 0 {
		behind = -info.Offset
	}
	for _, f := range e.files[max(at, 0):] {
		behind += f.Size
	}
	lacks := uint64(0)
	if info.Had != nil {
		lacks = info.Had.Lacks(e.executed)
		lacks -= min(info.Transactions, lacks)
	}
	// What it had already it was not sent, and what is numbered may not be there.
	if behind <= 0 || info.Had != nil && lacks == 0 {
		behind, lacks = 0, 0
	}
	info.BehindBytes, info.BehindTransactions = behind, lacks
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
