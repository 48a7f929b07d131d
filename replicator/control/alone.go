package control

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Alone is a statement for one slave, which no other node gets. It is a value.
type Alone struct {
	SQL  string
	Args []any  // for its question marks
	Mode string // the sql_mode that it is meant for
}

// AloneResult is what came of it. It is a value.
type AloneResult struct {
	Affected, InsertID int64
	// Begun says that the statement was sent, whatever came of it.
	Begun bool
	// Foreign is what others executed meanwhile of their own, with transactions
	// that no other node has; nil for nothing.
	Foreign *cluster.GTIDSet
}

// ErrWritable is returned for a slave that is not read-only.
var ErrWritable = errors.New("it is not read-only, so others may write there")

// The bounds of such a change.
const (
	aloneLock  = 10               // seconds, for locks of tables and of rows
	aloneGrace = 10 * time.Second // for a statement to end that was killed

	closeTimeout = 30 * time.Second
)

// ChangeAlone runs one statement on a slave without leaving a transaction in its
// binary log or GTID set. A MySQL is opened for it to accounts that may write
// through read_only, which stays; all others are refused as before. mark is called once
// the server has understood the statement, and before anything is changed. When it
// returns, nothing of the statement can happen any more.
//
// Sources: MySQL's manual, "Server System Variables" (super_read_only), "SET
// sql_log_bin Statement"; MariaDB's knowledge base, "read_only" and
// "SET SQL_LOG_BIN".
func (c *Conn) ChangeAlone(ctx context.Context, a Alone, mark func() error) (r AloneResult, err error) {
	id, err := c.prepareSession(ctx, a.Mode)
	if err != nil {
		return r, err
	}
	statement, err := c.conn.PrepareContext(ctx, a.SQL)
	if err != nil {
		return r, err // of the server, as it is
	}
	defer func() { _ = statement.Close() }() // the connection ends with it
	if c.dialect.MariaDB() {
		if err := mark(); err != nil {
			return r, err
		}
		r.Begun = true
		return r, c.runAlone(ctx, id, statement, a.Args, &r)
	}
	before, err := c.ownExecuted(ctx)
	if err != nil {
		return r, err
	}
	if err := mark(); err != nil {
		return r, err
	}
	r.Begun = true
	if err = c.exec(ctx, "SET GLOBAL super_read_only = OFF"); err == nil {
		err = c.runAlone(ctx, id, statement, a.Args, &r)
	}
	after, closed := c.closeAgain(context.WithoutCancel(ctx))
	if after != nil && !before.ContainsSet(after) {
		r.Foreign = after.Subtract(before)
	}
	return r, errors.Join(err, closed)
}

// closeAgain closes a MySQL that was opened, for good where somebody holds it up,
// and returns what it has executed of its own by then. The connection may be gone.
func (c *Conn) closeAgain(ctx context.Context) (own *cluster.GTIDSet, err error) {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	for {
		_, err = c.conn.ExecContext(ctx, closeAgain)
		if err != nil {
			_, err = c.db.ExecContext(ctx, closeAgain)
		}
		if err == nil {
			return c.ownExecuted(ctx)
		}
		select {
		case <-time.After(drainPoll):
		case <-ctx.Done():
			return nil, fmt.Errorf("close %s again: %w", c.node.Name, err)
		}
	}
}

// closeAgain leaves a server open that somebody has opened by now.
const closeAgain = "SET GLOBAL super_read_only = @@GLOBAL.read_only"

