package failover

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// What a node has. On MariaDB a slave's position moves when a transaction is
// visible, and what a master has written is in its binary log.
const (
	executedMySQL   = "SELECT @@global.gtid_executed, ''"
	executedMariaDB = "SELECT @@global.gtid_slave_pos, @@global.gtid_binlog_pos"
	receivedMySQL   = "SELECT received_transaction_set, '' FROM performance_schema.replication_connection_status WHERE channel_name = ''"
)

// Executed implements Operator.
func (o *SQLOperator) Executed(ctx context.Context, addr, identity string) (set *cluster.GTIDSet, err error) {
	err = o.on(ctx, addr, identity, func(conn *sql.Conn, flavour cluster.Flavour) error {
		set, err = executed(ctx, conn, flavour)
		return err
	})
	return set, err
}

func executed(ctx context.Context, conn *sql.Conn, flavour cluster.Flavour) (*cluster.GTIDSet, error) {
	if flavour == cluster.FlavourMariaDB {
		return readSets(ctx, conn, flavour, executedMariaDB)
	}
	return readSets(ctx, conn, flavour, executedMySQL)
}

// readSets returns what two texts of GTIDs have together.
func readSets(ctx context.Context, conn *sql.Conn, flavour cluster.Flavour, query string) (*cluster.GTIDSet, error) {
	var first, second string
	if err := conn.QueryRowContext(ctx, query).Scan(&first, &second); err != nil {
		return nil, fmt.Errorf("read position: %w", err)
	}
	a, err := cluster.ParseGTIDSet(flavour, first)
	if err != nil {
		return nil, fmt.Errorf("read position: %w", err)
	}
	b, err := cluster.ParseGTIDSet(flavour, second)
	if err != nil {
		return nil, fmt.Errorf("read position: %w", err)
	}
	return a.Union(b), nil
}

// Received implements Operator.
func (o *SQLOperator) Received(ctx context.Context, addr, identity string) (set *cluster.GTIDSet, err error) {
	err = o.on(ctx, addr, identity, func(conn *sql.Conn, flavour cluster.Flavour) error {
		has, err := executed(ctx, conn, flavour)
		if err != nil {
			return err
		}
		got, err := received(ctx, conn, flavour)
		set = has.Union(got)
		return err
	})
	return set, err
}

// received is what the receiver has got; nil where there is none.
func received(ctx context.Context, conn *sql.Conn, flavour cluster.Flavour) (*cluster.GTIDSet, error) {
	if flavour == cluster.FlavourMySQL {
		set, err := readSets(ctx, conn, flavour, receivedMySQL)
		return set, ignoreNoRows(err)
	}
	rows, err := conn.QueryContext(ctx, "SHOW ALL SLAVES STATUS")
	if err != nil {
		return nil, fmt.Errorf("read what was received: %w", err)
	}
	defer rows.Close() //nolint:errcheck // its error comes with Err
	var all *cluster.GTIDSet
	for rows.Next() {
		row, err := scanRow(rows)
		if err != nil {
			return nil, fmt.Errorf("read what was received: %w", err)
		}
		set, err := cluster.ParseGTIDSet(flavour, row["Gtid_IO_Pos"])
		if err != nil {
			return nil, fmt.Errorf("read what was received: %w", err)
		}
		all = all.Union(set)
	}
	return all, rows.Err()
}

// awaitSlice is how long a node is asked to wait at a time, so that a wait that
// nobody needs any more ends there, too.
const awaitSlice = time.Second

// AwaitApplied implements Operator.
func (o *SQLOperator) AwaitApplied(ctx context.Context, addr, identity string, set *cluster.GTIDSet) error {
	return o.on(ctx, addr, identity, func(conn *sql.Conn, flavour cluster.Flavour) error {
		wait := "SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?)"
		if flavour == cluster.FlavourMariaDB {
			wait = "SELECT MASTER_GTID_WAIT(?, ?)"
		}
		for ctx.Err() == nil {
			has, err := executed(ctx, conn, flavour)
			if err != nil {
				return err
			}
			if has.ContainsSet(set) {
				return nil
			}
			var late sql.NullInt64
			if err := conn.QueryRowContext(ctx, wait, set.String(), awaitSlice.Seconds()).Scan(&late); err != nil {
				return fmt.Errorf("wait for %v: %w", set, err)
			}
		}
		return ctx.Err()
	})
}
