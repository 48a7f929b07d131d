package fullcopy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/dialect"
	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// The position of an unfinished copy: one transaction that no master has.
const (
	markMySQL   = "b0b0c0b1-0000-4000-8000-62656c6c7765:1"
	markMariaDB = "4294967295-1-1"
)

// releaseTimeout bounds what is set right on the target at the end.
const releaseTimeout = 10 * time.Second

// target is the node that becomes a copy. It belongs to one goroutine; what
// its workers share is said to be.
type target struct {
	*Copy
	conn  *schema.Conn
	cut   *cut
	reuse bool // what is there may be part of the copy already
	// kept are the tables that were there, alike; their ranges are compared.
	kept   map[*schema.Table]bool
	noting sync.Mutex
	notes  []string // under noting
	// restore are the global variables to set back, beside super_read_only where
	// opened says so.
	restore []string
	opened  bool
}

// writing are the settings of every session that writes on the target: nothing
// reaches its binary log, and nothing is checked, completed or refused that the
// source has taken.
var writing = []string{"sql_log_bin = 0", "foreign_key_checks = 0", "lock_wait_timeout = 60"}

// perhapsWriting are those that not every version has.
var perhapsWriting = []string{
	"sql_generate_invisible_primary_key = OFF", "sql_require_primary_key = OFF", "explicit_defaults_for_timestamp = ON",
	"innodb_strict_mode = OFF", "check_constraint_checks = OFF", "system_versioning_insert_history = ON",
}

// write prepares a session to write on the target.
func write(ctx context.Context, c *schema.Conn) error {
	// Ranges beside one another must not lock each other's gaps.
	if err := c.Exec(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"); err != nil {
		return err
	}
	if err := c.Set(ctx, writing...); err != nil {
		return err
	}
	return c.SetPerhaps(ctx, perhapsWriting...)
}

// mark takes the target's source away and makes it an unfinished copy.
func (t *target) mark(ctx context.Context) error {
	if err := t.detach(ctx); err != nil {
		return err
	}
	if err := t.open(ctx); err != nil {
		return err
	}
	if err := write(ctx, t.conn); err != nil {
		return err
	}
	unfinished, err := Unfinished(ctx, t.conn)
	if err != nil {
		return err
	}
	t.reuse = t.reuse && unfinished
	if err := t.tell(ctx); err != nil {
		return err
	}
	if err := t.setPosition(ctx, markMySQL, markMariaDB, ""); err != nil {
		return err
	}
	// LOAD DATA LOCAL; events must not run on half the data; and functions that
	// were made while anybody might make them.
	return errors.Join(t.setGlobal(ctx, "local_infile", "1", "0"), t.setGlobal(ctx, "event_scheduler", "OFF", "ON"), t.trustFunctions(ctx))
}

// The tables of the mark: what it is, and what is to be set back in the end,
// which a process that was killed could not.
var (
	about    = schema.Quote(schema.Marker) + ".about"
	restores = schema.Quote(schema.Marker) + ".restores"
)

// tell writes the mark in words, and takes over what an earlier copy has left.
func (t *target) tell(ctx context.Context) error {
	err := t.conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+schema.Quote(schema.Marker)+" CHARACTER SET utf8mb4",
		"CREATE TABLE IF NOT EXISTS "+about+" (id INT PRIMARY KEY, text VARCHAR(1000) NOT NULL)",
		"CREATE TABLE IF NOT EXISTS "+restores+" (assignment VARCHAR(200) PRIMARY KEY)",
		"REPLACE INTO "+about+" VALUES (1, "+schema.Literal("This server is an unfinished copy of "+t.config.Source.Name+", begun at "+time.Now().UTC().Format(time.RFC3339)+
			". Its data are not usable. Run bellwether sync "+t.config.Target.Name+" again.")+")")
	if err != nil {
		return err
	}
	rows, err := t.conn.Rows(ctx, "SELECT assignment FROM "+restores)
	for _, row := range rows {
		t.restore = append(t.restore, row["assignment"])
	}
	return err
}

// Unfinished says whether a node is an unfinished full copy: not to be used as
// anything but the target of another one.
func Unfinished(ctx context.Context, c *schema.Conn) (bool, error) {
	found, err := c.Value(ctx, "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = "+schema.Literal(schema.Marker))
	return found != "0", err
}

