package cluster

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A MariaDB master moves gtid_binlog_pos when a transaction is in its binary
// log, before the storage engine shows it to others; in between it waits for a
// semi-synchronous replica, so that a slave may show it first. MASTER_GTID_WAIT
// is of no use on a master. What follows the engine is Binlog_snapshot_file and
// _position: the end of the last transaction that was committed in order.
// (MySQL's gtid_executed follows the engine.)
const (
	visibleSQL = "SHOW MASTER STATUS; SHOW SESSION STATUS LIKE 'Binlog_snapshot_%'"
	visibleGap = time.Millisecond // between two looks
)

var errNoMaster = errors.New("there is no master to ask")

// AwaitVisible returns once a MariaDB master shows to readers all that its
// binary log held when the call began, or with an error when ctx ends or the
// master cannot be asked. Callers share their questions: one is asked at a time.
func (m *Monitor) AwaitVisible(ctx context.Context) error {
	for {
		err := m.visible.await(ctx, m.askVisible)
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

// visibility coordinates those who ask; any number of goroutines. The zero
// value asks nobody.
type visibility struct {
	mu            sync.Mutex
	running, next *inquiry

	asking sync.Mutex // held by who asks; guards what follows
	db     *sql.DB
	addr   string
	config *Config
}

// inquiry is one question for all who came before it was asked.
type inquiry struct {
	done chan struct{}
	err  error // once done is closed
}

// await joins the next inquiry, and leads it where nobody else does.
func (v *visibility) await(ctx context.Context, ask func(context.Context) error) error {
	v.mu.Lock()
	if v.next == nil {
		v.next = &inquiry{done: make(chan struct{})}
	}
	mine, before := v.next, v.running
	v.mu.Unlock()
	if before != nil {
		select {
		case <-before.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if v.lead(mine) {
		mine.err = ask(context.WithoutCancel(ctx))
		close(mine.done)
	}
	select {
	case <-mine.done:
		return mine.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lead reports whether the caller is the first to begin the inquiry.
func (v *visibility) lead(i *inquiry) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.next != i {
		return false
	}
	v.next, v.running = nil, i
	return true
}

// visibleSpan bounds one inquiry; those who still want to know ask again.
const visibleSpan = time.Second

func (m *Monitor) askVisible(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, visibleSpan)
	defer cancel()
	master := m.store.Load().MasterNode()
	if master == nil {
		return errNoMaster
	}
	m.visible.asking.Lock()
	defer m.visible.asking.Unlock()
	db, err := m.visible.open(master.Addr, m.config.Load())
	if err == nil {
		err = awaitVisible(ctx, db)
	}
	if err != nil {
		return fmt.Errorf("ask %s what it shows: %w", master.Name, err)
	}
	return nil
}

// open returns the connections to the master.
func (v *visibility) open(addr string, c *Config) (*sql.DB, error) {
	if v.db != nil && v.addr == addr && v.config == c {
		return v.db, nil
	}
	v.drop()
	db, err := OpenNode(addr, *c)
	if err != nil {
		return nil, err
	}
	v.db, v.addr, v.config = db, addr, c
	return db, nil
}

func (v *visibility) drop() {
	if v.db != nil {
		_ = v.db.Close() // nothing is asked there any more
		v.db = nil
	}
}

func (v *visibility) close() {
	v.asking.Lock()
	defer v.asking.Unlock()
	v.drop()
}

// awaitVisible looks until what is committed has come to where the binary log
// ended at the first look.
func awaitVisible(ctx context.Context, q Querier) error {
	var end binlogPosition
	for first := true; ; first = false {
		results, err := queryAll(ctx, q, visibleSQL)
		if err != nil {
			return err
		}
		written, committed, err := parseVisible(results)
		if err != nil {
			return err
		}
		if first {
			end = written
		}
		if !committed.before(end) {
			return nil
		}
		select {
		case <-time.After(visibleGap):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// binlogPosition is a place in a server's binary log.
type binlogPosition struct {
	file   uint64 // the number behind the last point of the file's name
	offset uint64
}

func (p binlogPosition) before(q binlogPosition) bool {
	return p.file < q.file || p.file == q.file && p.offset < q.offset
}

// parseVisible reads the answers to visibleSQL. Without a binary log there is
// nothing to wait for, and both are zero.
func parseVisible(results [][]row) (written, committed binlogPosition, err error) {
	if len(results) < 2 || len(results[0]) == 0 {
		return written, committed, nil
	}
	if written, err = parseBinlogPosition(results[0][0]["File"], results[0][0]["Position"]); err != nil {
		return written, committed, err
	}
	status := map[string]string{}
	for _, r := range results[1] {
		status[strings.ToLower(r["Variable_name"])] = r["Value"]
	}
	committed, err = parseBinlogPosition(status["binlog_snapshot_file"], status["binlog_snapshot_position"])
	return written, committed, err
}

func parseBinlogPosition(file, offset string) (p binlogPosition, err error) {
	if p.file, err = strconv.ParseUint(file[strings.LastIndexByte(file, '.')+1:], 10, 64); err == nil {
		p.offset, err = strconv.ParseUint(offset, 10, 64)
	}
	if err != nil {
		return p, fmt.Errorf("read position %q of binary log %q: %w", offset, file, err)
	}
	return p, nil
}
