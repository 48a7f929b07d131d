package failover

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/cluster"
)

// Closing waits for commits that are under way, and a commit may wait for an
// acknowledgement that nobody gives any more: while the order to close waits,
// connections are ended over another one. An order that nobody waits for any more
// must not be carried out much later, when the node may be wanted open.
const (
	closeMySQL   = "SET SESSION lock_wait_timeout = 1, GLOBAL super_read_only = 1"
	closeMariaDB = "SET SESSION lock_wait_timeout = 1, GLOBAL read_only = 1"
	killInterval = 2 * time.Millisecond
	// After so long the waits are ended otherwise: MySQL ends some by no KILL.
	ackPatience     = 100 * time.Millisecond
	unknownVariable = 1193
)

func closing(f cluster.Flavour) string {
	if f == cluster.FlavourMariaDB {
		return closeMariaDB
	}
	return closeMySQL
}

// CloseWrites implements Operator.
func (o *SQLOperator) CloseWrites(ctx context.Context, addr, identity string) error {
	return o.on(ctx, addr, identity, func(conn *sql.Conn, flavour cluster.Flavour) error {
		if _, err := conn.ExecContext(ctx, closing(flavour)); err != nil {
			return fmt.Errorf("make it read-only: %w", err)
		}
		if flavour != cluster.FlavourMariaDB {
			return nil // super_read_only holds for everybody, open transactions included
		}
		// Who may write through read_only has to go, idle or not: the list of open
		// transactions may be a tenth of a second old.
		return o.killUntil(ctx, conn, o.everyStranger)
	})
}

// Fence implements Operator.
func (o *SQLOperator) Fence(ctx context.Context, addr, identity string) error {
	return o.on(ctx, addr, identity, func(conn *sql.Conn, flavour cluster.Flavour) error {
		group, ctx := errgroup.WithContext(ctx)
		closed := make(chan struct{})
		group.Go(func() error {
			if _, err := conn.ExecContext(ctx, closing(flavour)); err != nil {
				return fmt.Errorf("make it read-only: %w", err)
			}
			close(closed)
			return nil
		})
		group.Go(func() error {
			return o.on(ctx, addr, identity, func(conn *sql.Conn, _ cluster.Flavour) error {
				return o.killAround(ctx, conn, closed)
			})
		})
		return group.Wait()
	})
}

// killAround ends the clients' connections until the node is closed, and once
// more then: who comes afterwards finds it read-only.
func (o *SQLOperator) killAround(ctx context.Context, conn *sql.Conn, closed <-chan struct{}) error {
	begun := time.Now()
	for {
		last := false
		select {
		case <-closed:
			last = true
		default:
		}
		if _, err := kill(ctx, conn, o.everyStranger); err != nil {
			return err
		}
		if last {
			return o.killUntil(ctx, conn, o.everyStranger)
		}
		if time.Since(begun) > ackPatience {
			if err := release(ctx, conn); err != nil {
				return err
			}
			begun = time.Now()
		}
		select {
		case <-closed:
		case <-time.After(killInterval):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// release has commits go on that wait for an acknowledgement which nobody gives
// any more, and keep the node from being closed. Their clients are gone: they are
// transactions that only this node has, as after a crash.
func release(ctx context.Context, conn *sql.Conn) error {
	for _, order := range []string{"SET GLOBAL rpl_semi_sync_source_enabled = 0", "SET GLOBAL rpl_semi_sync_master_enabled = 0"} {
		_, err := conn.ExecContext(ctx, order)
		var told *mysql.MySQLError
		if errors.As(err, &told) && told.Number == unknownVariable {
			continue
		}
		if err != nil {
			return fmt.Errorf("have commits wait no more: %w", err)
		}
	}
	return nil
}

// killUntil kills until those are gone that were there at first. Whoever is
// named anew connected afterwards, and found the node read-only.
func (o *SQLOperator) killUntil(ctx context.Context, conn *sql.Conn, choose func([]process) ([]process, error)) error {
	first, err := kill(ctx, conn, choose)
	if err != nil {
		return err
	}
	var newest uint64
	for _, p := range first {
		newest = max(newest, p.id)
	}
	for {
		left, err := kill(ctx, conn, choose)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(left, func(p process) bool { return p.id <= newest }) {
			return nil
		}
		select {
		case <-time.After(killInterval):
		case <-ctx.Done():
			return fmt.Errorf("connections that were killed are still there: %w", ctx.Err())
		}
	}
}

// kill ends the connections that choose names, and returns them: those that it
// may end, and that are still there.
func kill(ctx context.Context, conn *sql.Conn, choose func([]process) ([]process, error)) (killed []process, err error) {
	all, err := processes(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("list connections: %w", err)
	}
	victims, err := choose(all)
	if err != nil || len(victims) == 0 {
		return nil, err
	}
	for _, p := range victims {
		_, err := conn.ExecContext(ctx, fmt.Sprintf("KILL CONNECTION %d", p.id))
		switch {
		case err == nil:
			killed = append(killed, p)
		case !isGone(err):
			return nil, fmt.Errorf("kill %s@%s: %w", p.user, p.host, err)
		}
	}
	return killed, nil
}

// isGone says that the thread to be killed had ended, or may not be killed by
// this account: a SYSTEM_USER of MySQL, whom super_read_only stops.
func isGone(err error) bool {
	var told *mysql.MySQLError
	return errors.As(err, &told) && (told.Number == 1094 || told.Number == 1095 || told.Number == 1227)
}

func (o *SQLOperator) everyStranger(all []process) ([]process, error) { return o.strangers(all), nil }

// strangers are the connections that are neither Bellwether's nor a part of the
// server or of replication; and Bellwether's own whose commits wait for an
// acknowledgement: those of a heartbeat that it has given up.
func (o *SQLOperator) strangers(all []process) (out []process) {
	for _, p := range all {
		own := p.user == o.config.Operator.User || p.user == "system user" || p.user == "event_scheduler" || p.user == "unauthenticated user"
		internal := p.command == "Daemon" || strings.HasPrefix(p.command, "Binlog Dump") || strings.HasPrefix(p.command, "Slave_")
		if !own && !internal || p.user == o.config.Operator.User && p.commits() {
			out = append(out, p)
		}
	}
	return out
}

// commits says whether the thread is at the end of a commit: it waits for an
// acknowledgement, or behind one that does.
func (p process) commits() bool {
	state := strings.ToLower(p.state)
	return p.command == "Query" && (strings.HasPrefix(state, "waiting for semi-sync") || state == "waiting for handler commit")
}
