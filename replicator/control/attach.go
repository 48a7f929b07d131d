package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// drainPoll is how often a slave is asked whether it has applied what it
// received.
const drainPoll = 50 * time.Millisecond

// stopTimeout bounds the time in which a slave is stopped, changed and started:
// its appliers finish their transactions first.
const stopTimeout = time.Minute

// Attach makes the node a slave of a source: read-only, positioned by GTID, with
// a reconnect each second for ever, a heartbeat, parallel appliers that keep the
// order of commits, running. It returns what was not right, for the log; nothing
// if nothing had to be touched.
//
// What the slave received from a former source and has not applied is applied
// before the source changes, within the context's deadline, unless the source
// has it: *UndrainedError. A slave with transactions that the source lacks is
// refused: *ErrantError; one with further sources: *ChannelsError.
//
// What the source has is asked once the slave was read, so that a slave is never
// compared with what the source had before; a nil function, or a nil set, says
// that it is not known.
func (c *Conn) Attach(ctx context.Context, src Source, has func() *cluster.GTIDSet) (changed []string, err error) {
	status, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	p, err := planAttach(c.node.Name, &status, src, asked(has))
	if p.empty() {
		return nil, err
	}
	if err = errors.Join(err, c.execute(ctx, &p, src)); err != nil {
		return nil, fmt.Errorf("attach %s to %v: %w", c.node.Name, src, err)
	}
	return p.why, nil
}

func asked(has func() *cluster.GTIDSet) *cluster.GTIDSet {
	if has == nil {
		return nil
	}
	return has()
}

// execute does what the plan says. From the first thread that it stops on, it
// goes to its end although the caller may go: a slave is not left stopped.
func (c *Conn) execute(ctx context.Context, p *plan, src Source) error {
	if p.close {
		if err := c.closeWrites(ctx); err != nil {
			return err
		}
	}
	if p.drain {
		if err := c.drain(ctx); err != nil {
			return err
		}
	}
	if !p.pause && !p.start {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if p.pause {
		if err := c.say(ctx, dialect.StopSlave); err != nil {
			return err
		}
	}
	// A setting that is refused is no reason to leave the slave stopped.
	err := c.setAll(ctx, p.settings)
	if e := c.changeSource(ctx, p, src); e != nil {
		return errors.Join(err, e)
	}
	return errors.Join(err, c.say(ctx, dialect.StartSlave))
}

// setAll sets what it can, and remembers what the server refuses.
func (c *Conn) setAll(ctx context.Context, settings []change) (err error) {
	for _, s := range settings {
		if e := c.exec(ctx, s.sql); e != nil {
			c.refused[s.term] = true
			err = errors.Join(err, e)
		}
	}
	return err
}

// changeSource sets the slave's position and its source, where the plan says so.
func (c *Conn) changeSource(ctx context.Context, p *plan, src Source) error {
	if p.position != nil {
		if err := c.exec(ctx, "SET GLOBAL gtid_slave_pos = "+quote(p.position.String())); err != nil {
			return err
		}
	}
	if !p.change {
		return nil
	}
	return c.exec(ctx, src.changeSQL(c.dialect))
}

// closeWrites makes the node read-only, on MySQL for everybody.
func (c *Conn) closeWrites(ctx context.Context) error {
	name := orElse(c.dialect.Say(dialect.SuperReadOnly), c.dialect.Say(dialect.ReadOnly))
	return c.exec(ctx, "SET GLOBAL "+name+" = ON")
}

// drain stops the receiver and waits until all that it received is applied.
func (c *Conn) drain(ctx context.Context) error {
	if err := c.say(ctx, dialect.StopReceiver, dialect.StartApplier); err != nil {
		return err
	}
	undrained := &UndrainedError{Node: c.node.Name}
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	for {
		s, err := c.Status(ctx)
		if err != nil {
			return orUndrained(ctx, err, undrained)
		}
		left := unapplied(&s)
		if left == nil || left.IsEmpty() {
			return nil
		}
		undrained.Left = left
		if p := s.Applier.Problem; s.Applier.Runs == RunsNo && p.Number != 0 {
			return fmt.Errorf("%w: error %d: %s", undrained, p.Number, p.Text)
		}
		select {
		case <-ctx.Done():
			return undrained
		case <-tick.C:
		}
	}
}

// orUndrained tells a look that failed from one that the deadline ended.
func orUndrained(ctx context.Context, err error, undrained *UndrainedError) error {
	if ctx.Err() != nil && undrained.Left != nil {
		return undrained
	}
	return err
}

// Detach makes the node a slave of none. It stays read-only, keeps what it has
// executed, and loses what it has received and not applied: drain it first
// where that matters. A node without a source is left as it is.
func (c *Conn) Detach(ctx context.Context) error {
	s, err := c.Status(ctx)
	if err != nil || !s.Configured {
		return err
	}
	if err := c.say(ctx, dialect.StopSlave, dialect.ResetSlaveAll); err != nil {
		return fmt.Errorf("detach: %w", err)
	}
	return nil
}
