package storedlog

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// Config says where a log is and how much of it is kept. It is a value.
type Config struct {
	// Dir holds the log's files and nothing else; it is made where it is
	// missing.
	Dir string
	// Flavour of the servers; required.
	Flavour cluster.Flavour
	// ServerID is ours; it stands in the events that the log itself writes.
	ServerID uint32
	// FileSize is the length at which a new file begins, in bytes; a
	// transaction is never divided. 0: 256 MiB.
	FileSize int64
	// MaxBytes bounds the files together; 0: no bound. The bound wins over
	// what slaves still need.
	MaxBytes int64
	// MaxAge is how long a file is kept that nobody needs; 0: without end.
	MaxAge time.Duration
	// Key encrypts the files (AES-256); 32 bytes, or nil for plain files.
	Key []byte
}

// Log is a stored log. Rotate, Append, Sync, Abort, Recover and Close are for
// one goroutine, the writer; everything else is for any number of them.
type Log struct{}

// Open opens the log in c.Dir, or begins a new one there. It recovers: what a
// crash left of a transaction at the end of the last file is cut off, and log
// is told what.
func Open(c Config, log *slog.Logger) (*Log, error) { panic("not yet") }

// Rotate begins a new file for a new connection to a master, or a new format
// (the master began a new file). It owns a copy of format, a whole
// FORMAT_DESCRIPTION event. It is called before the first Append, and is an
// error inside a transaction.
func (l *Log) Rotate(format event.Event) error { panic("not yet") }

// Append writes e behind the log; it is neither durable nor visible yet. e is
// borrowed. Control events are left out.
func (l *Log) Append(e event.Event, m event.Mark) error { panic("not yet") }

// Sync makes the whole transactions appended so far durable and then visible.
// After an error nothing of them is, and all writing fails with it until
// Recover.
func (l *Log) Sync() error { panic("not yet") }

// Abort cuts the log back to the end of the last whole transaction appended:
// the master was lost inside one. Rotate must follow.
func (l *Log) Abort() error { panic("not yet") }

// Recover makes the log writable again after an error: the last file is read
// anew from disk and cut back to what is visible. Rotate must follow.
func (l *Log) Recover() error { panic("not yet") }

// Close syncs nothing; readers end with ErrClosed.
func (l *Log) Close() error { panic("not yet") }

// Executed is what is durable and visible, what came before the oldest file
// included; the empty set, never nil, for a new log.
func (l *Log) Executed() *cluster.GTIDSet { panic("not yet") }

// Seed has a log without a single transaction begin behind set.
func (l *Log) Seed(set *cluster.GTIDSet) error { panic("not yet") }

// Oldest is what came before the oldest file: a slave must have it already.
func (l *Log) Oldest() *cluster.GTIDSet { panic("not yet") }

// Changed is closed at the next Sync that makes something visible, or when the
// log closes.
func (l *Log) Changed() <-chan struct{} { panic("not yet") }

// Trimmed is what Trim deleted and what that cost. It is a value.
type Trimmed struct {
	// Files deleted, by name, the oldest first.
	Files []string
	// Bytes that they had.
	Bytes int64
	// Cut holds the indexes into needed of the slaves that still needed one of
	// the files: the bound on disk won over them.
	Cut []int
	// Near holds the indexes of those that the bound will reach when the log
	// has grown by a quarter of it.
	Near []int
}

// Trim deletes the oldest files that are past the bounds of size or age.
// needed are the sets that the registered slaves have.
func (l *Log) Trim(needed []*cluster.GTIDSet, now time.Time) (Trimmed, error) { panic("not yet") }

// Read returns a reader of everything that have lacks. Its error is a
// *PurgedError, an *AheadError, or about the disk.
func (l *Log) Read(have *cluster.GTIDSet) (*Reader, error) { panic("not yet") }

// Reader gives a log's transactions in their order, and waits for new ones.
// One goroutine uses it.
type Reader struct{}

// Piece is a run of raw events of one file. It is valid until the next call.
type Piece struct {
	// File is our file's name, on each piece.
	File string
	// Start says that a new file begins: Format and Before are set, Events is
	// empty, Offset is 4.
	Start  bool
	Format event.Event
	Before *cluster.GTIDSet
	// Offset of Events[0] in our file, as a plain binlog file counts it.
	Offset int64
	// Events are whole raw events back to back, at most about 1 MiB unless a
	// single one is larger. A transaction may go over several pieces.
	Events []byte
	// Last is the last transaction that ends in Events; zero where none does.
	Last cluster.GTID
}

// Next returns the next piece; it waits for one until ctx ends. After Trim has
// deleted the file being read it goes on to that file's end.
func (r *Reader) Next(ctx context.Context) (Piece, error) { panic("not yet") }

// Close ends the reader.
func (r *Reader) Close() error { panic("not yet") }

// PurgedError says that a slave asks for transactions that are no longer
// stored: it needs a full copy.
type PurgedError struct {
	// Missing is what the slave lacks of what came before the oldest file.
	Missing *cluster.GTIDSet
}

// Error says what is missing.
func (e *PurgedError) Error() string {
	return fmt.Sprintf("read stored log: %s is no longer stored", e.Missing)
}

// AheadError says that a slave has what the log has not: errant transactions,
// or those of a former master.
type AheadError struct {
	// Extra is what the slave has too much.
	Extra *cluster.GTIDSet
}

// Error says what is too much.
func (e *AheadError) Error() string {
	return fmt.Sprintf("read stored log: the reader has %s, which is not in the log", e.Extra)
}
