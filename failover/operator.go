package failover

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
)

// ErrAnotherServer is returned by an Operator that was told to act on a server
// and found another one at its address.
var ErrAnotherServer = errors.New("another server answers there")

// ErrUnfit is returned by an Operator that must not make a server writable,
// whoever asks and however often.
var ErrUnfit = errors.New("must not be opened")

// Operator asks and orders nodes, by address (host:port). It is safe for
// concurrent use, and keeps to the context's deadline.
type Operator interface {
	// ReadIdentity returns what cluster.Node.Identity holds.
	ReadIdentity(ctx context.Context, addr string) (string, error)
	// ReadOnly says whether the node refuses ordinary writes.
	ReadOnly(ctx context.Context, addr string) (bool, error)
	// OpenWrites makes the node writable, if it is the server of this identity
	// on the very connection that orders it; else ErrAnotherServer. A node that
	// is writable stays so. ErrUnfit where the server lacks what was acknowledged.
	OpenWrites(ctx context.Context, addr, identity string) error
}

// SQLOperator is the Operator of real servers. Each call opens a connection of
// its own: it is rare, and must not trust what an older connection reached.
type SQLOperator struct{ config cluster.Config }

var _ Operator = (*SQLOperator)(nil)

// NewSQLOperator returns an operator that logs in as the operator account of c.
func NewSQLOperator(c cluster.Config) *SQLOperator { return &SQLOperator{config: c} }

// ReadIdentity implements Operator.
func (o *SQLOperator) ReadIdentity(ctx context.Context, addr string) (identity string, err error) {
	err = o.with(ctx, addr, func(conn *sql.Conn) error {
		_, identity, err = cluster.ReadIdentity(ctx, conn)
		return err
	})
	return identity, err
}

// ReadOnly implements Operator.
func (o *SQLOperator) ReadOnly(ctx context.Context, addr string) (readOnly bool, err error) {
	err = o.with(ctx, addr, func(conn *sql.Conn) error {
		// Newer MariaDB has several kinds of read-only, in words.
		row := conn.QueryRowContext(ctx, "SELECT @@global.read_only NOT IN ('0', 'OFF')")
		return row.Scan(&readOnly)
	})
	return readOnly, err
}

// OpenWrites implements Operator.
func (o *SQLOperator) OpenWrites(ctx context.Context, addr, identity string) error {
	return o.with(ctx, addr, func(conn *sql.Conn) error {
		flavour, found, err := cluster.ReadIdentity(ctx, conn)
		if err != nil {
			return err
		}
		if found != identity {
			return fmt.Errorf("open writes of %s, found %s: %w", identity, found, ErrAnotherServer)
		}
		order := "SET GLOBAL super_read_only = 0, GLOBAL read_only = 0"
		if flavour == cluster.FlavourMariaDB {
			order = "SET GLOBAL read_only = 0"
		}
		_, err = conn.ExecContext(ctx, order)
		return err
	})
}

// with runs do on a connection to the address.
func (o *SQLOperator) with(ctx context.Context, addr string, do func(*sql.Conn) error) error {
	db, err := cluster.OpenNode(addr, o.config)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing was left on its connections
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", addr, err)
	}
	defer conn.Close() //nolint:errcheck // see above
	if err := do(conn); err != nil {
		return fmt.Errorf("order %s: %w", addr, err)
	}
	return nil
}
