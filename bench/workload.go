package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bellwether-db/bellwether/bench/rawmysql"
)

// The tables of the workloads; fixture.go fills them.
const (
	database  = "bellwether_bench"
	tableRows = 20000
	rangeRows = 100
	bigRows   = 2048 // of bigBytes each: 2 MB
	bigBytes  = 1024
)

// workload is one kind of operation. It is immutable.
type workload struct {
	name   string
	title  string
	buffer int                 // of each connection's reads, in bytes
	points bool                // a point select: measured at all client counts also in a quick run
	ready  func(*worker) error // once for each connection; may be nil
	run    func(*worker) error // one operation
}

var workloads = []*workload{
	{name: "point-text", title: "point select, text", points: true, run: pointText},
	{name: "point-prepared", title: "point select, prepared", points: true, ready: preparePoint, run: pointPrepared},
	{name: "range", title: "range of 100 rows", buffer: 32 << 10, run: rangeRead},
	{name: "transaction", title: "transaction of 20 statements", buffer: 32 << 10, run: transaction},
	{name: "big", title: "result of 2 MB", buffer: 64 << 10, run: bigResult},
}

func workloadNames() []string {
	var names []string
	for _, w := range workloads {
		names = append(names, w.name)
	}
	return names
}

// chooseWorkloads reads a list of names; an empty one means all.
func chooseWorkloads(list string) ([]*workload, error) {
	if list == "" {
		return workloads, nil
	}
	var chosen []*workload
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(workloads, func(w *workload) bool { return w.name == name })
		if i < 0 {
			return nil, fmt.Errorf("workload %q: want some of %s", name, strings.Join(workloadNames(), ", "))
		}
		chosen = append(chosen, workloads[i])
	}
	return chosen, nil
}

const pointSQL = "SELECT c FROM sbtest WHERE id="

func pointText(w *worker) error {
	w.sql = strconv.AppendInt(append(w.sql[:0], pointSQL...), w.anyRow(), 10)
	return w.query(1)
}

func preparePoint(w *worker) (err error) {
	w.point, err = w.conn.Prepare(pointSQL + "?")
	return err
}

func pointPrepared(w *worker) error {
	got, err := w.conn.Execute(w.point, w.anyRow())
	return checkRows(got, 1, err)
}

func rangeRead(w *worker) error {
	w.between("SELECT c FROM sbtest WHERE id BETWEEN ", "")
	return w.query(rangeRows)
}

func bigResult(w *worker) error {
	w.sql = append(w.sql[:0], "SELECT pad FROM big"...)
	return w.query(bigRows)
}

// between puts a statement about rangeRows rows together.
func (w *worker) between(before, after string) {
	first := min(w.anyRow(), tableRows-rangeRows+1)
	w.sql = strconv.AppendInt(append(w.sql[:0], before...), first, 10)
	w.sql = strconv.AppendInt(append(w.sql, " AND "...), first+rangeRows-1, 10)
	w.sql = append(w.sql, after...)
}

// query runs w.sql, which must return so many rows; -1 is any number.
func (w *worker) query(rows int) error {
	got, err := w.conn.Query(w.sql)
	return checkRows(got, rows, err)
}

func checkRows(got rawmysql.Result, want int, err error) error {
	if err != nil {
		return err
	}
	if want >= 0 && got.Rows != want {
		return fmt.Errorf("%d rows, want %d: %w", got.Rows, want, errWrongAnswer)
	}
	return nil
}

// errWrongAnswer: a measurement of wrong answers would be worth nothing.
var errWrongAnswer = errors.New("wrong answer")
