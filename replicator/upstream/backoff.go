package upstream

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/wire"
)

const (
	// firstPause and lastPause bound the pause before the next attempt; while
	// it lasts, commits wait for us.
	firstPause = 50 * time.Millisecond
	lastPause  = 3 * time.Second
	// mostPatience bounds how long a silent master is waited for.
	mostPatience = time.Minute
	// mostStrikes is how often in a row the stream itself may be wrong before
	// it is certain that trying again does not help.
	mostStrikes = 5
)

// codeDumpFailed is what servers say of every reason not to send their binary
// log (ER_MASTER_FATAL_ERROR_READING_BINLOG).
const codeDumpFailed uint16 = 1236

// errChecksum says that an event was changed on its way, or on the master's disk.
var errChecksum = errors.New("wrong checksum")

// errSilent says that the master said nothing for too long.
var errSilent = errors.New("the master is silent")

// backoff remembers how attempts ended. One goroutine. Its zero value is ready.
type backoff struct {
	attempts int // in a row without success
	strikes  int // of these, those that no better network can cure
	silences int // streams that ended in silence, and nothing was stored since
}

// useful forgets all failures: a transaction has arrived, or the master has
// said for a second time that it has none. The first time says little: it comes
// at once, and before the silence of a master that reads a large event.
func (b *backoff) useful() { *b = backoff{} }

// patience is how long to bear silence, where it is usually base: longer each
// time that it was too short, so that an event which takes the master long to
// read arrives at last.
func (b *backoff) patience(base time.Duration) time.Duration {
	return max(base, min(base<<min(b.silences, 16), mostPatience))
}

// failed counts one failure and says whether there is hope.
func (b *backoff) failed(err error) (hope bool) {
	b.attempts++
	if errors.Is(err, errSilent) {
		b.silences++
	}
	if !ofTheStream(err) {
		b.strikes = 0
		return true
	}
	b.strikes++
	return b.strikes < mostStrikes
}

// ceiling is the longest pause before the next attempt: it doubles.
func (b *backoff) ceiling() time.Duration {
	return min(firstPause<<min(max(b.attempts-1, 0), 16), lastPause)
}

// pause is anything up to the ceiling (full jitter), so that several who lost
// the same master do not come back together.
func (b *backoff) pause() time.Duration { return rand.N(b.ceiling() + 1) }

// ofTheStream says whether an error is about what the master sends, not about
// the way to it: the same will probably come again.
func ofTheStream(err error) bool {
	var said *wire.ServerError
	if errors.As(err, &said) {
		return said.Code == codeDumpFailed
	}
	return errors.Is(err, event.ErrStream) || errors.Is(err, event.ErrMalformed) ||
		errors.Is(err, errChecksum) || errors.Is(err, errRepeated) || errors.Is(err, wire.ErrPacketTooLarge)
}
