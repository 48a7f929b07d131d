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

// arrival is a slave that has taken all that it is to take. It is a value.
type arrival struct {
	node string
	has  *cluster.GTIDSet
	err  error
}

// drain lets every slave that is up take the end, and chooses who becomes the
// master, as soon as all that can have it do, or a grace after the first.
func (c *Controller) drain(ctx context.Context, plan Plan, o Order, end *cluster.GTIDSet, back func() bool) (choice Choice, err error) {
	err = c.do(ctx, StepDrain, "", plan.bound(StepDrain, drainBound), func(ctx context.Context) (string, error) {
		d := &draining{c: c, order: o, since: time.Now(), end: end, begun: map[string]bool{}, applied: map[string]*cluster.GTIDSet{}, arrivals: make(chan arrival)}
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
		if open > 0 && (len(d.applied) == 0 || time.Since(d.first) < drainGrace) {
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
		waits.Go(func() {
			has, err := d.c.take(ctx, n, d.end)
			select {
			case d.arrivals <- arrival{n.Name, has, err}:
			case <-ctx.Done():
			}
		})
	}
}

func (d *draining) arrive(a arrival) {
	if a.err != nil {
		d.failed = append(d.failed, fmt.Sprintf("%s: %v", a.node, a.err))
		return
	}
	if len(d.applied) == 0 {
		d.first = time.Now()
	}
	d.applied[a.node] = a.has
}

// choose asks the policy who it is to be of those that have arrived.
func (d *draining) choose() (Choice, error) {
	v := d.c.view(d.c.store.Load())
	choice, refusal := Choose(v, d.order, d.end, d.applied)
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
	if len(d.applied) == 0 && d.end == nil && d.c.policy.Load().MaxLoss == 0 {
		return Choice{}, fmt.Errorf("no slave has all that was acknowledged yet: %w", cause)
	}
	t := d.c.store.Load()
	for i := range t.Nodes {
		n := &t.Nodes[i]
		ctx, cancel := context.WithTimeout(context.Background(), d.c.config.StepTimeout)
		if has, err := d.c.operator.Executed(ctx, n.Addr, n.Identity); err == nil && d.begun[n.Name] && d.applied[n.Name] == nil {
			d.applied[n.Name] = has
		}
		cancel()
	}
	return d.choose()
}

// take returns what a slave has once it has taken the end; or, where there is
// none, all that it has received.
func (c *Controller) take(ctx context.Context, n cluster.Node, end *cluster.GTIDSet) (*cluster.GTIDSet, error) {
	if end == nil {
		received, err := c.operator.Received(ctx, n.Addr, n.Identity)
		if err != nil {
			return nil, err
		}
		end = received
	}
	if err := c.operator.AwaitApplied(ctx, n.Addr, n.Identity, end); err != nil {
		return nil, err
	}
	return c.operator.Executed(ctx, n.Addr, n.Identity)
}
