package failover

import "time"

// flaps is how many failovers within the window are too many: a fleet whose
// masters die one after the other is not helped by another one, while a second
// or third fault in the middle of a recovery must not leave it without a master.
const flaps = 5

// limited is from when a window counts in which no failover is made without an
// order: from the first of the last five that were made within it; zero while
// there were fewer. changes is in order.
func limited(changes []time.Time, now time.Time, window time.Duration) time.Time {
	if len(changes) < flaps {
		return time.Time{}
	}
	if first := changes[len(changes)-flaps]; now.Sub(first) < window {
		return first
	}
	return time.Time{}
}
