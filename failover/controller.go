package failover

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Controller is the one writer of roles, generation and whether writes are
// open, and the one who acts on nodes when roles have to change. Run is for one
// goroutine, its other methods for any.
//
// What it does is undone or gone on with after a crash at any point: what is
// before the record of a new master is volatile, what is after it is repeated.
type Controller struct {
	config   Config
	policy   atomic.Pointer[Policy]
	store    *cluster.Store
	operator Operator
	stream   Stream  // nil: nobody can be promoted
	clients  Clients // nil: nobody relays
	metrics  *Metrics
	log      *slog.Logger

	lock     *fleetLock
	orders   chan *request
	results  chan func() // of what ran beside the loop; they run in it
	problems atomic.Pointer[[]Problem]
	history  atomic.Pointer[incidents] // nil until Run has read it
	recorded atomic.Pointer[State]     // the published state, for who asks

	// What follows belongs to Run's goroutine.
	dir       *stateDir
	state     State
	saved     State     // what the file holds
	doubtful  bool      // it may hold something else: it is written before anything is published
	published bool      // this process has published the state
	mustOpen  bool      // the master was closed by us, whatever the probes say
	mayOpen   bool      // the master must be verified, and opened if it is read-only
	since     time.Time // since when the probes talked to the master that was last seen open
	openedAt  time.Time // what the probes saw before is older than our order
	retryAt   time.Time // after an order that failed
	last      string    // the failure that was last logged
	reasonAt  time.Time // when a reason was last published
	released  bool      // the promoted master is open; what is left are its events
	episode   *Incident // the recovery that goes on
	heldSince time.Time // when new writes began to wait in it
	// acknowledged is all that was sealed since the master was given up: an
	// attempt may have cut back what is stored and come to nothing then.
	acknowledged *cluster.GTIDSet
	refusedAt    time.Time // when it was last told why it cannot go on
	obstacle     string    // what the last attempt of the recovery came to nothing by
	changes      []time.Time
	pending      *request       // the order whose answer is to come
	jobs         sync.WaitGroup // what runs beside the loop
	running      map[string]context.CancelFunc
	again        map[string]time.Time // when a job may run again that failed
	shown        *cluster.Topology    // the topology that was last looked at
}

// Parts are what a controller works with; all but Operator and Log may be
// missing: without a Stream nobody is promoted.
type Parts struct {
	Operator Operator
	Stream   Stream
	Clients  Clients
	Metrics  *Metrics
	Log      *slog.Logger
}

// NewController returns a controller that owns nothing yet.
func NewController(store *cluster.Store, c Config, p Parts) *Controller {
	k := &Controller{
		config: c, store: store, operator: p.Operator, stream: p.Stream, clients: p.Clients, metrics: p.Metrics, log: p.Log,
		lock: newFleetLock(store, p.Operator), orders: make(chan *request), results: make(chan func(), 16),
		mayOpen: true, running: map[string]context.CancelFunc{}, again: map[string]time.Time{},
	}
	k.policy.Store(&c.Policy)
	return k
}

// Configure takes over another policy, from the next look on.
func (c *Controller) Configure(p Policy) { c.policy.Store(&p) }

// Run locks the state directory, loads what was recorded, and keeps what is
// published true to it until the context ends. It returns at once with an error
// if the directory is another process's or its state cannot be trusted. A disk
// that cannot be written later is told and tried again: what is published then
// stays as it is.
func (c *Controller) Run(ctx context.Context) (err error) {
	if c.dir, err = openState(c.config.StateDir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.dir.close()) }()
	if c.state, err = c.dir.load(); err != nil {
		return err
	}
	c.saved = c.state
	if err := c.resume(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer c.jobs.Wait()
	defer cancel()
	c.jobs.Go(func() { _ = c.lock.Run(ctx) }) // it returns nil, at the end
	tick := time.NewTicker(min(wakeInterval, c.config.Interval))
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := c.step(ctx); err != nil && ctx.Err() == nil {
			c.complain("the state cannot be kept", err)
		}
		c.rest(ctx, tick.C)
	}
	return nil
}

// wakeInterval is how soon a change of the topology is looked at.
const wakeInterval = 10 * time.Millisecond

// rest waits until there is something new to look at, or it is time to look all
// the same.
func (c *Controller) rest(ctx context.Context, tick <-chan time.Time) {
	for due := time.Now().Add(c.config.Interval); ; {
		select {
		case <-ctx.Done():
			return
		case apply := <-c.results:
			apply()
			return
		case r := <-c.accepting():
			c.pending = r
			return
		case now := <-tick:
			if !now.Before(due) || c.store.Load() != c.shown {
				return
			}
		}
	}
}

