package cluster

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
)

// pen is the connection that the heartbeat is written on. It belongs to one
// goroutine.
type pen struct {
	db     *sql.DB
	place  place
	conn   *sql.Conn // nil until connected
	thread uint64    // of conn
	theirs time.Time // the server's clock when it was read, at ours
	ours   time.Time
	broken bool // the last write was broken off, and may be under way there
}

// SQL of the heartbeat. There is one row.
//
// A server that was frozen finds the write when it goes on, and may be the master
// no longer: written then, it would be a transaction that nobody else has. So a
// write does nothing once its time is over.
const (
	createSchema = "CREATE DATABASE IF NOT EXISTS bellwether"
	createTable  = "CREATE TABLE IF NOT EXISTS bellwether.heartbeat (id TINYINT UNSIGNED NOT NULL PRIMARY KEY," +
		" generation BIGINT UNSIGNED NOT NULL, at DATETIME(6) NOT NULL) ENGINE = InnoDB COMMENT = 'written by Bellwether; probes.heartbeat'"
	writeRow = "REPLACE INTO bellwether.heartbeat (id, generation, at)" +
		" SELECT 1, %d, UTC_TIMESTAMP(6) FROM DUAL WHERE UTC_TIMESTAMP(6) < '%s'"
	// inTime is how old a write may be when the server begins with it.
	inTime = time.Second
	// timeLayout is how servers write times.
	timeLayout = "2006-01-02 15:04:05.999999"
)

var (
	errTooLate = errors.New("the server began with the write too late")
	errAnother = errors.New("another server answers")
)

// write writes the row, and makes the table where it is missing. Began is told on
// which thread.
func (p *pen) write(ctx context.Context, generation uint64, began func(thread uint64)) error {
	p.broken = false
	if p.conn == nil {
		if err := p.connect(ctx); err != nil {
			return err
		}
	}
	began(p.thread)
	err := p.replace(ctx, generation)
	if missing(err) {
		if err = p.create(ctx); err == nil {
			err = p.replace(ctx, generation)
		}
	}
	var refused *mysql.MySQLError
	if err == nil || errors.As(err, &refused) {
		return err
	}
	p.broken = ctx.Err() != nil
	p.drop() // and with it the clock, which may be the reason
	return err
}

// missing says whether the schema or the table is not there.
func missing(err error) bool {
	var refused *mysql.MySQLError
	return errors.As(err, &refused) && (refused.Number == 1049 || refused.Number == 1146)
}

// connect connects, if the server is the one, and reads its clock.
func (p *pen) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.place.config.ProbeTimeout)
	defer cancel()
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if err := p.greet(ctx, conn); err != nil {
		dropConn(conn)
		return err
	}
	p.conn = conn
	return nil
}

func (p *pen) greet(ctx context.Context, conn *sql.Conn) error {
	_, identity, err := ReadIdentity(ctx, conn)
	if err != nil {
		return err
	}
	if identity != p.place.identity {
		return fmt.Errorf("%w: %s", errAnother, identity)
	}
	// A client that has locked the row must not look like a disk that has stalled.
	if _, err := conn.ExecContext(ctx, "SET SESSION innodb_lock_wait_timeout = 1"); err != nil {
		return fmt.Errorf("bound waits for locks: %w", err)
	}
	r, err := queryOne(ctx, conn, "SELECT CONNECTION_ID() AS thread, UTC_TIMESTAMP(6) AS now")
	if err != nil {
		return fmt.Errorf("read clock: %w", err)
	}
	if _, err := fmt.Sscan(r["thread"], &p.thread); err != nil {
		return fmt.Errorf("read thread: %w", err)
	}
	p.ours = time.Now()
	p.theirs, err = time.Parse(timeLayout, r["now"])
	return err
}

func (p *pen) replace(ctx context.Context, generation uint64) error {
	until := p.theirs.Add(time.Since(p.ours) + inTime)
	done, err := p.conn.ExecContext(ctx, fmt.Sprintf(writeRow, generation, until.Format(timeLayout)))
	if err != nil {
		return fmt.Errorf("write heartbeat: %w", err)
	}
	if n, err := done.RowsAffected(); err == nil && n == 0 {
		return errTooLate
	}
	return nil
}

func (p *pen) create(ctx context.Context) error {
	for _, text := range []string{createSchema, createTable} {
		if _, err := p.conn.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("make the table of the heartbeat: %w", err)
		}
	}
	return nil
}

// kill ends the write that was broken off: one that waits for a lock there would
// else be done when that is free. It is tried once; the server may be dead.
func (p *pen) kill(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, p.place.config.ProbeTimeout)
	defer cancel()
	_, _ = p.db.ExecContext(ctx, fmt.Sprintf("KILL %d", p.thread)) // it may be gone already
}

func (p *pen) drop() {
	if p.conn != nil {
		dropConn(p.conn)
		p.conn = nil
	}
}

func (p *pen) close() {
	p.drop()
	_ = p.db.Close() // nothing is left on it
}
