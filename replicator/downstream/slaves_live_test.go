package downstream

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestSlaveFollows feeds a real slave, stops and starts it at random, and wants
// the master's rows and GTIDs there.
func TestSlaveFollows(t *testing.T) {
	onEachFlavour(t, 1, func(w *world) {
		w.copy()
		w.follow(w.slave, w.server.Addr(), "0.5")
		random := rand.New(rand.NewPCG(1, 2))
		for i := range 6 {
			for range 1 + random.IntN(20) {
				w.exec(w.master, fmt.Sprintf("INSERT INTO shop.t (v, n) VALUES (REPEAT('%d', %d), %d)", i, random.IntN(300_000), i))
			}
			if i == 3 {
				w.exec(w.master, "FLUSH BINARY LOGS", "ALTER TABLE shop.t ADD COLUMN m INT", "UPDATE shop.t SET m = n")
			}
			w.copy()
			pause(w.Context(), time.Duration(random.IntN(30))*time.Millisecond) // somewhere in the stream
			w.exec(w.slave, "STOP "+w.word(), "START "+w.word())
		}
		w.caughtUp(w.slave)
		w.sameRows(w.master, w.slave)
		if got := len(w.server.Slaves()); got != 1 {
			t.Errorf("%d slaves, want 1: %+v", got, w.server.Slaves())
		}
	})
}
