//go:build chaos

package main

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// statementPatience bounds every answer: a right one or an error.
const statementPatience = time.Minute

// row is one row that the load has written.
type row struct{ worker, number int }

// load is clients that write rows and read them back, each on one connection
// as long as that holds.
type load struct {
	t       *testing.T
	db      *sql.DB
	end     context.CancelFunc
	workers sync.WaitGroup
	errorOK atomic.Bool
	served  atomic.Int64

	mu           sync.Mutex
	acknowledged map[row]bool
}

func startLoad(t *testing.T, s *serving, workers int) *load {
	t.Helper()
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd = "tcp", s.house.proxy.Addr().String(), s.servers.Account.User, s.servers.Account.Password
	c.TLSConfig = "skip-verify"
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	l := &load{t: t, db: sql.OpenDB(connector), acknowledged: map[row]bool{}}
	for _, statement := range []string{
		"CREATE DATABASE chaos",
		"CREATE TABLE chaos.written (worker INT, number INT, PRIMARY KEY (worker, number))",
	} {
		if _, err := l.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	ctx, end := context.WithCancel(context.Background())
	l.end = end
	for worker := range workers {
		l.workers.Go(func() { l.work(ctx, worker) })
	}
	t.Cleanup(func() {
		l.stop(t)
		if err := l.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// expectErrors says whether an error is one of the test from now on.
func (l *load) expectErrors(ok bool) { l.errorOK.Store(ok) }

// waitServed waits until clients have been served again.
func (l *load) waitServed(t *testing.T) {
	t.Helper()
	enough, deadline := l.served.Load()+50, time.Now().Add(time.Minute)
	for l.served.Load() < enough {
		if time.Now().After(deadline) {
			t.Fatal("clients are not served")
		}
		sleep(t.Context(), 10*time.Millisecond)
	}
}

// stop ends the clients and waits for them.
func (l *load) stop(t *testing.T) {
	t.Helper()
	l.end()
	l.workers.Wait()
}

// work writes row after row and reads each back.
func (l *load) work(ctx context.Context, worker int) {
	for number := 0; ctx.Err() == nil; number++ {
		begun := time.Now()
		if err := l.turn(ctx, row{worker, number}); err != nil && ctx.Err() == nil {
			if !l.errorOK.Load() {
				l.t.Errorf("worker %d, row %d, after %v: %v", worker, number, time.Since(begun), err)
			}
			sleep(ctx, 20*time.Millisecond)
		}
		if took := time.Since(begun); took > statementPatience {
			l.t.Errorf("worker %d waited %v for row %d", worker, took, number)
		}
		sleep(ctx, 2*time.Millisecond)
	}
}

// turn writes one row and reads it back on the same session.
func (l *load) turn(ctx context.Context, r row) error {
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "INSERT INTO chaos.written VALUES (?, ?)", r.worker, r.number); err != nil {
		return err
	}
	l.mu.Lock()
	l.acknowledged[r] = true
	l.mu.Unlock()
	var found int
	if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM chaos.written WHERE worker = ? AND number = ?", r.worker, r.number).Scan(&found); err != nil {
		return err
	}
	if found != 1 {
		l.t.Errorf("worker %d does not see its own row %d", r.worker, r.number)
	}
	l.served.Add(1)
	return nil
}

// compare wants every acknowledged row to be there.
func (l *load) compare(ctx context.Context, t *testing.T) {
	t.Helper()
	rows, err := l.db.QueryContext(ctx, "SELECT /* bellwether: master */ worker, number FROM chaos.written")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	found := map[row]bool{}
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.worker, &r.number); err != nil {
			t.Fatal(err)
		}
		found[r] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t.Logf("%d rows acknowledged, %d there", len(l.acknowledged), len(found))
	for r := range l.acknowledged {
		if !found[r] {
			t.Errorf("row %v was acknowledged and is lost", r)
		}
	}
}
