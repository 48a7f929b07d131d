package failover

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// request is an order on its way through the loop, whose it is from when it is
// taken.
type request struct {
	ctx    context.Context //nolint:containedctx // of who waits for the answer
	kind   Recovery
	order  Order
	answer chan answer // holds one

	begun    bool
	from     string
	incident Incident
	late     time.Time // when the answer comes without the old master's return
}

type answer struct {
	incident Incident
	err      error
}

// returnBound is how long an order waits for the old master to be a slave once
// the new one is open.
const returnBound = 10 * time.Second

// Switchover makes a slave the master while the master lives, "" the best one,
// and returns the record once the old master is a slave, or 10 seconds later. An
// error that wraps ErrRefused says why not, and then nothing was changed. Any
// goroutine may call it; one order is carried out at a time.
func (c *Controller) Switchover(ctx context.Context, o Order) (Incident, error) {
	return c.ask(ctx, RecoverySwitchover, o)
}

// Failover makes a slave the master, "" the best one, and gives the master up.
// As Switchover otherwise.
func (c *Controller) Failover(ctx context.Context, o Order) (Incident, error) {
	return c.ask(ctx, RecoveryFailover, o)
}

func (c *Controller) ask(ctx context.Context, kind Recovery, o Order) (Incident, error) {
	o.Given = true
	r := &request{ctx: ctx, kind: kind, order: o, answer: make(chan answer, 1)}
	select {
	case c.orders <- r:
	case <-ctx.Done():
		return Incident{}, fmt.Errorf("wait for another order: %w", ctx.Err())
	}
	select {
	case a := <-r.answer:
		return a.incident, a.err
	case <-ctx.Done():
		return Incident{}, fmt.Errorf("the order goes on, see the incidents: %w", ctx.Err())
	}
}

// DryRun returns what an order would do now. It changes nothing.
func (c *Controller) DryRun(kind Recovery, o Order) Plan {
	o.Given = true
	t := c.store.Load()
	v := View{Now: time.Now(), Policy: *c.policy.Load(), Writes: t.Writes, Nodes: t.Nodes, Lock: c.lock.forbids(t)}
	if s := c.recorded.Load(); s != nil {
		v.Record = *s
	}
	if c.stream != nil {
		v.Stream = c.stream.View()
	}
	return planOrder(v, kind, o)
}

// planOrder is pure.
func planOrder(v View, kind Recovery, o Order) Plan {
	if kind == RecoverySwitchover {
		return PlanSwitchover(v, o)
	}
	p, _ := asking(Diagnose(v), RecoveryFailover)
	return PlanFailover(v, p, o)
}

// decline answers orders that cannot be carried out.
func (c *Controller) decline(why string) {
	if r := c.pending; r != nil {
		c.reply(r, fmt.Errorf("%w: %s", ErrRefused, why))
	}
}

func (c *Controller) reply(r *request, err error) {
	r.answer <- answer{r.incident, err}
	c.pending = nil
}

// carryOut begins the order that waits. It says whether this step is over.
func (c *Controller) carryOut(ctx context.Context, v View) (bool, error) {
	r := c.pending
	if r == nil || r.begun {
		return false, nil
	}
	if r.ctx.Err() != nil {
		c.reply(r, r.ctx.Err())
		return false, nil
	}
	plan := planOrder(v, r.kind, r.order)
	if c.state.Promotion != nil && plan.Refusal == "" && r.kind == RecoverySwitchover {
		plan.Refusal = "a change of master is not complete yet: try again in a moment"
	}
	if plan.Refusal != "" {
		c.log.Warn("order refused", "kind", r.kind.String(), "to", r.order.To, "reason", plan.Refusal)
		c.reply(r, fmt.Errorf("%w: %s", ErrRefused, plan.Refusal))
		return false, nil
	}
	r.begun, r.from = true, c.state.Master
	var err error
	if r.kind == RecoverySwitchover {
		err = c.switchover(ctx, plan)
	} else {
		c.retryAt = time.Time{}
		_, err = c.failover(ctx, plan, r.order, nil)
		if err == nil && c.state.Promotion == nil {
			err = c.giveUp()
		}
	}
	r.late = time.Now().Add(returnBound)
	r.incident = c.latest(r)
	if err != nil && c.state.Promotion == nil {
		c.reply(r, err)
		return true, nil
	}
	return true, err
}

// giveUp ends a failover by order whose one attempt failed.
func (c *Controller) giveUp() error {
	says := "it could not be done"
	if c.episode != nil {
		says = c.episode.Says
		c.mustOpen, c.heldSince = true, time.Time{}
		c.end(OutcomeUndone, says)
	}
	return fmt.Errorf("fail over: %s", says)
}

// latest is the record of the order as it is now.
func (c *Controller) latest(r *request) Incident {
	if c.episode != nil {
		return c.episode.copied()
	}
	all := c.Incidents()
	for _, i := range slices.Backward(all) {
		if i.Kind == r.kind.String() && i.From == r.from {
			return i
		}
	}
	return Incident{}
}

// complete answers the order once its promotion is over and the old master is a
// slave.
func (c *Controller) complete() {
	r := c.pending
	if r == nil || !r.begun || c.state.Promotion != nil {
		return
	}
	fenced := slices.ContainsFunc(c.state.Fenced, func(f Fenced) bool { return f.Node == r.from })
	if fenced && time.Now().Before(r.late) {
		return
	}
	if c.episode != nil {
		says := c.state.Master + " is the master, and " + r.from + " a slave"
		if fenced {
			says = c.state.Master + " is the master; " + r.from + " is not a slave yet"
		}
		c.end(OutcomeDone, says)
	}
	r.incident = c.latest(r)
	c.reply(r, nil)
}

// State returns what is recorded, for whoever shows it.
func (c *Controller) State() State {
	if s := c.recorded.Load(); s != nil {
		return *s
	}
	return State{}
}
