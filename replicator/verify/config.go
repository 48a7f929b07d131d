package verify

import (
	"errors"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// Config says what is compared, and how gently. It is a value.
type Config struct {
	// Source is the master, Target the slave.
	Source, Target control.Node
	// Nodes holds the operator account and the TLS towards the nodes.
	Nodes cluster.Config
	// ChunkTime is about how long a chunk takes on the master; 0 means 300 ms.
	ChunkTime time.Duration
	// LockTime bounds how long writes to one chunk may have to wait for a proof;
	// whole seconds, 0 means 2 s.
	LockTime time.Duration
	// Patience is how long the slave may take to catch up; 0 means a minute.
	Patience time.Duration
	// MostKeys is how many rows of a chunk are named at most; 0 means 10.
	MostKeys int
}

func (c Config) withDefaults() Config {
	c.ChunkTime = orElse(c.ChunkTime, 300*time.Millisecond)
	c.LockTime = max(orElse(c.LockTime, 2*time.Second), time.Second)
	c.Patience = orElse(c.Patience, time.Minute)
	if c.MostKeys <= 0 {
		c.MostKeys = 10
	}
	return c
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// The errors beside those of servers and network.
var (
	// ErrBehind: the slave did not reach the master's position in time.
	ErrBehind = errors.New("the slave does not catch up")
	// ErrUnfinished: the slave is an unfinished full copy.
	ErrUnfinished = errors.New("the slave is an unfinished full copy")
)
