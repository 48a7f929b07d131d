package fullcopy

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// Copy is one full copy. Run is called once; Progress by anyone.
type Copy struct {
	config Config
	log    *slog.Logger
	gauge  gauge
	pace   pace
}

// Result is what a copy came to. It is a value.
type Result struct {
	// Position is what the target has now, and continues from.
	Position *cluster.GTIDSet
	// Notes are what could not be copied, or was left out, for people.
	Notes []string
	// Held is how long the source's commits stood still.
	Held time.Duration
}

// New prepares a copy. Nothing happens before Run.
func New(c Config, log *slog.Logger) *Copy {
	return &Copy{config: c.withDefaults(), log: log, pace: pace{perSecond: c.BytesPerSecond}}
}

// Progress is how far it is.
func (c *Copy) Progress() Progress { return c.gauge.get() }

// Run copies. When it returns nil the target has everything that the source had
// at Result.Position, has no source, and is read-only. With an error from
// PhaseMark on, the context's included, the target is marked as an unfinished
// copy and is good for nothing but another Run, or for being initialised.
//
// What passes (a lost connection, a deadlock, a table altered under the
// snapshot) is tried again here, and nowhere else.
func (c *Copy) Run(ctx context.Context) (Result, error) {
	c.gauge.change(func(p *Progress) { p.Begun = time.Now() })
	for n := 1; ; n++ {
		c.gauge.change(func(p *Progress) { *p = Progress{Begun: p.Begun, Attempt: n} })
		result, err := c.attempt(ctx, n > 1)
		if err == nil {
			c.gauge.enter(PhaseDone, "")
			return result, nil
		}
		if n >= c.config.Attempts || ctx.Err() != nil || !passes(err) {
			return Result{}, fmt.Errorf("copy %s to %s: %w", c.config.Source.Name, c.config.Target.Name, err)
		}
		c.log.Warn("the full copy is interrupted and goes on with a new snapshot", "source", c.config.Source.Name, "node", c.config.Target.Name, "attempt", n, "error", err)
		if err := pause(ctx, time.Duration(n)*time.Second); err != nil {
			return Result{}, err
		}
	}
}

// The servers' errors that another attempt may not meet.
var passing = []uint16{
	1020,       // record changed since last read
	1054,       // a column that was there has been dropped or renamed
	1040, 1053, // too many connections, shutdown
	1146, 1049, // a table or database that was there has been dropped
	1205, 1213, // lock wait timeout, deadlock
	1317, 1412, // interrupted; table definition has changed
}

// passes says whether an error is of the kind that passes by itself.
func passes(err error) bool {
	var network net.Error
	switch {
	case errors.Is(err, ErrUnfit), errors.Is(err, ErrBusy), errors.Is(err, ErrDisturbed), errors.Is(err, ErrDiffers):
		return false
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return true
	case errors.As(err, &network), errors.Is(err, errMoved):
		return true
	}
	return schema.Is(err, passing...)
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

// attempt is one try, from a snapshot to the position. Again says that the
// target is this very copy's.
func (c *Copy) attempt(ctx context.Context, again bool) (result Result, err error) {
	c.gauge.enter(PhaseConnect, "")
	p, err := c.pair(ctx)
	if err != nil {
		return result, err
	}
	defer p.close()
	if err := p.check(ctx); err != nil {
		return result, err
	}
	if c.config.Method == MethodClone {
		return c.clone(ctx, p)
	}
	c.gauge.enter(PhaseSnapshot, "")
	cut, err := c.cut(ctx)
	if err != nil {
		return result, err
	}
	defer cut.close()
	c.gauge.enter(PhaseMark, "")
	t := &target{Copy: c, conn: p.target, cut: cut, reuse: again || !c.config.Fresh}
	defer func() { err = errors.Join(err, t.release(ctx)) }()
	if err := t.build(ctx); err != nil {
		return result, err
	}
	return Result{Position: cut.position, Notes: t.notes, Held: cut.held}, nil
}

// build makes the target what the cut says.
func (t *target) build(ctx context.Context) error {
	for _, step := range []func(context.Context) error{t.mark, t.define, t.copyRows, t.loadAccounts, t.makeObjects, t.finish} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}