// accepting is where orders come from while none is being carried out.
func (c *Controller) accepting() chan *request {
	if c.pending != nil {
		return nil
	}
	return c.orders
}

// step looks, and does what follows, one thing at a time. Its error is one of
// the disk; what nodes refuse becomes the reason why writes are not open.
func (c *Controller) step(ctx context.Context) error {
	t := c.store.Load()
	c.shown = t
	v := c.view(t)
	if c.stream == nil {
		c.decline("no master is recorded yet")
		return c.serve(ctx, t, verdict{})
	}
	problems := Diagnose(v)
	c.tell(problems)
	if c.state.Master == "" {
		c.decline("no master is recorded yet")
		return c.serve(ctx, t, verdict{})
	}
	if done, err := c.carryOut(ctx, v); done || err != nil {
		return err
	}
	if p, ok := asking(problems, RecoveryFailover); ok && !c.excused(p) {
		plan := PlanFailover(v, p, Order{})
		if v.Lock != "" {
			plan.Refusal = v.Lock
		}
		if begun, err := c.failover(ctx, plan, Order{}, p.Evidence); begun || err != nil {
			return err
		}
		return c.serve(ctx, t, held(actionNone, "%s", c.episode.Says))
	}
	c.survived(t)
	if c.state.Promotion != nil && c.unlocked(t) {
		if err := c.forward(ctx); err != nil || c.state.Promotion != nil && !c.released {
			return err
		}
	}
	c.rejoin(ctx, v)
	c.closeStrays(ctx, v, problems)
	c.complete()
	if p, ok := asking(problems, RecoveryHold); ok {
		return c.serve(ctx, t, held(actionNone, "%s", p.Kind.Definition().Description))
	}
	return c.serve(ctx, t, verdict{})
}

// excused says that a problem rests on what was seen of the new master before it
// had taken all that it has now.
func (c *Controller) excused(p Problem) bool {
	return c.state.Promotion != nil && !c.released && p.Kind == KindMasterBehind
}

// unlocked says that no other Bellwether can act on this fleet.
func (c *Controller) unlocked(t *cluster.Topology) bool { return c.lock.forbids(t) == "" }

// asking is the first problem that asks for a recovery.
func asking(problems []Problem, r Recovery) (Problem, bool) {
	for _, p := range problems {
		if p.Kind.Definition().Asks == r {
			return p, true
		}
	}
	return Problem{}, false
}

// view is the moment that is decided on.
func (c *Controller) view(t *cluster.Topology) View {
	now := time.Now()
	v := View{Now: now, Record: c.state, Policy: *c.policy.Load(), Writes: t.Writes, Nodes: t.Nodes, Lock: c.lock.forbids(t)}
	v.Last = limited(c.changes, now, v.Policy.Window)
	if c.stream != nil {
		v.Stream = c.stream.View()
	}
	return v
}

// tell publishes the problems, and logs those that are new.
func (c *Controller) tell(problems []Problem) {
	before, changed := c.Problems(), false
	for _, p := range problems {
		if !known(before, p) {
			changed = true
			c.log.Log(context.Background(), levelOf(p), "problem", "kind", p.Kind.String(), "node", p.Node, "says", p.Kind.Definition().Description, "evidence", p.Evidence)
		}
	}
	for _, p := range before {
		if !known(problems, p) {
			changed = true
			c.log.Info("problem is over", "kind", p.Kind.String(), "node", p.Node)
		}
	}
	c.problems.Store(&problems)
	if changed {
		c.metrics.problems(problems)
	}
}

func known(problems []Problem, p Problem) bool {
	for _, o := range problems {
		if o.Kind == p.Kind && o.Node == p.Node {
			return true
		}
	}
	return false
}

// levelOf is how loudly a new problem is told.
func levelOf(p Problem) slog.Level {
	switch p.Kind.Definition().Priority {
	case PriorityCritical:
		return slog.LevelError
	case PriorityUrgent, PriorityWarning:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// Problems returns what was the matter at the last look, the gravest first.
func (c *Controller) Problems() []Problem {
	if p := c.problems.Load(); p != nil {
		return *p
	}
	return nil
}

// Incidents returns the history, the oldest first.
func (c *Controller) Incidents() []Incident {
	if h := c.history.Load(); h != nil {
		return h.all()
	}
	return nil
}
