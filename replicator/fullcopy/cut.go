package fullcopy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// cut is the source at one position: what is defined, and connections on which
// its rows are as they were. It belongs to one goroutine; each connection to one.
type cut struct {
	copy      *Copy
	lead      *schema.Conn // holds the locks
	reader    *schema.Conn // reads definitions, and where ranges end
	snapshots []*schema.Conn
	// still holds locks on the tables that have no snapshots, until it is closed.
	still *schema.Conn

	catalogue *schema.Catalogue
	names     map[string]string // of InnoDB's tables, by their ids
	accounts  []*accountTable
	position  *cluster.GTIDSet
	logState  string // MariaDB's gtid_binlog_state
	held      time.Duration
}

// cut makes one. Its locks are bounded and gone when it returns, except those
// on tables without snapshots.
func (c *Copy) cut(ctx context.Context) (k *cut, err error) {
	k = &cut{copy: c}
	defer func() {
		if err != nil {
			k.close()
			k = nil
		}
	}()
	if err := k.connect(ctx); err != nil {
		return k, err
	}
	if err := k.holdDefinitions(ctx); err != nil {
		return k, err
	}
	if k.catalogue, err = schema.Read(ctx, k.reader); err != nil {
		return k, err
	}
	if k.names, err = tableNames(ctx, k.reader); err != nil {
		return k, err
	}
	if k.accounts, err = accountsOf(ctx, k.reader); err != nil {
		return k, err
	}
	if err := k.holdCommits(ctx); err != nil {
		return k, err
	}
	begun := time.Now()
	err = errors.Join(k.open(ctx), k.letCommits(ctx))
	k.held = time.Since(begun)
	if err == nil && !k.stages() {
		err = c.readAccounts(ctx, k.snapshots[0], k.accounts)
	}
	return k, err
}

// queueWait is how long what is read may wait behind somebody who waits to alter
// a table that is being read.
const queueWait = time.Minute

