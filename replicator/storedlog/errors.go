package storedlog

import (
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
)

var (
	// ErrClosed is what everything returns after Close.
	ErrClosed = errors.New("the stored log is closed")
	// ErrNoChecksum refuses a stream without checksums: a torn tail could not
	// be told from a whole one. SET GLOBAL binlog_checksum=CRC32 on the master.
	ErrNoChecksum = errors.New("the stream has no checksums: set binlog_checksum=CRC32 on the master")
	// ErrChecksum refuses an event that arrived damaged.
	ErrChecksum = errors.New("an event's checksum is wrong")
	// ErrOrder refuses a transaction that the log has, or on MariaDB one that is
	// behind its domain's last.
	ErrOrder = errors.New("a transaction comes a second time or out of order")
	// ErrNeedRotate says that a new file must begin first.
	ErrNeedRotate = errors.New("no file is open to append to: rotate first")
	// ErrInside refuses what may be done between transactions only.
	ErrInside = errors.New("inside a transaction")
	// ErrNotEmpty refuses Seed on a log that holds transactions.
	ErrNotEmpty = errors.New("the stored log holds transactions")
	// ErrKey says that a file is encrypted and the key is not its key.
	ErrKey = errors.New("the key does not fit")
	// ErrLocked says that another process has the log open.
	ErrLocked = errors.New("the stored log is in use by another process")
)

// PurgedError says that a slave asks for transactions that are no longer
// stored: it needs a full copy.
type PurgedError struct {
	// Missing is what the slave lacks of what is no longer stored; nil where
	// the files were deleted while it was reading, or one is gone from between others.
	Missing *cluster.GTIDSet
}

// Error says what is missing.
func (e *PurgedError) Error() string {
	if e.Missing == nil {
		return "read stored log: the next file has been deleted"
	}
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

// CorruptError says that bytes which were durable are not what was written:
// the disk is damaged, or somebody changed the file. Nothing was cut.
type CorruptError struct {
	// File is the path of the damaged file.
	File string
	// Offset is where the last sound transaction ends, Durable how far the file
	// was known to be durable, both as a plain binlog file counts.
	Offset, Durable int64
	// Err is what is wrong there.
	Err error
}

// Error says where the damage is, and what to do.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("stored log: %s is damaged behind offset %d, although it was durable up to %d: %v"+
		" (move it and the file \"durable\" away; what is lost is fetched again from the master, if that still has it)", e.File, e.Offset, e.Durable, e.Err)
}

// Unwrap is what is wrong with the file.
func (e *CorruptError) Unwrap() error { return e.Err }
