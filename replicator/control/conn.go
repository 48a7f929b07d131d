package control

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// ErrAnotherServer is returned by Connect when the server at a node's address
// is not the one that the node's Identity names.
var ErrAnotherServer = errors.New("another server answers there")

// Node is a server to act on. It is a value.
type Node struct {
	Name string // for findings and logs
	Addr string // host:port
	// Identity is what cluster.Node.Identity holds; "" acts on whichever
	// server answers.
	Identity string
}

// Conn is one operator connection to one server. It belongs to one goroutine;
// Close it.
type Conn struct {
	node    Node
	db      *sql.DB
	conn    *sql.Conn
	dialect *dialect.Dialect
	// refused are the settings that the server would not take: not looked at
	// any more, so that a slave is not stopped for them again and again.
	refused map[dialect.Term]bool
	// ackTimeout is how long commits wait for an acknowledgement; 0: for ever.
	ackTimeout time.Duration
	leaveLog   bool // see LeaveLog
}

// AckWithin has Check, Prepare and EnableSemiSync want that commits wait that
// long for an acknowledgement, and then go on without one. 0, as at first, is
// for ever.
func (c *Conn) AckWithin(d time.Duration) { c.ackTimeout = d }

// LeaveLog has Prepare neither begin a new binary log nor ask for the state of the one
// there is, for a node whose log is not being read: both would wait behind commits that wait
// for an acknowledgement, and on MySQL every login would wait behind the former.
func (c *Conn) LeaveLog() { c.leaveLog = true }

// connectTimeout bounds a connection's opening where the configuration does not.
const connectTimeout = 5 * time.Second

// Connect logs in on a node as the operator account of c and learns its
// dialect and identity.
func Connect(ctx context.Context, n Node, c cluster.Config) (*Conn, error) {
	c.ProbeTimeout = max(c.ProbeTimeout, connectTimeout)
	db, err := cluster.OpenNode(n.Addr, c)
	if err != nil {
		return nil, err
	}
	conn := &Conn{node: n, db: db, refused: map[dialect.Term]bool{}}
	if err := conn.greet(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to %s: %w", n.Name, err), conn.Close())
	}
	return conn, nil
}

// greet opens the one connection and finds out who answers.
func (c *Conn) greet(ctx context.Context) (err error) {
	if c.conn, err = c.db.Conn(ctx); err != nil {
		return err
	}
	row, err := c.row(ctx, "SELECT @@version AS version")
	if err != nil {
		return err
	}
	if c.dialect, err = dialect.For(row["version"]); err != nil {
		return err
	}
	if c.node.Identity == "" {
		return nil
	}
	_, identity, err := cluster.ReadIdentity(ctx, c.conn)
	if err == nil && identity != c.node.Identity {
		err = fmt.Errorf("found %s instead of %s: %w", identity, c.node.Identity, ErrAnotherServer)
	}
	return err
}

// Close ends the connection.
func (c *Conn) Close() error {
	if c.conn != nil {
		_ = c.conn.Close() // it may be broken
	}
	return c.db.Close()
}

// Node is whom the connection is to.
func (c *Conn) Node() Node { return c.node }

// Dialect is how the server speaks.
func (c *Conn) Dialect() *dialect.Dialect { return c.dialect }

// rows runs a statement and returns its rows by column name, in which NULL is
// absent.
func (c *Conn) rows(ctx context.Context, text string) ([]map[string]string, error) {
	return cluster.ReadRows(ctx, c.conn, text)
}

// row returns the first row, empty where there is none.
func (c *Conn) row(ctx context.Context, text string) (map[string]string, error) {
	rows, err := c.rows(ctx, text)
	if err != nil || len(rows) == 0 {
		return map[string]string{}, err
	}
	return rows[0], nil
}

// exec runs statements in order, up to the first error. Errors name the verb
// only: the rest may hold a password.
func (c *Conn) exec(ctx context.Context, statements ...string) error {
	for _, text := range statements {
		if _, err := c.conn.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s on %s: %w", verb(text), c.node.Name, err)
		}
	}
	return nil
}

// say runs statements that the dialect has words for.
func (c *Conn) say(ctx context.Context, terms ...dialect.Term) error {
	for _, t := range terms {
		if err := c.exec(ctx, c.dialect.Say(t)); err != nil {
			return err
		}
	}
	return nil
}

// verb is the beginning of a statement that never holds a secret: what is in
// front of TO or of an equals sign.
func verb(statement string) string {
	statement, _, _ = strings.Cut(statement, "=")
	statement, _, _ = strings.Cut(statement, " TO ")
	statement, _, _ = strings.Cut(statement, " IDENTIFIED ")
	return strings.TrimSpace(statement)
}

// quote makes an SQL string of text for a session without a sql_mode, as
// cluster.OpenNode makes them.
func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(text) + "'"
}

// isOn reads a boolean variable.
func isOn(value string) bool {
	switch strings.ToUpper(value) {
	case "", "0", "OFF", "NO":
		return false
	}
	return true
}
