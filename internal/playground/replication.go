package playground

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
)

// OpenMaster lets a node accept writes, until it restarts. Whoever owns the
// topology calls it, for one node at a time.
func (c *Cluster) OpenMaster(ctx context.Context, n *Node) error {
	set := "SET GLOBAL super_read_only = OFF, GLOBAL read_only = OFF"
	if c.Flavour == MariaDB {
		set = "SET GLOBAL read_only = OFF"
	}
	if err := n.Exec(ctx, set); err != nil {
		return fmt.Errorf("open %s for writes: %w", n.Name, err)
	}
	n.logger.Info("open for writes")
	return nil
}

// Exec runs statements on the server as root, past the relay, on one
// connection.
func (n *Node) Exec(ctx context.Context, statements ...string) error {
	db, err := n.control()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %s: %w", n.Name, shorten(s), err)
		}
	}
	return nil
}

// shorten keeps passwords, which stand towards the end of long control
// statements, out of errors.
func shorten(statement string) string {
	const most = 40
	if len(statement) <= most {
		return statement
	}
	return statement[:most] + "..."
}

// Query asks the server, as Exec does, for one value; NULL is "".
func (n *Node) Query(ctx context.Context, query string, args ...any) (string, error) {
	db, err := n.control()
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	var value sql.NullString
	if err := db.QueryRowContext(ctx, query, args...).Scan(&value); err != nil {
		return "", fmt.Errorf("%s: %s: %w", n.Name, shorten(query), err)
	}
	return value.String, nil
}

// replicate sets all slaves up and waits until they have caught up.
func (c *Cluster) replicate(ctx context.Context) error {
	if err := c.clearReplication(ctx, c.Master); err != nil {
		return err
	}
	group, slaveCtx := errgroup.WithContext(ctx)
	for _, n := range c.Slaves() {
		group.Go(func() error { return c.ReplicateFrom(slaveCtx, n, c.Master.Addr()) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return c.WaitCaughtUp(ctx)
}

// clearReplication makes a node a slave of none; it may have been one before.
func (c *Cluster) clearReplication(ctx context.Context, n *Node) error {
	if c.Flavour == MariaDB {
		return n.Exec(ctx, "STOP SLAVE", "RESET SLAVE ALL")
	}
	return n.Exec(ctx, "STOP REPLICA", "RESET REPLICA ALL")
}

// ReplicateFrom makes a node replicate, by GTID, from the server at a host:port
// (such as another node's Addr), from wherever it stands.
func (c *Cluster) ReplicateFrom(ctx context.Context, n *Node, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("set up replication of %s: %w", n.Name, err)
	}
	statements := changeSource
	if c.Flavour == MariaDB {
		statements = changeMaster
	}
	user, password := quote(c.Replication.User), quote(c.Replication.Password)
	change := fmt.Sprintf(statements[1], quote(host), port, user, password)
	if err := n.Exec(ctx, statements[0], change, statements[2]); err != nil {
		return fmt.Errorf("set up replication: %w", err)
	}
	return nil
}

var changeSource = [3]string{"STOP REPLICA", `CHANGE REPLICATION SOURCE TO
	SOURCE_HOST = %s, SOURCE_PORT = %s, SOURCE_USER = %s, SOURCE_PASSWORD = %s,
	SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1,
	SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 86400, SOURCE_HEARTBEAT_PERIOD = 1`, "START REPLICA"}

var changeMaster = [3]string{"STOP SLAVE", `CHANGE MASTER TO
	MASTER_HOST = %s, MASTER_PORT = %s, MASTER_USER = %s, MASTER_PASSWORD = %s,
	MASTER_USE_GTID = slave_pos, MASTER_SSL = 0,
	MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 1`, "START SLAVE"}

// WaitCaughtUp waits until every slave has applied what the master has
// executed by now. A slave whose replication has broken is an error.
func (c *Cluster) WaitCaughtUp(ctx context.Context) error {
	position := "SELECT @@GLOBAL.gtid_executed"
	if c.Flavour == MariaDB {
		position = "SELECT @@GLOBAL.gtid_binlog_pos"
	}
	reached, err := c.Master.Query(ctx, position)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, n := range c.Slaves() {
		group.Go(func() error { return c.waitApplied(ctx, n, reached) })
	}
	return group.Wait()
}

// waitApplied asks the slave again and again, each time for at most a second,
// so that a replication that breaks meanwhile is seen.
func (c *Cluster) waitApplied(ctx context.Context, n *Node, position string) error {
	wait := "SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?)"
	if c.Flavour == MariaDB {
		wait = "SELECT MASTER_GTID_WAIT(?, ?)"
	}
	for {
		timedOut, err := n.Query(ctx, wait, position, 1)
		if err != nil {
			return fmt.Errorf("wait for %s: %w", n.Name, err)
		}
		state, err := c.replicationState(ctx, n)
		if err != nil {
			return err
		}
		if timedOut == "0" && state.running {
			return nil
		}
		if state.broken != "" {
			return fmt.Errorf("replication of %s: %w: %s", n.Name, errBroken, state.broken)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("wait for %s to apply %s: %w", n.Name, position, err)
		}
	}
}

var errBroken = errors.New("it has stopped")

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// replicationState is what a slave says of its two threads.
type replicationState struct {
	running bool
	broken  string // why the applier has stopped
}

func (c *Cluster) replicationState(ctx context.Context, n *Node) (replicationState, error) {
	show, prefix := "SHOW REPLICA STATUS", "Replica"
	if c.Flavour == MariaDB {
		show, prefix = "SHOW SLAVE STATUS", "Slave"
	}
	row, err := n.row(ctx, show)
	if err != nil {
		return replicationState{}, err
	}
	return replicationState{
		running: row[prefix+"_IO_Running"] == "Yes" && row[prefix+"_SQL_Running"] == "Yes",
		broken:  row["Last_SQL_Error"],
	}, nil
}

// row asks for one row, by column names; NULL is "", no row an empty map.
func (n *Node) row(ctx context.Context, query string) (map[string]string, error) {
	db, err := n.control()
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", n.Name, query, err)
	}
	defer func() { _ = rows.Close() }()
	return scanRow(rows)
}

func scanRow(rows *sql.Rows) (map[string]string, error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	if !rows.Next() {
		return nil, rows.Err()
	}
	values, targets := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range values {
		targets[i] = &values[i]
	}
	if err := rows.Scan(targets...); err != nil {
		return nil, err
	}
	row := make(map[string]string, len(names))
	for i, name := range names {
		row[name] = values[i].String
	}
	return row, nil
}
