package cluster

import "time"

// Heartbeat is how Bellwether's own writes on the master end: a row of its own,
// replaced again and again. A server whose disk has stalled answers questions and
// keeps its connections for ever, but it writes no more. It is a value.
type Heartbeat struct {
	// Written is when the last write ended well, zero before the first.
	Written time.Time
	// Pending is since when a write hangs; zero while none does.
	Pending time.Time
	// Wait is what the hanging write waits for in the server's own words, say
	// "Waiting for global read lock"; "" where it does not say.
	Wait string
	// Problem says why the row cannot be written, for people; "" while it can, or
	// while it is not tried: writes are not open, or the node is read-only.
	Problem string
}
