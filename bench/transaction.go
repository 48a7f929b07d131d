package main

import (
	"errors"
	"strconv"

	"github.com/bellwether-db/bellwether/bench/rawmysql"
)

// transaction is that of sysbench's oltp_read_write, 20 statements in text: 10
// point selects, 4 reads of ranges, an update with and one without an index, a
// delete and an insert of the same row. Each client writes rows of its own, so
// that no round is decided by who waits for whose lock.
func transaction(w *worker) error {
	err := w.transact()
	if !temporary(err) {
		return err
	}
	w.retries++
	return w.statement("ROLLBACK")
}

func (w *worker) transact() error {
	if err := w.statement("BEGIN"); err != nil {
		return err
	}
	for range 10 {
		if err := pointText(w); err != nil {
			return err
		}
	}
	if err := w.readRanges(); err != nil {
		return err
	}
	if err := w.writeRows(); err != nil {
		return err
	}
	return w.statement("COMMIT")
}

func (w *worker) readRanges() error {
	if err := rangeRead(w); err != nil {
		return err
	}
	w.between("SELECT SUM(k) FROM sbtest WHERE id BETWEEN ", "")
	if err := w.query(1); err != nil {
		return err
	}
	w.between("SELECT c FROM sbtest WHERE id BETWEEN ", " ORDER BY c")
	if err := w.query(rangeRows); err != nil {
		return err
	}
	w.between("SELECT DISTINCT c FROM sbtest WHERE id BETWEEN ", " ORDER BY c")
	return w.query(-1)
}

func (w *worker) writeRows() error {
	w.withRow("UPDATE sbtest SET k=k+1 WHERE id=", w.ownRow())
	if err := w.query(0); err != nil {
		return err
	}
	w.withRow("UPDATE sbtest SET c=REPEAT('u', 120) WHERE id=", w.ownRow())
	if err := w.query(0); err != nil {
		return err
	}
	row := w.ownRow()
	w.withRow("DELETE FROM sbtest WHERE id=", row)
	if err := w.query(0); err != nil {
		return err
	}
	w.withRow("INSERT INTO sbtest (k, c, pad, id) VALUES (1, REPEAT('i', 120), REPEAT('p', 60), ", row)
	w.sql = append(w.sql, ')')
	return w.query(0)
}

func (w *worker) withRow(before string, row int64) {
	w.sql = strconv.AppendInt(append(w.sql[:0], before...), row, 10)
}

func (w *worker) statement(sql string) error {
	w.sql = append(w.sql[:0], sql...)
	return w.query(0)
}

// temporary reports whether err asks to try the transaction again: a deadlock
// or a lock that was not had in time.
func temporary(err error) bool {
	var e *rawmysql.ServerError
	return errors.As(err, &e) && (e.Code == 1213 || e.Code == 1205)
}
