package upstream

import (
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Status is how the connection to the master does. It is a copy.
type Status struct {
	// Connected says whether the stream runs; Since is when that began, or when
	// it was lost.
	Connected bool
	Since     time.Time
	// Heard is when the last byte arrived, a heartbeat's included. It moves at
	// least once in a heartbeat while the stream runs.
	Heard time.Time
	// Failures are the attempts in a row that failed, and LastError the last
	// one's error; it stays after a success.
	Failures  int
	LastError error

	// Version and Identity of the server that was last connected to.
	Version  string
	Identity string
	// SemiSync says that the server can be answered to: it has semi-synchronous
	// replication, on or off, and Config.SemiSync asks for it.
	SemiSync bool
	// NoChecksums says that the master writes without them, so that they are added here.
	NoChecksums bool
	// Reserve says that a second connection is logged in, which the next stream
	// begins on.
	Reserve bool

	// File and Offset are the place in the master's binary log up to which
	// everything is stored; LastGTID is the last transaction before it.
	File     string
	Offset   uint64
	LastGTID cluster.GTID

	// Counters since New. Syncs took SyncTime in all; Acknowledged counts replies,
	// each of which may stand for many transactions.
	Transactions, Bytes, Syncs, Acknowledged uint64
	SyncTime                                 time.Duration
}

// board holds the status; any number of goroutines.
type board struct {
	mu      sync.Mutex
	now     Status
	changed chan struct{}
}

// read returns a copy.
func (b *board) read() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// write changes the status.
func (b *board) write(change func(*Status)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.now)
}

// turn changes what others wait for: whether there is a stream, and what it is like.
func (b *board) turn(change func(*Status)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.now)
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// turned is closed at the next turn.
func (b *board) turned() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.changed
}