// detach makes sure that the target has no source.
func (t *target) detach(ctx context.Context) error {
	c, err := control.Connect(ctx, t.config.Target, t.config.Nodes)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := c.Detach(ctx); err != nil {
		return err
	}
	s, err := c.Status(ctx)
	if err == nil && (s.Configured || len(s.Channels) > 0) {
		err = fmt.Errorf("%s has a source (%s %v): %w", t.config.Target.Name, s.SourceAddr, s.Channels, ErrDisturbed)
	}
	return err
}

// open lets Bellwether write on the target, and nobody else: read_only stays.
func (t *target) open(ctx context.Context) error {
	statements := []string{"SET GLOBAL read_only = ON"}
	if t.conn.Dialect.Has(dialect.SuperReadOnly) {
		statements = append(statements, "SET GLOBAL super_read_only = OFF")
		t.opened = true
	}
	return t.conn.Exec(ctx, statements...)
}

// setGlobal sets a variable for as long as the copy takes, where it has a
// certain value now.
func (t *target) setGlobal(ctx context.Context, name, value, from string) error {
	now, err := t.conn.Value(ctx, "SELECT @@GLOBAL."+name)
	if err != nil || !strings.EqualFold(now, from) {
		return err
	}
	t.restore = append(t.restore, name+" = "+from)
	return t.conn.Exec(ctx, "REPLACE INTO "+restores+" VALUES ("+schema.Literal(name+" = "+from)+")", "SET GLOBAL "+name+" = "+value)
}

func (t *target) trustFunctions(ctx context.Context) error {
	trusted, err := t.cut.reader.Value(ctx, "SELECT @@GLOBAL.log_bin_trust_function_creators")
	if err != nil || trusted != "1" {
		return err
	}
	return t.setGlobal(ctx, "log_bin_trust_function_creators", "1", "0")
}

// release sets back what was set for the copy, also when the copy was given up.
func (t *target) release(ctx context.Context) error {
	if len(t.restore) == 0 && !t.opened {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	c, err := schema.Connect(ctx, t.config.Target, t.config.Nodes)
	if err != nil {
		return fmt.Errorf("set %s back: %w", strings.Join(append(t.restore, "super_read_only"), ", "), err)
	}
	defer func() { _ = c.Close() }()
	for _, assignment := range t.restore {
		err = errors.Join(err, c.Exec(ctx, "SET GLOBAL "+assignment))
	}
	if err == nil {
		err = forget(ctx, c)
	}
	if t.opened {
		err = errors.Join(err, c.Exec(ctx, "SET GLOBAL super_read_only = ON"))
	}
	return err
}

// forget drops the list of what is to be set back, where the mark is still there.
func forget(ctx context.Context, c *schema.Conn) error {
	err := c.Exec(ctx, "SET SESSION sql_log_bin = 0", "DELETE FROM "+restores)
	if schema.Is(err, 1049, 1146) {
		return nil
	}
	return err
}

// setPosition makes a position all that the target has. In one packet: between
// the two statements it would be a server without any history.
func (t *target) setPosition(ctx context.Context, mysql, mariadb, state string) error {
	text := t.conn.Dialect.Say(dialect.ResetLogs)
	if t.conn.Dialect.MariaDB() {
		text += "; SET GLOBAL gtid_binlog_state = " + schema.Literal(state) + "; SET GLOBAL gtid_slave_pos = " + schema.Literal(mariadb)
	} else {
		text += "; SET GLOBAL gtid_purged = " + schema.Literal(mysql)
	}
	return t.conn.Exec(ctx, text)
}

// finish gives the target its position and takes the mark away.
func (t *target) finish(ctx context.Context) error {
	t.gauge.enter(PhasePosition, "")
	if err := t.detach(ctx); err != nil {
		return err
	}
	position := t.cut.position.String()
	if err := t.setPosition(ctx, position, position, t.cut.logState); err != nil {
		return err
	}
	set, _, err := t.conn.Executed(ctx)
	if err != nil {
		return err
	}
	if !set.Equal(t.cut.position) {
		return fmt.Errorf("%s is at %v instead of %v: %w", t.config.Target.Name, set, t.cut.position, ErrDisturbed)
	}
	return t.conn.Exec(ctx, "DROP DATABASE "+schema.Quote(schema.Marker))
}
