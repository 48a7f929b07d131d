package control

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/cluster"
)

// ErrWhose says that a connection's id may be another one's by now.
var ErrWhose = errors.New("the server was started at about the time when the connection was made")

// errNoThread is a server's answer where nobody has that id (ER_NO_SUCH_THREAD).
const errNoThread = 1094

// endPoll is how often a connection is killed until it is gone.
const endPoll = 10 * time.Millisecond

// End ends the connection that has an id and was made at a time, sees it gone,
// and returns what the server has executed then: nothing that the connection
// asked for can be committed any more and not be in it. Where the server was
// started since, its connections are gone already. Servers tell that in whole
// seconds: one that was known, before the connection was made, to have started at
// the time of known is taken for the same as long as that is about right; zero
// where it was not known.
func (c *Conn) End(ctx context.Context, thread uint32, opened, known time.Time) (*cluster.GTIDSet, error) {
	uptime, err := c.row(ctx, "SHOW GLOBAL STATUS LIKE 'Uptime'")
	if err != nil {
		return nil, fmt.Errorf("read uptime of %s: %w", c.node.Name, err)
	}
	seconds, err := strconv.ParseUint(uptime["Value"], 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read uptime of %s: %w", c.node.Name, err)
	}
	started := time.Now().Add(-time.Duration(seconds) * time.Second)
	const slack = 1100 * time.Millisecond // it tells whole seconds
	switch {
	case opened.After(started.Add(slack)), !known.IsZero() && started.Sub(known).Abs() < 2*slack:
		err = c.kill(ctx, thread)
	case !opened.Before(started.Add(-slack)):
		err = ErrWhose
	}
	if err != nil {
		return nil, fmt.Errorf("end connection %d of %s: %w", thread, c.node.Name, err)
	}
	return c.executed(ctx)
}

// kill ends a connection and waits until it is gone: what it does is finished or
// undone before it goes. It is gone when there is nobody to kill: the list of
// connections would not show it either to an account that may not see it.
func (c *Conn) kill(ctx context.Context, thread uint32) error {
	tick := time.NewTicker(endPoll)
	defer tick.Stop()
	for {
		err := c.exec(ctx, fmt.Sprintf("KILL CONNECTION %d", thread))
		if server := (*mysql.MySQLError)(nil); errors.As(err, &server) && server.Number == errNoThread {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// executed is what the server has in its binary log, or as executed.
func (c *Conn) executed(ctx context.Context) (*cluster.GTIDSet, error) {
	text := "SELECT @@GLOBAL.gtid_executed AS executed"
	if c.dialect.MariaDB() {
		text = "SELECT @@GLOBAL.gtid_binlog_pos AS executed"
	}
	row, err := c.row(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("read position of %s: %w", c.node.Name, err)
	}
	return cluster.ParseGTIDSet(c.dialect.Flavour(), row["executed"])
}
