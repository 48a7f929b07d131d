package acceptance

import (
	"fmt"
	"slices"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// ownRow is what one client has written to its own row.
type ownRow struct {
	last  int64   // the last value that was acknowledged, 0 for none
	maybe []int64 // what was tried since, and not acknowledged
}

// own changes a row that is only this client's, and reads it back.
func (c *caller) own(number int) error {
	value := int64(c.crowd.number)<<32 + int64(number)
	c.tries(value)
	if _, err := c.exec(1, "UPDATE chaos.own SET v = ? WHERE id = ?", value, c.n); err != nil {
		return err
	}
	c.ack()
	c.has(value)
	for range 3 {
		got, err := c.one("SELECT v FROM chaos.own WHERE id = ?", c.n)
		if err != nil {
			return err
		}
		if got != value {
			c.say(&c.stale, "wrote %x and read %x", value, got)
		}
	}
	return nil
}

// tries notes a value that is about to be written.
func (c *caller) tries(value int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owned[c.n] == nil {
		c.owned[c.n] = &ownRow{}
	}
	c.owned[c.n].maybe = append(c.owned[c.n].maybe, value)
}

// has notes a value that was acknowledged. Nothing that was tried before may
// take effect any more.
func (c *caller) has(value int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.owned[c.n] = ownRow{last: value}
}

// ownRows wants each client's row to hold what was acknowledged last, or what was
// tried since.
func (l *crowd) ownRows(v *judgement, n *playground.Node) error {
	db := l.on(n, 1)
	defer db.Close()
	for client, row := range l.owned {
		var is int64
		if err := db.QueryRowContext(l.Context(), "SELECT v FROM chaos.own WHERE id = ?", client).Scan(&is); err != nil {
			return fmt.Errorf("own row of client %d: %w", client, err)
		}
		if row.last != 0 && is != row.last && !slices.Contains(row.maybe, is) {
			v.lose("%s: own row %d is %x, acknowledged last was %x, tried since %x", n.Name, client, is, row.last, row.maybe)
		}
	}
	return nil
}
