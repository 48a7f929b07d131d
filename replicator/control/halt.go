package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

const (
	// haltPatience is how long the appliers may take to end by themselves: who waits
	// for a lock that somebody holds on the slave does not hear that it is to stop.
	haltPatience = time.Second
	// haltPause is between two attempts to end them.
	haltPause = 100 * time.Millisecond
)

// Halt has a slave receive and apply nothing more, and returns what it has then.
// What it was sent and did not apply is forgotten by Promote. A node that has no
// source stays as it is. beside is another connection to it, on which appliers are
// ended that do not stop.
func (c *Conn) Halt(ctx context.Context, beside *Conn) (*cluster.GTIDSet, error) {
	s, err := c.Status(ctx)
	if err == nil && s.Configured {
		stopped := make(chan error, 1)
		go func() { stopped <- c.say(ctx, dialect.StopSlave) }()
		if err = beside.endAppliers(ctx, stopped); err == nil {
			s, err = c.Status(ctx)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("halt %s: %w", c.node.Name, err)
	}
	return s.Executed.Union(s.Current), nil
}

// endAppliers waits until the slave has stopped, and ends its appliers after a
// while: what each is about is undone, and is none of what the slave has.
func (c *Conn) endAppliers(ctx context.Context, stopped <-chan error) error {
	for wait := haltPatience; ; wait = haltPause {
		select {
		case err := <-stopped:
			return err
		case <-time.After(wait):
		}
		rows, err := c.rows(ctx, "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = 'system user' AND COMMAND <> 'Daemon'")
		for _, row := range rows {
			if err == nil {
				err = c.exec(ctx, "KILL CONNECTION "+row["id"])
			}
			if server := (*mysql.MySQLError)(nil); errors.As(err, &server) && server.Number == errNoThread {
				err = nil
			}
		}
		if err != nil {
			return errors.Join(err, <-stopped) // with ctx's end at the latest
		}
	}
}
