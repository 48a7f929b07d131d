package fullcopy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// cloning is one CLONE INSTANCE. It belongs to one goroutine.
type cloning struct {
	*target
	source   *schema.Conn
	identity string // the target's, before
}

// How often a clone is looked at, and how often somebody is asked to start the
// server.
const (
	clonePoll  = 200 * time.Millisecond
	cloneNudge = 30 * time.Second
)

// errNotRestarted is the end of a CLONE whose data are complete: nothing runs
// the server that would start it again, so it ends (ER_RESTART_SERVER_FAILED).
const errNotRestarted = 3707

// clone makes the target a clone of the source, with the same mark before it as
// a copy has. It takes CLONE_ADMIN on the target and BACKUP_ADMIN on the source.
func (c *Copy) clone(ctx context.Context, p *pair) (result Result, err error) {
	k := &cloning{target: &target{Copy: c, conn: p.target}, source: p.source, identity: p.target.Identity}
	defer func() { err = errors.Join(err, k.release(ctx)) }()
	for _, step := range []func(context.Context) error{k.fit, k.ready, k.stamp, k.empty, k.fetch, k.restarted} {
		if err := step(ctx); err != nil {
			return result, err
		}
	}
	return k.settle(ctx)
}

// fit refuses what CLONE would refuse once the target has nothing left.
func (k *cloning) fit(ctx context.Context) error {
	s, t := k.source.Dialect.Version(), k.conn.Dialect.Version()
	exact := s[0] == 8 && s[1] == 0 && min(s[2], t[2]) < 37
	if k.conn.Dialect.MariaDB() || s[0] < 8 || s[0] != t[0] || s[1] != t[1] || exact && s != t {
		return fmt.Errorf("CLONE is between two MySQL from 8.0.17 on and of one series (before 8.0.37 of one version), here %v and %v; use the method copy: %w",
			k.source.Dialect, k.conn.Dialect, ErrUnfit)
	}
	// Tables of other engines come out empty.
	other, err := k.source.Value(ctx, `SELECT IFNULL(MIN(CONCAT(TABLE_SCHEMA, '.', TABLE_NAME, ' (', ENGINE, ')')), '') FROM information_schema.TABLES
		WHERE TABLE_TYPE = 'BASE TABLE' AND ENGINE <> 'InnoDB' AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')`)
	if err == nil && other != "" {
		err = fmt.Errorf("CLONE takes along InnoDB tables only, and %s has %s; use the method copy: %w", k.source.Node.Name, other, ErrUnfit)
	}
	return errors.Join(err, granted(ctx, k.source, "BACKUP_ADMIN"), granted(ctx, k.conn, "CLONE_ADMIN"))
}

// granted insists on a privilege, unless a role may bring it.
func granted(ctx context.Context, c *schema.Conn, privilege string) error {
	rows, err := c.Rows(ctx, "SHOW GRANTS")
	if err != nil {
		return err
	}
	for _, row := range rows {
		for _, line := range row {
			if strings.Contains(line, privilege) || !strings.Contains(line, " ON ") {
				return nil
			}
		}
	}
	return fmt.Errorf("GRANT %s ON *.* TO the operator account on %s: %w", privilege, c.Node.Name, ErrUnfit)
}

// ready installs the plugin on both nodes where it lacks; that is not written to
// their binary logs. Nothing of the target's data has been touched.
func (k *cloning) ready(ctx context.Context) error {
	if err := plugin(ctx, k.source); err != nil {
		return fmt.Errorf("%w (on a slave: while super_read_only is off)", err)
	}
	if err := k.detach(ctx); err != nil {
		return err
	}
	if err := k.open(ctx); err != nil {
		return err
	}
	if err := write(ctx, k.conn); err != nil {
		return err
	}
	if err := plugin(ctx, k.conn); err != nil {
		return err
	}
	rate := k.config.BytesPerSecond
	if rate > 0 {
		rate = max(1, rate>>20) // MiB, and 0 is no bound
	}
	return k.conn.Exec(ctx, "SET GLOBAL clone_valid_donor_list = "+schema.Literal(k.config.Source.Addr),
		fmt.Sprintf("SET GLOBAL clone_max_data_bandwidth = %d", rate))
}

