package downstream

import (
	"context"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// Log is what the server needs of the stored log; see Stored. Any number of
// goroutines use it at once.
type Log interface {
	// Executed is what is durable and visible; never nil.
	Executed() *cluster.GTIDSet
	// Oldest is what a slave must have to be served.
	Oldest() *cluster.GTIDSet
	// Changed is closed when there is more than at the time of the call.
	Changed() <-chan struct{}
	// Files are the log's files, the oldest first.
	Files() []storedlog.File
	// Read returns what have lacks. Its error is a *storedlog.PurgedError, a
	// *storedlog.AheadError, or about the disk.
	Read(have *cluster.GTIDSet) (Reader, error)
}

// Reader is one slave's way through the log; one goroutine uses it. Next hands
// out a piece that is there even when ctx is done: only waiting ends with ctx's
// error, and the reader is of use after that. The first piece is a Start.
type Reader interface {
	Next(ctx context.Context) (storedlog.Piece, error)
	Close() error
}

// Stored is the stored log as a server needs it.
func Stored(l *storedlog.Log) Log { return stored{l} }

type stored struct{ *storedlog.Log }

// Read implements Log.
func (s stored) Read(have *cluster.GTIDSet) (Reader, error) { return s.Log.Read(have) }
