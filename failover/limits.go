package failover

import "time"

// flaps is how many failovers within the window are too many: a fleet whose
// masters die one after the other is not helped by another one, while a second
// fault in the middle of a recovery must not leave it without a master.
const flaps = 3

// limited is from when a window counts in which no failover is made without an
// order; zero while there were few of them.
func limited(changes []time.Time, now time.Time, window time.Duration) time.Time {
	recent := 0
	var last time.Time
	for _, at := range changes {
		if now.Sub(at) < window {
			recent++
			last = at
		}
	}
	if recent < flaps {
		return time.Time{}
	}
	return last
}
