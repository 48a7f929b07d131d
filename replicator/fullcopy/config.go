package fullcopy

import (
	"errors"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// Config says what is copied where, and how. It is a value.
type Config struct {
	// Source is read, Target becomes its copy and loses all that it has.
	Source, Target control.Node
	// Nodes holds the operator account and the TLS towards the nodes.
	Nodes cluster.Config
	// Workers is how many ranges are copied at a time; 0 means 4.
	Workers int
	// BytesPerSecond bounds what is read from the source; 0 is no bound.
	BytesPerSecond int64
	// LockWait is how long the source's writes may have to wait until commits
	// stand still, each time that it is tried; whole seconds, 0 means 2 s.
	LockWait time.Duration
	// LockTries is how often that is tried, a second apart; 0 means 5.
	LockTries int
	// RangeBytes is about how much is copied at once; 0 means 8 MiB.
	RangeBytes uint64
	// Attempts is how often the copy goes on with a new snapshot after something
	// that passes, such as a lost connection; 0 means 5.
	Attempts int
	// Fresh copies everything anew where an earlier copy was left unfinished.
	Fresh bool
	// HoldDefinitions has CREATE, ALTER, DROP and the like wait on a MySQL source
	// until all rows are copied. Without it a table that is altered meanwhile
	// costs an attempt.
	HoldDefinitions bool
	// Method is how the data get there; 0 means MethodCopy.
	Method Method
	// RestartWait is how long the target may take to be started again after
	// MethodClone; 0 means 10 minutes.
	RestartWait time.Duration
}

func (c Config) withDefaults() Config {
	c.Workers = orInt(c.Workers, 4)
	c.LockTries = orInt(c.LockTries, 5)
	c.Attempts = orInt(c.Attempts, 5)
	if c.LockWait < time.Second {
		c.LockWait = 2 * time.Second
	}
	if c.RestartWait <= 0 {
		c.RestartWait = 10 * time.Minute
	}
	if c.RangeBytes == 0 {
		c.RangeBytes = 8 << 20
	}
	return c
}

func orInt(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// The errors that copying again as it is does not cure. Others are of the
// servers, of the network or of the context.
var (
	// ErrUnfit: the two nodes cannot be source and copy.
	ErrUnfit = errors.New("cannot be copied there")
	// ErrBusy: the source's commits could not be made to stand still in time.
	ErrBusy = errors.New("the source is too busy for a snapshot")
	// ErrDiffers: something came out differently on the target.
	ErrDiffers = errors.New("the copy is not like its source")
	// ErrDisturbed: somebody else acts on the target.
	ErrDisturbed = errors.New("somebody else acts on the target")
)
