package fullcopy

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// tableWork is what is left to do of one table. The planner and all workers
// share it.
type tableWork struct {
	*schema.Table
	kept bool
	left atomic.Int64 // ranges, and one as long as more may come
}

// task is one range to copy. It is a value.
type task struct {
	work *tableWork
	schema.Range
}

// The bounds of how many rows make a range.
const (
	fewestRows  = 100
	mostRows    = 1 << 20
	unknownRows = 10000 // where the server has no estimate
)

// copyRows copies the rows of all tables.
func (t *target) copyRows(ctx context.Context) error {
	var still, tables []*tableWork
	var expected uint64
	for _, table := range t.cut.catalogue.Tables {
		if !table.HasData() {
			continue
		}
		work := &tableWork{Table: table, kept: t.kept[table]}
		expected += table.Rows
		if table.Transactional() {
			tables = append(tables, work)
		} else {
			still = append(still, work)
		}
	}
	t.gauge.change(func(p *Progress) {
		p.Phase, p.Tables, p.RowsExpected = PhaseRows, len(still)+len(tables), expected
	})
	if err := t.copyStill(ctx, still); err != nil {
		return err
	}
	if err := t.copyAll(ctx, tables); err != nil {
		return err
	}
	return t.cut.unmoved(ctx)
}

// copyStill copies the tables that are locked for as long as this takes.
func (t *target) copyStill(ctx context.Context, tables []*tableWork) error {
	if len(tables) > 0 {
		w, err := t.worker(ctx, t.cut.still)
		if err != nil {
			return err
		}
		defer w.close()
		for _, work := range tables {
			work.left.Store(1)
			if err := w.copy(ctx, task{work: work}); err != nil {
				return err
			}
		}
	}
	err := t.cut.still.Close()
	t.cut.still = nil
	return err
}

// copyAll has the workers copy what the planner cuts.
func (t *target) copyAll(ctx context.Context, tables []*tableWork) error {
	group, ctx := errgroup.WithContext(ctx)
	tasks := make(chan task)
	group.Go(func() error {
		defer close(tasks)
		return t.plan(ctx, tables, tasks)
	})
	for _, snapshot := range t.cut.snapshots {
		group.Go(func() error {
			w, err := t.worker(ctx, snapshot)
			if err != nil {
				return err
			}
			defer w.close()
			for next := range tasks {
				if err := w.copy(ctx, next); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// plan cuts the tables into ranges, as fast as they are copied.
func (t *target) plan(ctx context.Context, tables []*tableWork, tasks chan<- task) error {
	for _, work := range tables {
		work.left.Store(1)
		var r schema.Range
		for more := true; more; r.After = r.UpTo {
			next, err := work.Next(ctx, t.cut.reader, schema.Range{After: r.After}, t.rangeRows(work.Table))
			if err != nil {
				return err
			}
			r.UpTo, more = next, next != nil
			if more {
				work.left.Add(1)
			}
			select {
			case tasks <- task{work, r}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

func (t *target) rangeRows(table *schema.Table) int {
	if table.Rows == 0 {
		return unknownRows
	}
	each := max(table.Bytes/table.Rows, 1)
	return int(min(max(t.config.RangeBytes/each, fewestRows), mostRows))
}

// worker copies ranges from one snapshot. It belongs to one goroutine.
type worker struct {
	target *target
	from   *schema.Conn
	to     *schema.Conn
	reader string // the name under which the driver finds the rows
}

func (t *target) worker(ctx context.Context, from *schema.Conn) (*worker, error) {
	to, err := schema.Connect(ctx, t.config.Target, t.config.Nodes)
	if err != nil {
		return nil, err
	}
	w := &worker{target: t, from: from, to: to}
	w.reader = fmt.Sprintf("bellwether-copy-%p", w)
	if err := write(ctx, to); err != nil {
		return nil, errors.Join(err, to.Close())
	}
	return w, nil
}

func (w *worker) close() { _ = w.to.Close() } // everything is committed, or given up

// copy copies a range, unless it is there already. What a transaction has
// opened stays locked against being altered until its end, or that of the
// savepoint.
func (w *worker) copy(ctx context.Context, k task) error {
	table := k.work.Table
	w.target.gauge.change(func(p *Progress) { p.Doing = table.String() })
	locked := w.from == w.target.cut.still
	if !locked {
		if err := w.from.Exec(ctx, "SAVEPOINT bellwether"); err != nil {
			return err
		}
	}
	err := w.copyUnlessThere(ctx, k)
	if err == nil && !locked {
		err = w.from.Exec(ctx, "ROLLBACK TO SAVEPOINT bellwether")
	}
	if err != nil {
		return disturbed(fmt.Errorf("copy %v: %w", table, err))
	}
	if k.work.left.Add(-1) > 0 {
		return nil
	}
	w.target.gauge.change(func(p *Progress) { p.TablesDone++ })
	return w.raise(ctx, k.work)
}

// disturbed tells a target that somebody has closed.
func disturbed(err error) error {
	if schema.Is(err, 1290, 1836) {
		return fmt.Errorf("%w: %w", ErrDisturbed, err)
	}
	return err
}

// raise gives a table that was kept the source's next auto-increment value.
func (w *worker) raise(ctx context.Context, work *tableWork) error {
	if next := work.AutoIncrement(); work.kept && next > 0 {
		return w.to.Exec(ctx, fmt.Sprintf("ALTER TABLE %s AUTO_INCREMENT = %d", work.Path(), next))
	}
	return nil
}

func (w *worker) copyUnlessThere(ctx context.Context, k task) error {
	if !k.work.kept {
		return w.load(ctx, k, "")
	}
	equal, n, err := w.compare(ctx, k)
	if err != nil {
		return err
	}
	if equal {
		w.target.gauge.change(func(p *Progress) { p.Rows += n; p.Reused += n })
		return nil
	}
	for n := 1; ; n++ {
		err = w.load(ctx, k, k.work.Delete(k.Range))
		if n == mostDeadlocks || !schema.Is(err, errDeadlock) {
			return err
		}
	}
}

// Ranges that are replaced can deadlock with those beside them, in secondary
// indexes; the one that was chosen is rolled back and simply comes again.
const (
	errDeadlock   = 1213
	mostDeadlocks = 20
)

// compare digests a range on both sides.
func (w *worker) compare(ctx context.Context, k task) (equal bool, n uint64, err error) {
	text := k.work.Digest(k.Range)
	var there []map[string]string
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		there, err = w.to.Rows(groupCtx, text)
		return err
	})
	here, err := w.from.Rows(ctx, text)
	if err := errors.Join(err, group.Wait()); err != nil {
		return false, 0, err
	}
	_, err = fmt.Sscan(here[0]["n"], &n)
	return here[0]["n"] == there[0]["n"] && here[0]["sum"] == there[0]["sum"], n, err
}
