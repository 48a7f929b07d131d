package failover

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// ErrAnotherServer is returned by an Operator that was told to act on a server
// and found another one at its address.
var ErrAnotherServer = errors.New("another server answers there")

// ErrUnfit is returned by an Operator that must not make a server writable,
// whoever asks and however often.
var ErrUnfit = errors.New("must not be opened")

// Operator asks and orders nodes, by address (host:port). It is safe for
// concurrent use, and keeps to the context's deadline. Where an identity is
// named, the order is carried out only if the server of that identity answers
// on the very connection that orders it; else it is ErrAnotherServer. An
// identity of "" is any.
type Operator interface {
	// ReadIdentity returns what cluster.Node.Identity holds.
	ReadIdentity(ctx context.Context, addr string) (string, error)
	// ReadOnly says whether the node refuses ordinary writes.
	ReadOnly(ctx context.Context, addr string) (bool, error)
	// OpenWrites makes the node writable. A node that is writable stays so.
	// ErrUnfit where the server lacks what was acknowledged.
	OpenWrites(ctx context.Context, addr, identity string) error
	// CloseWrites makes the node read-only: when it returns nil no transaction of
	// a client commits there any more. Connections that cannot write stay.
	CloseWrites(ctx context.Context, addr, identity string) error
	// Fence is CloseWrites, and ends every connection but those of Bellwether and
	// of replication.
	Fence(ctx context.Context, addr, identity string) error
	// Executed returns all that is committed on the node.
	Executed(ctx context.Context, addr, identity string) (*cluster.GTIDSet, error)
	// Received returns all that the node has got from its source or committed.
	Received(ctx context.Context, addr, identity string) (*cluster.GTIDSet, error)
	// AwaitApplied returns once the node has committed all of the set.
	AwaitApplied(ctx context.Context, addr, identity string, set *cluster.GTIDSet) error
	// TakeLock takes the named lock of the fleet on the node. A *HeldError where
	// another one has it.
	TakeLock(ctx context.Context, addr string) (Lock, error)
}

// SQLOperator is the Operator of real servers. It keeps a few connections to
// each address, and never trusts what one of them reached: every order that
// names an identity asks for it first, on the connection that it goes over.
type SQLOperator struct {
	config cluster.Config

	mu    sync.Mutex
	nodes map[string]*sql.DB // by address; nil once closed
}

var _ Operator = (*SQLOperator)(nil)

// NewSQLOperator returns an operator that logs in as the operator account of c.
// Close it.
func NewSQLOperator(c cluster.Config) *SQLOperator {
	return &SQLOperator{config: c, nodes: map[string]*sql.DB{}}
}

// Close ends the connections that are kept. Locks that were taken stay.
func (o *SQLOperator) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []error
	for _, db := range o.nodes {
		all = append(all, db.Close())
	}
	o.nodes = nil
	return errors.Join(all...)
}

// The connections that are kept to one address.
const (
	keptConns = 4
	keptFor   = 30 * time.Second
)

// errClosed: the operator was closed, because another account is used.
var errClosed = errors.New("the operator account has changed")

func (o *SQLOperator) node(addr string) (*sql.DB, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.nodes == nil {
		return nil, errClosed
	}
	if db := o.nodes[addr]; db != nil {
		return db, nil
	}
	db, err := cluster.OpenNode(addr, o.config)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(0) // one that hangs keeps nobody waiting
	db.SetMaxIdleConns(keptConns)
	db.SetConnMaxIdleTime(keptFor)
	o.nodes[addr] = db
	return db, nil
}

// with runs do on a connection to the address.
func (o *SQLOperator) with(ctx context.Context, addr string, do func(*sql.Conn) error) error {
	db, err := o.node(addr)
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", addr, err)
	}
	defer conn.Close() //nolint:errcheck // it goes back, or is gone
	if err := do(conn); err != nil {
		return fmt.Errorf("order %s: %w", addr, err)
	}
	return nil
}

// on runs do on a connection to the server of this identity.
func (o *SQLOperator) on(ctx context.Context, addr, identity string, do func(*sql.Conn, cluster.Flavour) error) error {
	return o.with(ctx, addr, func(conn *sql.Conn) error {
		flavour, found, err := cluster.ReadIdentity(ctx, conn)
		if err != nil {
			return err
		}
		if identity != "" && found != identity {
			return fmt.Errorf("wanted %s, found %s: %w", identity, found, ErrAnotherServer)
		}
		return do(conn, flavour)
	})
}

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
	return o.on(ctx, addr, identity, func(conn *sql.Conn, flavour cluster.Flavour) error {
		order := "SET GLOBAL super_read_only = 0, GLOBAL read_only = 0"
		if flavour == cluster.FlavourMariaDB {
			order = "SET GLOBAL read_only = 0"
		}
		_, err := conn.ExecContext(ctx, order)
		return err
	})
}
