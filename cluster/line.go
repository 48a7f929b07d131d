package cluster

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strconv"
	"time"
)

// line is a connection that probes go over, one after the other, so that a
// restart of the server is noticed and its identity read again. It belongs to
// whoever uses it.
type line struct {
	conn     *sql.Conn
	server   server
	count    int      // of the probes, to know when to ask for what is asked seldom
	running  int      // the threads that ran when they were last asked for
	settings Settings // as they were then
}

// openLine connects and learns the server's family.
func openLine(ctx context.Context, db *sql.DB) (*line, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	l := &line{conn: conn}
	if l.server, err = readServer(ctx, conn); err != nil {
		l.drop()
		return nil, err
	}
	l.server.since = time.Now()
	return l, nil
}

// drop ends the connection, also where its state is not known.
func (l *line) drop() { dropConn(l.conn) }

// dropConn ends a connection, and keeps its pool from handing it out again.
func dropConn(c *sql.Conn) {
	_ = c.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.Close()
}

// read reads everything in one round trip.
func (l *line) read(ctx context.Context) (observation, error) {
	text, parse := probeMySQL, parseMySQLProbe
	if l.server.flavour == FlavourMariaDB {
		text, parse = probeMariaDB, parseMariaDBProbe
	}
	if l.count%seldomEvery == 0 {
		text += probeSeldom
	}
	results, err := queryAll(ctx, l.conn, text)
	if err != nil {
		return observation{}, err
	}
	o, err := parse(l.server, results)
	if len(results) > 3 {
		l.running, l.settings = parseRunning(results[2]), parseSettings(results[3], time.Now())
	}
	l.count++
	o.running, o.settings = l.running, l.settings
	for _, c := range o.channels {
		o.settings.DiskFull = o.settings.DiskFull || c.diskFull
	}
	return o, err
}

// waits looks a thread up in the list of them: every account sees its own there.
func (l *line) waits(ctx context.Context, thread uint64) (state string, busy bool, err error) {
	rows, err := query(ctx, l.conn, "SHOW PROCESSLIST")
	if err != nil {
		return "", false, fmt.Errorf("look for thread %d: %w", thread, err)
	}
	id := strconv.FormatUint(thread, 10)
	for _, r := range rows {
		if r["Id"] == id {
			return oneLine(r["State"]), r["Command"] != "Sleep", nil
		}
	}
	return "", false, nil
}
