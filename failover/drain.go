package failover

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// The paces of a drain.
const (
	drainTick  = 2 * time.Millisecond
	drainGrace = 100 * time.Millisecond // for others than the first one to arrive
	drainBound = 30 * time.Second       // for an attempt; the next one goes on
)

// arrival is a slave that has taken all that it is to take; or that has said what
// it has received, where it is to take that. It is a value.
type arrival struct {
	node string
	has  *cluster.GTIDSet
	said bool // has is what it has received
	err  error
}

// drain lets every slave that is up take the end, and chooses who becomes the
// master, as soon as all that can have it do, or a grace after the first.
func (c *Controller) drain(ctx context.Context, plan Plan, o Order, end *cluster.GTIDSet, back func() bool) (choice Choice, err error) {
	err = c.do(ctx, StepDrain, "", plan.bound(StepDrain, drainBound), func(ctx context.Context) (string, error) {
		d := &draining{c: c, order: o, since: time.Now(), end: end, begun: map[string]bool{}, received: map[string]*cluster.GTIDSet{}, applied: map[string]*cluster.GTIDSet{}, arrivals: make(chan arrival)}
		if choice, err = d.run(ctx, back); err != nil {
			return "", err
		}
		return fmt.Sprintf("%d of %d slaves have all of it", len(d.applied), len(d.begun)), nil
	})
	return choice, err
}

// draining is one drain. It belongs to the goroutine of run.
type draining struct {
	c        *Controller
	order    Order
	end      *cluster.GTIDSet // nil: what each has received
	begun    map[string]bool
	received map[string]*cluster.GTIDSet // without an end
	unheard  int                         // have not said yet what they have received
	applied  map[string]*cluster.GTIDSet
	since    time.Time
	failed   []string
	arrivals chan arrival
	first    time.Time // when the first one arrived
}

func (d *draining) run(ctx context.Context, back func() bool) (Choice, error) {
	ctx, cancel := context.WithCancel(ctx)
	var waits sync.WaitGroup
	defer waits.Wait()
	defer cancel()
	tick := time.NewTicker(drainTick)
	defer tick.Stop()
	for {
		d.start(ctx, &waits)
		select {
		case a := <-d.arrivals:
			if ctx.Err() != nil {
				return d.overdue(ctx.Err())
			}
			d.arrive(a)
		case <-tick.C:
			if d.enough() {
				return d.overdue(context.DeadlineExceeded)
			}
		case <-ctx.Done():
			return d.overdue(ctx.Err())
		}
		if back() {
			return Choice{}, errBack
		}
		open := len(d.begun) - len(d.applied) - len(d.failed)
		if d.unheard > 0 || open > 0 && (len(d.applied) == 0 || time.Since(d.first) < drainGrace) {
			continue
		}
		choice, err := d.choose()
		if err == nil || open == 0 {
			return choice, err
		}
	}
}

// enough says that the time is up that slaves have where a loss is allowed, also
// where it is allowed only since the drain began.
func (d *draining) enough() bool {
	return time.Since(d.since) > drainStep && d.c.policy.Load().MaxLoss > 0
}

// start has the slaves wait that are up and do not yet.
func (d *draining) start(ctx context.Context, waits *sync.WaitGroup) {
	t := d.c.store.Load()
	for i := range t.Nodes {
		n := t.Nodes[i]
		if n.Name == d.c.state.Master || n.Health != cluster.HealthUp || d.begun[n.Name] || d.c.state.Distrusts(n.Name, n.Identity) {
			continue
		}
		d.begun[n.Name] = true
		if d.end == nil {
			d.unheard++
		}
		waits.Go(func() { d.take(ctx, n) })
	}
}

// take has a slave take the end; or, where there is none, all that it has received.
func (d *draining) take(ctx context.Context, n cluster.Node) {
	end, err := d.end, error(nil)
	if end == nil {
		bounded, cancel := context.WithTimeout(ctx, d.c.config.StepTimeout)
		end, err = d.c.operator.Received(bounded, n.Addr, n.Identity)
		cancel()
		d.send(ctx, arrival{node: n.Name, has: end, said: true, err: err})
	}
	if err != nil {
		return
	}
	has, err := d.c.take(ctx, n, end)
	d.send(ctx, arrival{node: n.Name, has: has, err: err})
}

func (d *draining) send(ctx context.Context, a arrival) {
	select {
	case d.arrivals <- a:
	case <-ctx.Done():
	}
}

func (d *draining) arrive(a arrival) {
	if a.said {
		d.unheard--
	}
	switch {
	case a.err != nil:
		d.failed = append(d.failed, fmt.Sprintf("%s: %v", a.node, a.err))
		return
	case a.said:
		d.received[a.node] = a.has
		return
	}
	if len(d.applied) == 0 {
		d.first = time.Now()
	}
	d.applied[a.node] = a.has
}

// choose asks the policy who it is to be of those that have arrived.
func (d *draining) choose() (Choice, error) {
	v, end := d.c.view(d.c.store.Load()), d.end
	if end == nil {
		s := newSight(v)
		end = s.union(d.received).Union(s.union(d.applied))
	}
	choice, refusal := Choose(v, d.order, end, d.applied)
	if refusal == "" {
		return choice, nil
	}
	if len(d.failed) > 0 {
		refusal += " (" + strings.Join(d.failed, "; ") + ")"
	}
	return Choice{}, errors.New(refusal)
}

// overdue takes whoever there is once the time is up: those that lack something
// are told apart by the policy, which names what it is where that is too much.
func (d *draining) overdue(cause error) (Choice, error) {
	t := d.c.store.Load()
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if !d.begun[n.Name] || d.applied[n.Name] != nil || d.end == nil && d.received[n.Name] == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), d.c.config.StepTimeout)
		if has, err := d.c.operator.Executed(ctx, n.Addr, n.Identity); err == nil {
			d.applied[n.Name] = has
		}
		cancel()
	}
	if len(d.applied) == 0 {
		return Choice{}, fmt.Errorf("no slave says what it has: %w", cause)
	}
	return d.choose()
}

// take returns what a slave has once it has taken the end.
func (c *Controller) take(ctx context.Context, n cluster.Node, end *cluster.GTIDSet) (*cluster.GTIDSet, error) {
	if err := c.operator.AwaitApplied(ctx, n.Addr, n.Identity, end); err != nil {
		return nil, err
	}
	return c.operator.Executed(ctx, n.Addr, n.Identity)
}
