package verify

import (
	"context"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/replicator/fullcopy"
	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// Verification compares one slave with its master. Run is called once; Progress
// by anyone.
type Verification struct {
	config Config
	gauge  gauge

	// Of the goroutine that runs.
	master, slave *schema.Conn
	locker        *schema.Conn // of the master, for proofs
	report        Report
	again         []chunk // to be settled later
	rows          int     // of the next chunk
}

// New prepares a verification. Nothing happens before Run.
func New(c Config) *Verification {
	return &Verification{config: c.withDefaults(), rows: firstRows}
}

// Progress is how far it is.
func (v *Verification) Progress() Progress { return v.gauge.get() }

// Run compares. The report is as far as it came also with an error. The slave
// must replicate: one that does not catch up is ErrBehind.
func (v *Verification) Run(ctx context.Context) (Report, error) {
	err := v.run(ctx)
	if err != nil {
		err = fmt.Errorf("verify %s against %s: %w", v.config.Target.Name, v.config.Source.Name, err)
	}
	return v.report, err
}

func (v *Verification) run(ctx context.Context) (err error) {
	if err := v.connect(ctx); err != nil {
		return err
	}
	defer v.close()
	unfinished, err := fullcopy.Unfinished(ctx, v.slave)
	if err != nil {
		return err
	}
	if unfinished {
		return ErrUnfinished
	}
	v.gauge.change(func(p *Progress) { p.Doing = "definitions" })
	tables, err := v.definitions(ctx)
	if err != nil {
		return err
	}
	if err := v.tables(ctx, tables); err != nil {
		return err
	}
	return v.settle(ctx)
}

func (v *Verification) connect(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			v.close()
		}
	}()
	if v.master, err = schema.Connect(ctx, v.config.Source, v.config.Nodes); err != nil {
		return err
	}
	if v.slave, err = schema.Connect(ctx, v.config.Target, v.config.Nodes); err != nil {
		return err
	}
	if v.locker, err = schema.Connect(ctx, v.config.Source, v.config.Nodes); err != nil {
		return err
	}
	seconds := int(v.config.LockTime.Seconds())
	return v.locker.Exec(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		fmt.Sprintf("SET SESSION innodb_lock_wait_timeout = %d, lock_wait_timeout = %d", seconds, seconds))
}

func (v *Verification) close() {
	for _, c := range []*schema.Conn{v.master, v.slave, v.locker} {
		if c != nil {
			_ = c.Close() // nothing was written
		}
	}
}

// catchUp waits until the slave has what the master has now.
func (v *Verification) catchUp(ctx context.Context, patience time.Duration) error {
	set, _, err := v.master.Executed(ctx)
	if err != nil {
		return err
	}
	wait, done := "SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %.3f)", "0"
	if v.slave.Dialect.MariaDB() {
		wait = "SELECT MASTER_GTID_WAIT(%s, %.3f)"
	}
	result, err := v.slave.Value(ctx, fmt.Sprintf(wait, schema.Literal(set.String()), patience.Seconds()))
	if err == nil && result != done {
		err = fmt.Errorf("not at %v within %v: %w", set, patience, ErrBehind)
	}
	return err
}

// tables compares the rows of tables that both have alike.
func (v *Verification) tables(ctx context.Context, tables []*schema.Table) error {
	v.gauge.change(func(p *Progress) {
		p.Tables = len(tables)
		for _, t := range tables {
			p.RowsExpected += t.Rows
		}
	})
	for _, t := range tables {
		v.gauge.change(func(p *Progress) { p.Doing = t.String() })
		if err := v.table(ctx, t); err != nil {
			return fmt.Errorf("compare %v: %w", t, err)
		}
		v.report.Tables++
		v.gauge.change(func(p *Progress) { p.TablesDone++ })
	}
	return nil
}

// settle looks again at what could not be settled, a few times.
func (v *Verification) settle(ctx context.Context) error {
	v.gauge.change(func(p *Progress) { p.Doing = "what was undecided" })
	for n := 1; len(v.again) > 0 && n <= settleRounds; n++ {
		if err := pause(ctx, time.Duration(n)*time.Second/2); err != nil {
			return err
		}
		left := v.again
		v.again = nil
		for _, c := range left {
			if err := v.prove(ctx, c); err != nil {
				return err
			}
		}
	}
	for _, c := range v.again {
		v.report.Undecided = append(v.report.Undecided, c.String()+": "+c.why)
	}
	return nil
}

func (v *Verification) found(d Difference) {
	v.report.Differences = append(v.report.Differences, d)
	v.gauge.change(func(p *Progress) { p.Differences++ })
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// passing are errors after which a chunk is looked at again: lock wait timeout,
// deadlock, and what a table says that is altered meanwhile.
func passing(err error) bool {
	return schema.Is(err, 1205, 1213, 1412, 1146, 1054, 1049)
}
