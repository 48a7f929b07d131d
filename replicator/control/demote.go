package control

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// OwnError is returned for a former master that lacks transactions which it wrote
// itself and which its source has: a server passes over events that carry its own
// server_id, so as a slave it would never get them, without any error.
type OwnError struct {
	Node    string
	Missing *cluster.GTIDSet // on MariaDB the first one
}

// Error implements error.
func (e *OwnError) Error() string {
	return fmt.Sprintf("%s lacks %v, which it wrote itself when it was the master: as a slave it would pass over them; copy it anew (/sync)", e.Node, e.Missing)
}

// Self is who a server is in its events and its transactions, and what it has. It
// is a value.
type Self struct {
	ServerID uint32
	// Has is what it has executed, on a MariaDB what is in its binary log.
	Has *cluster.GTIDSet
	// Own are all transactions that it may have written itself, of a MySQL; nil on
	// a MariaDB.
	Own *cluster.GTIDSet
}

// demotePoll is how often commits are looked at that waited.
const demotePoll = 20 * time.Millisecond

// Demote makes a node that was the master, and no client uses, ready to be a
// slave: it is read-only, follows nobody yet, none of its commits waits for an
// acknowledgement, its events are disabled. Those that waited have ended when it
// returns.
func (c *Conn) Demote(ctx context.Context) error {
	if err := errors.Join(c.closeWrites(ctx), c.leaveSource(ctx)); err != nil {
		return err
	}
	if err := errors.Join(c.DisableSemiSync(ctx), c.DisableEvents(ctx)); err != nil {
		return err
	}
	tick := time.NewTicker(demotePoll)
	defer tick.Stop()
	for {
		busy, err := c.commits(ctx)
		if err != nil || !busy {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("demote %s: a commit is still under way: %w", c.node.Name, ctx.Err())
		}
	}
}

// leaveSource has a slave forget its source, and what it received from there and
// did not apply.
func (c *Conn) leaveSource(ctx context.Context) error {
	s, err := c.Status(ctx)
	if err != nil || !s.Configured {
		return err
	}
	return c.say(ctx, dialect.StopSlave, dialect.ResetSlaveAll)
}

// commits says whether a transaction has its GTID and has not ended.
func (c *Conn) commits(ctx context.Context) (bool, error) {
	if c.dialect.MariaDB() {
		s, err := c.SemiSync(ctx)
		return s.Waiting > 0, err
	}
	row, err := c.row(ctx, "SELECT @@GLOBAL.gtid_owned AS owned")
	return row["owned"] != "", err
}

// Self reads who the server is and what it has.
func (c *Conn) Self(ctx context.Context) (s Self, err error) {
	text := "SELECT @@GLOBAL.server_id AS id, @@GLOBAL.server_uuid AS uuid"
	if c.dialect.MariaDB() {
		text = "SELECT @@GLOBAL.server_id AS id"
	}
	row, err := c.row(ctx, text)
	if err != nil {
		return s, fmt.Errorf("read who %s is: %w", c.node.Name, err)
	}
	id, err := strconv.ParseUint(row["id"], 10, 32)
	if err != nil {
		return s, fmt.Errorf("read server_id of %s: %w", c.node.Name, err)
	}
	s.ServerID = uint32(id)
	if !c.dialect.MariaDB() {
		if s.Own, err = cluster.ParseGTIDSet(c.dialect.Flavour(), row["uuid"]+":1-"+strconv.FormatInt(1<<62, 10)); err != nil {
			return s, err
		}
	}
	s.Has, err = c.executed(ctx)
	return s, err
}
