package fullcopy

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// Tables that change places while they are copied, as tools for altering large
// tables have them do: the snapshot reads either under either name.
func TestCopyWhileTablesChangePlaces(t *testing.T) {
	worlds(t, func(w *world) {
		w.load([]string{
			"CREATE DATABASE n", "CREATE TABLE n.here (id INT PRIMARY KEY, v VARCHAR(400))", "CREATE TABLE n.there LIKE n.here", "CREATE TABLE n.bystander LIKE n.here",
			"INSERT INTO n.here VALUES (1, REPEAT('h', 400))",
		})
		for range 12 {
			w.load([]string{"INSERT INTO n.here SELECT id + (SELECT MAX(id) FROM n.here), v FROM n.here"})
		}
		w.load([]string{"INSERT INTO n.there SELECT id, REPEAT('t', 100) FROM n.here WHERE id < 50", "INSERT INTO n.bystander SELECT * FROM n.there", "ANALYZE TABLE n.here"})
		c := w.setup()
		c.Workers, c.BytesPerSecond = 1, 1_000_000
		copying := New(c, w.logger())
		var group sync.WaitGroup
		var failed error
		group.Go(func() { _, failed = copying.Run(w.soon()) })
		within := func() bool {
			p := copying.Progress()
			return p.Phase == PhaseDone || p.Rows > 500 && strings.HasSuffix(p.Doing, "n.here")
		}
		for ctx := w.soon(); !within(); {
			w.ok(pause(ctx, time.Millisecond))
		}
		w.exec(w.master(), "RENAME TABLE n.here TO n.t, n.there TO n.here, n.t TO n.there", "UPDATE n.there SET v = 'x' WHERE id % 100 = 0")
		group.Wait()
		w.ok(failed)
		if p := copying.Progress(); p.Attempt != 2 {
			w.Errorf("progress %+v", p)
		}
		w.follow()
		w.content(3)
	})
}