// connect opens all connections before anything is locked.
func (k *cut) connect(ctx context.Context) (err error) {
	open := func() *schema.Conn {
		if err != nil {
			return nil
		}
		var conn *schema.Conn
		conn, err = schema.Connect(ctx, k.copy.config.Source, k.copy.config.Nodes)
		return conn
	}
	k.lead, k.reader, k.still = open(), open(), open()
	for range k.copy.config.Workers {
		if conn := open(); conn != nil {
			k.snapshots = append(k.snapshots, conn)
		}
	}
	for _, conn := range k.snapshots {
		if err == nil {
			// With sql_log_bin MariaDB keeps a table from being altered until the
			// transaction ends, whatever becomes of a savepoint.
			err = conn.Exec(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET SESSION sql_log_bin = 0")
		}
	}
	for _, conn := range append([]*schema.Conn{k.reader}, k.snapshots...) {
		if err == nil {
			err = conn.Set(ctx, fmt.Sprintf("lock_wait_timeout = %d", int(queueWait.Seconds())))
		}
	}
	for _, conn := range []*schema.Conn{k.lead, k.still} {
		if err == nil {
			err = conn.Set(ctx, fmt.Sprintf("lock_wait_timeout = %d", int(k.copy.config.LockWait.Seconds())))
		}
	}
	return err
}

// close gives everything on the source free.
func (k *cut) close() {
	for _, conn := range append([]*schema.Conn{k.lead, k.reader, k.still}, k.snapshots...) {
		if conn != nil {
			_ = conn.Close() // it read only
		}
	}
}

// stages says whether the source is a MariaDB with BACKUP STAGE.
func (k *cut) stages() bool {
	v := k.lead.Dialect.Version()
	return k.lead.Dialect.MariaDB() && (v[0] > 10 || v[0] == 10 && v[1] >= 4)
}

// instance says whether the source is a MySQL with LOCK INSTANCE.
func (k *cut) instance() bool {
	return !k.lead.Dialect.MariaDB() && k.lead.Dialect.Version()[0] >= 8
}

// holdDefinitions keeps anybody from defining anything, where the server can.
func (k *cut) holdDefinitions(ctx context.Context) error {
	switch {
	case k.instance():
		err := k.try(ctx, "LOCK INSTANCE FOR BACKUP")
		if schema.Is(err, 1227) {
			k.copy.log.Warn("without BACKUP_ADMIN nothing keeps definitions from changing while they are read", "source", k.copy.config.Source.Name)
			return nil
		}
		return err
	case k.stages():
		if err := k.try(ctx, "BACKUP STAGE START"); err != nil {
			return err
		}
		return k.try(ctx, "BACKUP STAGE BLOCK_DDL")
	}
	return nil
}

// holdCommits makes commits stand still.
func (k *cut) holdCommits(ctx context.Context) error {
	if k.stages() {
		return k.try(ctx, "BACKUP STAGE BLOCK_COMMIT")
	}
	return k.try(ctx, "FLUSH TABLES WITH READ LOCK")
}

// errLockWait is the end of lock_wait_timeout.
const errLockWait = 1205

// try takes a lock, each time for a bounded wait, since others queue up behind
// one that waits.
func (k *cut) try(ctx context.Context, lock string) error {
	for n := 1; ; n++ {
		k.copy.gauge.change(func(p *Progress) { p.Doing = lock })
		err := k.lead.Exec(ctx, lock)
		if !schema.Is(err, errLockWait) {
			return err
		}
		if n >= k.copy.config.LockTries {
			return fmt.Errorf("%w: %s did not come in %d times %v; %s", ErrBusy, lock, n, k.copy.config.LockWait, k.blockers(ctx))
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

// blockers names the connections whose statements run for longest: the lock
// waits for one of them, or for commits that wait for their acknowledgement.
func (k *cut) blockers(ctx context.Context) string {
	rows, err := k.reader.Rows(ctx, "SELECT ID AS id, USER AS user, TIME AS seconds, STATE AS state FROM information_schema.PROCESSLIST WHERE COMMAND IN ('Query', 'Execute') AND ID <> CONNECTION_ID() ORDER BY TIME DESC LIMIT 3")
	if err != nil || len(rows) == 0 {
		return "no statement runs there now"
	}
	var out []string
	for _, row := range rows {
		out = append(out, fmt.Sprintf("connection %s of %s for %s s (%s)", row["id"], row["user"], row["seconds"], row["state"]))
	}
	return "running longest: " + strings.Join(out, ", ")
}

// letCommits ends what need not last.
func (k *cut) letCommits(ctx context.Context) error {
	if k.stages() {
		return k.lead.Exec(ctx, "BACKUP STAGE END")
	}
	if err := k.lead.Exec(ctx, "UNLOCK TABLES"); err != nil || !k.instance() || k.copy.config.HoldDefinitions {
		return err
	}
	return k.lead.Exec(ctx, "UNLOCK INSTANCE")
}

// open opens the snapshots and reads the position, while commits stand still.
func (k *cut) open(ctx context.Context) (err error) {
	group, groupCtx := errgroup.WithContext(ctx)
	for _, conn := range k.snapshots {
		group.Go(func() error { return conn.Exec(groupCtx, "START TRANSACTION WITH CONSISTENT SNAPSHOT") })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if k.position, k.logState, err = k.reader.Executed(ctx); err != nil {
		return err
	}
	if err := k.lockStill(ctx); err != nil || !k.stages() {
		return err
	}
	// MariaDB's tables of accounts have no snapshots.
	return k.copy.readAccounts(ctx, k.reader, k.accounts)
}

// lockStill keeps the tables that no snapshot holds from being written to.
func (k *cut) lockStill(ctx context.Context) error {
	var locks []string
	for _, t := range k.catalogue.Tables {
		if t.HasData() && !t.Transactional() {
			locks = append(locks, t.Path()+" READ")
		}
	}
	if len(locks) == 0 {
		return nil
	}
	return k.still.Exec(ctx, "LOCK TABLES "+strings.Join(locks, ", "))
}
