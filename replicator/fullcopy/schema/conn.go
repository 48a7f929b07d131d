package schema

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// Conn is one operator connection on which text arrives as the bytes that the
// server has. It belongs to one goroutine, except that its Close may be called
// by any; Close it.
type Conn struct {
	Dialect *dialect.Dialect
	// Node is whom the connection is to.
	Node control.Node
	// Identity of the server that answers.
	Identity string

	db   *sql.DB
	conn *sql.Conn
}

// settings are for every session here: bytes as they are, dates that are none,
// zero as an auto-increment value, and no end to patience, since one side waits
// for the other.
var settings = []string{
	"sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'",
	"character_set_results = NULL", "sql_quote_show_create = 1",
	"net_read_timeout = 3600", "net_write_timeout = 3600", "wait_timeout = 31536000",
}

// perhaps are settings that not every version has, or lets everybody set.
var perhaps = []string{
	"max_execution_time = 0", "max_statement_time = 0", "idle_transaction_timeout = 0", "idle_readonly_transaction_timeout = 0",
	"show_gipk_in_create_table_and_information_schema = ON",
}

// connectTimeout bounds the opening of a connection where the configuration does
// not.
const connectTimeout = 5 * time.Second

// Connect logs in on a node as the operator account of c.
func Connect(ctx context.Context, n control.Node, c cluster.Config) (*Conn, error) {
	c.ProbeTimeout = max(c.ProbeTimeout, connectTimeout)
	db, err := cluster.OpenNode(n.Addr, c)
	if err != nil {
		return nil, err
	}
	conn := &Conn{Node: n, db: db}
	if err := conn.greet(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to %s: %w", n.Name, err), conn.Close())
	}
	return conn, nil
}

func (c *Conn) greet(ctx context.Context) (err error) {
	if c.conn, err = c.db.Conn(ctx); err != nil {
		return err
	}
	version, err := c.Value(ctx, "SELECT @@version")
	if err != nil {
		return err
	}
	if c.Dialect, err = dialect.For(version); err != nil {
		return err
	}
	if _, c.Identity, err = cluster.ReadIdentity(ctx, c.conn); err != nil {
		return err
	}
	if c.Node.Identity != "" && c.Node.Identity != c.Identity {
		return fmt.Errorf("found %s instead of %s: %w", c.Identity, c.Node.Identity, control.ErrAnotherServer)
	}
	if err := c.Set(ctx, settings...); err != nil {
		return err
	}
	return c.SetPerhaps(ctx, perhaps...)
}

// Close ends the connection.
func (c *Conn) Close() error {
	if c.conn != nil {
		_ = c.conn.Close() // it may be broken
	}
	return c.db.Close()
}

// Exec runs statements in order, up to the first error.
func (c *Conn) Exec(ctx context.Context, statements ...string) error {
	for _, text := range statements {
		if _, err := c.conn.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s on %s: %w", beginning(text), c.Node.Name, err)
		}
	}
	return nil
}

// beginning is enough of a statement to know it by, and too little to hold a
// secret.
func beginning(text string) string {
	const most = 60
	text, _, _ = strings.Cut(text, " IDENTIFIED ")
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}

// Affected runs a statement and returns how many rows it changed.
func (c *Conn) Affected(ctx context.Context, text string) (int64, error) {
	result, err := c.conn.ExecContext(ctx, text)
	if err != nil {
		return 0, fmt.Errorf("%s on %s: %w", beginning(text), c.Node.Name, err)
	}
	return result.RowsAffected()
}

// Set sets variables of the session, each "name = value", all or none.
func (c *Conn) Set(ctx context.Context, assignments ...string) error {
	return c.Exec(ctx, "SET SESSION "+strings.Join(assignments, ", "))
}

// The errors that SetPerhaps does not mind.
const (
	errUnknownVariable = 1193
	errGlobalVariable  = 1229
	errReadOnlyNow     = 1238
	errDenied          = 1227
)

// SetPerhaps is Set for variables that the server may not have, or not let the
// account set.
func (c *Conn) SetPerhaps(ctx context.Context, assignments ...string) error {
	for _, a := range assignments {
		err := c.Set(ctx, a)
		if err != nil && !Is(err, errUnknownVariable, errGlobalVariable, errReadOnlyNow, errDenied) {
			return err
		}
	}
	return nil
}

// Is says whether an error is one of the server's, of these numbers.
func Is(err error, numbers ...uint16) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && slices.Contains(numbers, e.Number)
}

// Rows returns the rows of a statement by column name, in which NULL is absent.
func (c *Conn) Rows(ctx context.Context, text string) ([]map[string]string, error) {
	rows, err := cluster.ReadRows(ctx, c.conn, text)
	if err != nil {
		return nil, fmt.Errorf("%s on %s: %w", beginning(text), c.Node.Name, err)
	}
	return rows, nil
}

// Value returns the only value of a statement; NULL, and no row, is "".
func (c *Conn) Value(ctx context.Context, text string) (string, error) {
	var value sql.NullString
	err := c.conn.QueryRowContext(ctx, text).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("%s on %s: %w", beginning(text), c.Node.Name, err)
	}
	return value.String, nil
}

// Stream runs a query and gives its rows to do, as the driver has them: their
// bytes are valid until the next one.
func (c *Conn) Stream(ctx context.Context, text string, do func(rows driver.Rows) error) error {
	var failed error
	err := c.conn.Raw(func(raw any) error {
		q, ok := raw.(driver.QueryerContext)
		if !ok {
			return errors.New("the driver cannot stream")
		}
		rows, err := q.QueryContext(ctx, text, nil)
		if err != nil {
			return err
		}
		failed = do(rows)
		return rows.Close()
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		return fmt.Errorf("%s on %s: %w", beginning(text), c.Node.Name, err)
	}
	return nil
}

// Executed is what the server has executed, and on MariaDB the exact state of
// its binary log beside it ("" on MySQL).
func (c *Conn) Executed(ctx context.Context) (set *cluster.GTIDSet, state string, err error) {
	text := "SELECT @@GLOBAL.gtid_executed AS executed"
	if c.Dialect.MariaDB() {
		text = "SELECT @@GLOBAL.gtid_binlog_pos AS executed, @@GLOBAL.gtid_slave_pos AS applied, @@GLOBAL.gtid_binlog_state AS state"
	}
	rows, err := c.Rows(ctx, text)
	if err != nil || len(rows) != 1 {
		return nil, "", errors.Join(err, errIf(err == nil, "read the position: no row"))
	}
	set, err = cluster.ParseGTIDSet(c.Dialect.Flavour(), rows[0]["executed"])
	if err != nil || !c.Dialect.MariaDB() {
		return set, "", err
	}
	applied, err := cluster.ParseGTIDSet(c.Dialect.Flavour(), rows[0]["applied"])
	return set.Union(applied), rows[0]["state"], err
}

func errIf(wrong bool, text string) error {
	if wrong {
		return errors.New(text)
	}
	return nil
}