// prepareSession makes the session one that logs nothing, and returns its id. A
// slave that is not read-only is refused.
func (c *Conn) prepareSession(ctx context.Context, mode string) (id int64, err error) {
	row := c.conn.QueryRowContext(ctx, "SELECT CONNECTION_ID(), @@GLOBAL.read_only NOT IN ('0', 'OFF')")
	var readOnly bool
	if err := row.Scan(&id, &readOnly); err != nil {
		return 0, fmt.Errorf("look at %s: %w", c.node.Name, err)
	}
	if !readOnly {
		return 0, fmt.Errorf("change %s alone: %w", c.node.Name, ErrWritable)
	}
	var got sql.NullInt64
	query := fmt.Sprintf("SELECT GET_LOCK('%s', %d)", aloneName, aloneLock)
	if err := c.conn.QueryRowContext(ctx, query).Scan(&got); err != nil || got.Int64 != 1 {
		return 0, errors.Join(fmt.Errorf("change %s alone: what was begun there before does not end", c.node.Name), err)
	}
	return id, c.exec(ctx, "SET NAMES utf8mb4",
		fmt.Sprintf("SET SESSION sql_log_bin = 0, lock_wait_timeout = %d, innodb_lock_wait_timeout = %d", aloneLock, aloneLock),
		"SET SESSION sql_mode = "+quote(mode))
}

// aloneName is the lock that such a session holds for as long as it lives.
const aloneName = "bellwether_alone"

// EndLeftAlone ends the session of a change that a Bellwether has left behind
// which was killed, and returns when nothing of it can happen any more: a server
// does not see that its client has gone while a statement runs or waits. Nobody may
// change the slave alone meanwhile.
func (c *Conn) EndLeftAlone(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	for {
		var id sql.NullInt64
		if err := c.conn.QueryRowContext(ctx, "SELECT IS_USED_LOCK('"+aloneName+"')").Scan(&id); err != nil || !id.Valid {
			return err
		}
		refused := c.exec(ctx, fmt.Sprintf("KILL %d", id.Int64)) // one that has ended meanwhile is none any more
		select {
		case <-time.After(drainPoll):
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("end what was left behind on %s: session %d still runs: %w", c.node.Name, id.Int64, ctx.Err()), refused)
		}
	}
}

// runAlone runs the statement to an end that is known: where ctx ends first, it is
// killed, and its end waited for.
func (c *Conn) runAlone(ctx context.Context, id int64, statement *sql.Stmt, args []any, r *AloneResult) error {
	bounded, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	killed := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(killed)
		if err := c.killQuery(bounded, id); err != nil {
			cancel()
			return
		}
		select {
		case <-time.After(aloneGrace):
			cancel()
		case <-bounded.Done():
		}
	})
	result, err := statement.ExecContext(bounded, args...)
	if !unwatch() {
		cancel()
		<-killed
	}
	if err != nil {
		return err // of the server, as it is
	}
	// Both are in the answer that has been read: neither asks the server.
	r.Affected, _ = result.RowsAffected()
	r.InsertID, _ = result.LastInsertId()
	return nil
}

// killQuery ends what a session of this server runs, over another connection.
func (c *Conn) killQuery(ctx context.Context, id int64) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	_, err := c.db.ExecContext(ctx, fmt.Sprintf("KILL QUERY %d", id))
	return err
}

// ownExecuted is what the server has executed with GTIDs that it gave itself.
func (c *Conn) ownExecuted(ctx context.Context) (*cluster.GTIDSet, error) {
	row, err := cluster.ReadRows(ctx, c.db, "SELECT @@GLOBAL.server_uuid AS own, @@GLOBAL.gtid_executed AS executed")
	if err != nil || len(row) == 0 {
		return nil, fmt.Errorf("read gtid_executed of %s: %w", c.node.Name, err)
	}
	own, err := cluster.ParseGTIDSet(cluster.FlavourMySQL, row[0]["own"]+":1-"+strconv.FormatInt(1<<62, 10))
	if err != nil {
		return nil, err
	}
	all, err := cluster.ParseGTIDSet(cluster.FlavourMySQL, row[0]["executed"])
	if err != nil {
		return nil, fmt.Errorf("read gtid_executed of %s: %w", c.node.Name, err)
	}
	return all.Intersect(own), nil
}
