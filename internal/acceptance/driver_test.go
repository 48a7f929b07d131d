package acceptance

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// TestGoDriver works with the driver that most Go programs use, in the ways
// that change what it sends.
func TestGoDriver(t *testing.T) {
	onEachFlavour(t, func(t *testing.T, w *world) {
		w.stage(t, "accgo")
		for _, interpolate := range []bool{false, true} {
			for _, secure := range []string{"false", "skip-verify"} {
				t.Run(fmt.Sprintf("interpolate=%v,tls=%s", interpolate, secure), func(t *testing.T) {
					c := mysql.NewConfig()
					c.Net, c.Addr, c.User, c.Passwd, c.DBName = "tcp", w.proxy.proxyAddr, app.user, app.password, "accgo"
					c.InterpolateParams, c.TLSConfig, c.ParseTime, c.MultiStatements = interpolate, secure, true, true
					db, err := sql.Open("mysql", c.FormatDSN())
					if err != nil {
						t.Fatal(err)
					}
					defer db.Close()
					if err := workWithDriver(t.Context(), db); err != nil {
						t.Error(err)
					}
				})
			}
		}
	})
}

func workWithDriver(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for i := range 20 {
		if err := transfer(ctx, db, i); err != nil {
			return fmt.Errorf("round %d: %w", i, err)
		}
	}
	var when time.Time
	if err := db.QueryRowContext(ctx, "SELECT d FROM t1 WHERE id = ?", 1).Scan(&when); err != nil {
		return fmt.Errorf("read a date: %w", err)
	}
	if when.Year() != 2024 {
		return fmt.Errorf("read %v, want 2024", when)
	}
	return nil
}

// transfer inserts in a transaction, and reads back on the same connection.
func transfer(ctx context.Context, db *sql.DB, i int) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("get connection: %w", err)
	}
	defer c.Close()
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	done, err := tx.ExecContext(ctx, "INSERT INTO log (what) VALUES (?)", fmt.Sprintf("go %d", i))
	if err != nil {
		return fmt.Errorf("insert: %w", err)
	}
	id, err := done.LastInsertId()
	if err != nil {
		return fmt.Errorf("get id: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	var what string
	if err := c.QueryRowContext(ctx, "SELECT what FROM log WHERE n = ?", id).Scan(&what); err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	if want := fmt.Sprintf("go %d", i); what != want {
		return fmt.Errorf("read back %q, want %q", what, want)
	}
	return nil
}
