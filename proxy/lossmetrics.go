package proxy

import "sync/atomic"

// lossMetrics counts what became of what was lost with a connection. Any
// goroutine may use it.
type lossMetrics struct {
	outcomes [OutcomeNotCommitted + 1]atomic.Uint64
	rebuilt  [numRebuilt]atomic.Uint64
	replays  [numReplayEnds]atomic.Uint64
}

// rebuilt is how a client was told that its write took effect.
type rebuilt uint8

const (
	rebuiltNot    rebuilt = iota // by an error that names the GTID
	rebuiltWrite                 // by the OK of a statement
	rebuiltCommit                // by the OK of a COMMIT
	numRebuilt
)

func (b rebuilt) String() string {
	return [...]string{"error", "statement", "commit"}[min(b, numRebuilt-1)]
}