func plugin(ctx context.Context, c *schema.Conn) error {
	status, err := c.Value(ctx, "SELECT IFNULL(MAX(PLUGIN_STATUS), '') FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'clone'")
	if err != nil || status == "ACTIVE" {
		return err
	}
	if err := c.Exec(ctx, "INSTALL PLUGIN clone SONAME 'mysql_clone.so'"); err != nil {
		return fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	return nil
}

// stamp marks the target, as mark does: the position outlives the tables.
func (k *cloning) stamp(ctx context.Context) error {
	k.gauge.enter(PhaseMark, "")
	if err := k.tell(ctx); err != nil {
		return err
	}
	return k.setPosition(ctx, markMySQL, markMariaDB, "")
}

// empty drops what CLONE would drop: it stumbles over names that need quotes.
func (k *cloning) empty(ctx context.Context) error {
	there, err := schema.Databases(ctx, k.conn)
	if err != nil {
		return err
	}
	for _, d := range there {
		if err := k.conn.Exec(ctx, "DROP DATABASE "+schema.Quote(d.Schema)); err != nil {
			return err
		}
	}
	return nil
}

// fetch runs the statement, and watches it. That the connection ends is what
// happens when the server starts again by itself.
func (k *cloning) fetch(ctx context.Context) error {
	statement, err := k.statement()
	if err != nil {
		return err
	}
	id, err := k.conn.Value(ctx, "SELECT CONNECTION_ID()")
	if err != nil {
		return err
	}
	k.gauge.enter(PhaseRows, "CLONE INSTANCE")
	watch, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() { k.watch(watch) })
	err = k.conn.Exec(ctx, statement)
	stop()
	group.Wait()
	if ctx.Err() != nil {
		k.cancel(ctx, id)
		return ctx.Err()
	}
	said := (*mysql.MySQLError)(nil)
	switch {
	case schema.Is(err, errNotRestarted):
		k.log.Warn("the clone is complete, and nothing starts the server again by itself: start it", "node", k.config.Target.Name)
	case errors.As(err, &said):
		return err // it still runs, and says why
	}
	return nil
}

// statement names the account that Bellwether itself has on the source.
func (k *cloning) statement() (string, error) {
	host, port, err := net.SplitHostPort(k.config.Source.Addr)
	if err != nil {
		return "", fmt.Errorf("clone from %s: %w", k.config.Source.Addr, err)
	}
	account := k.config.Nodes.Operator
	text := fmt.Sprintf("CLONE INSTANCE FROM %s@%s:%s IDENTIFIED BY %s", schema.Literal(account.User), schema.Literal(host), port, schema.Literal(account.Password))
	if k.config.Nodes.TLS != nil && !k.config.Nodes.TLSOptional {
		text += " REQUIRE SSL"
	}
	return text, nil
}

// cancel ends a clone that goes on although nobody waits for it.
func (k *cloning) cancel(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	c, err := schema.Connect(ctx, k.config.Target, k.config.Nodes)
	if err == nil {
		err = errors.Join(c.Exec(ctx, "KILL "+id), c.Close())
	}
	if err != nil && !schema.Is(err, 1094) { // no such connection any more
		k.log.Warn("the clone could not be ended", "node", k.config.Target.Name, "error", err)
	}
}

// watch shows how far the clone is, as long as the server answers.
func (k *cloning) watch(ctx context.Context) {
	c, err := schema.Connect(ctx, k.config.Target, k.config.Nodes)
	if err != nil {
		return // the clone itself will say
	}
	defer func() { _ = c.Close() }()
	for pause(ctx, clonePoll) == nil {
		if k.look(ctx, c) != nil {
			return
		}
	}
}

// look takes over what the server says of its clone, which outlives its restart.
func (k *cloning) look(ctx context.Context, c *schema.Conn) error {
	rows, err := c.Rows(ctx, `SELECT IFNULL(MAX(IF(STATE = 'In Progress', STAGE, NULL)), '') AS stage, IFNULL(SUM(DATA), 0) AS data, IFNULL(SUM(ESTIMATE), 0) AS estimate
		FROM performance_schema.clone_progress`)
	if err != nil {
		return err
	}
	for _, row := range rows {
		k.gauge.change(func(p *Progress) {
			p.Doing, p.Bytes, p.BytesExpected = "CLONE INSTANCE "+strings.ToLower(row["stage"]), number(row["data"]), number(row["estimate"])
		})
	}
	return nil
}
