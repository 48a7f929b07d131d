package failover

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
)

// lockWaitTimeout is after how many seconds without a word a server ends the
// connection that holds the lock: its holder is asked every second, and a dead
// machine must not hold it for ever.
const lockWaitTimeout = 10

// sqlLock is the lock as a connection holds it. It belongs to one goroutine.
type sqlLock struct {
	db   *sql.DB
	conn *sql.Conn
}

// TakeLock implements Operator.
func (o *SQLOperator) TakeLock(ctx context.Context, addr string) (Lock, error) {
	db, err := cluster.OpenNode(addr, o.config)
	if err != nil {
		return nil, err
	}
	l := &sqlLock{db: db}
	if l.conn, err = db.Conn(ctx); err == nil {
		err = l.take(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("take the lock at %s: %w", addr, err), l.Close())
	}
	return l, nil
}

func (l *sqlLock) take(ctx context.Context) error {
	if _, err := l.conn.ExecContext(ctx, fmt.Sprintf("SET SESSION wait_timeout = %d", lockWaitTimeout)); err != nil {
		return err
	}
	var got sql.NullInt64
	if err := l.conn.QueryRowContext(ctx, "SELECT GET_LOCK('"+lockedName+"', 0)").Scan(&got); err != nil {
		return err
	}
	if got.Int64 == 1 {
		return nil
	}
	return l.holder(ctx)
}

// holder is the error that says who has the lock.
func (l *sqlLock) holder(ctx context.Context) error {
	var id sql.NullInt64
	if err := l.conn.QueryRowContext(ctx, "SELECT IS_USED_LOCK('"+lockedName+"')").Scan(&id); err != nil {
		return err
	}
	if !id.Valid {
		return errGivenBack
	}
	all, err := processes(ctx, l.conn)
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.id == uint64(id.Int64) {
			host, _, _ := strings.Cut(p.host, ":")
			return &HeldError{Holder: host, Connection: p.id}
		}
	}
	return &HeldError{Connection: uint64(id.Int64)}
}

// Check implements Lock.
func (l *sqlLock) Check(ctx context.Context) error {
	var held sql.NullBool
	if err := l.conn.QueryRowContext(ctx, "SELECT IS_USED_LOCK('"+lockedName+"') = CONNECTION_ID()").Scan(&held); err != nil {
		return fmt.Errorf("check the lock: %w", err)
	}
	if !held.Bool {
		return errGivenBack
	}
	return nil
}

// Close implements Lock.
func (l *sqlLock) Close() error {
	if l.conn != nil {
		_ = l.conn.Close() // the pool's error says the same
	}
	return l.db.Close()
}
