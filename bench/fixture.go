package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/bench/rawmysql"
)

// fillTime bounds the filling of the tables.
const fillTime = 2 * time.Minute

// fillTables makes the database anew on the server and logs in to it from now
// on. sbtest is sysbench's table.
func (l *lab) fillTables(ctx context.Context) error {
	fmt.Fprintln(os.Stderr, "bench: filling the tables")
	ctx, cancel := context.WithTimeout(ctx, fillTime)
	defer cancel()
	conn, err := rawmysql.Dial(ctx, &l.login)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(fillTime))
	stop := context.AfterFunc(ctx, conn.Interrupt)
	defer stop()
	l.version = conn.Info().Version
	l.login.Database = database
	for _, sql := range fixture() {
		if _, err := conn.Query([]byte(sql)); err != nil {
			return fmt.Errorf("fill tables: %w in %.60s", err, sql)
		}
	}
	return l.awaitSlaves(ctx)
}

func fixture() []string {
	list := []string{
		"DROP DATABASE IF EXISTS " + database,
		"CREATE DATABASE " + database + " CHARACTER SET utf8mb4",
		"USE " + database,
		"CREATE TABLE sbtest (id INT NOT NULL PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL, KEY k_1 (k)) ENGINE=InnoDB",
		"CREATE TABLE big (id INT NOT NULL PRIMARY KEY, pad VARBINARY(2048) NOT NULL) ENGINE=InnoDB",
	}
	list = append(list, inserts("sbtest", tableRows, func(id int) string {
		return fmt.Sprintf("(%d,%d,SHA2('%d',256),SHA2('%d',224))", id, id*7919%tableRows, id, id)
	})...)
	return append(list, inserts("big", bigRows, func(id int) string {
		return fmt.Sprintf("(%d,REPEAT('b',%d))", id, bigBytes)
	})...)
}

// inserts makes statements of a thousand rows each.
func inserts(table string, rows int, values func(id int) string) []string {
	const step = 1000
	var list []string
	for from := 1; from <= rows; from += step {
		var parts []string
		for id := from; id < min(from+step, rows+1); id++ {
			parts = append(parts, values(id))
		}
		list = append(list, "INSERT INTO "+table+" VALUES "+strings.Join(parts, ","))
	}
	return list
}
