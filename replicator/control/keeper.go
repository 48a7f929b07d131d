package control

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Slave is one slave that a Keeper keeps. It is a value.
type Slave struct {
	Node   Node
	Source Source
	// Has returns what the source has; see Conn.Attach. It is called by the
	// slave's goroutine.
	Has func() *cluster.GTIDSet
	// HasNow asks the source itself, where Has may be old: a slave that applies
	// all the time is always ahead of that, and nothing could ever be done there.
	// nil where Has is always right, and it may return nil.
	HasNow func(context.Context) *cluster.GTIDSet
	// Observe has the slave watched and reported only: nothing is changed there.
	Observe bool
}

// KeeperConfig says how a Keeper works. It is a value.
type KeeperConfig struct {
	// Cluster holds the operator account and the TLS towards the nodes.
	Cluster cluster.Config
	// Interval is the time between two looks at a slave; 0 means a second.
	Interval time.Duration
	// Patience bounds one look at a slave with what is done there, applying what
	// it received from a former source included; 0 means ten seconds.
	Patience time.Duration
}

// Keeper keeps slaves attached and running: one goroutine for each. Report,
// Nudge and Login may be called by anyone.
type Keeper struct {
	config KeeperConfig
	login  atomic.Pointer[cluster.Config] // config.Cluster, or what Login brought
	want   func() []Slave
	log    *slog.Logger
	nudged chan struct{}

	mu      sync.Mutex
	reports map[string]SlaveReport // by node name
	kept    map[string]<-chan struct{}
}

// NewKeeper makes a keeper of the slaves that want returns: asked again and
// again, by one goroutine, for those of now.
func NewKeeper(c KeeperConfig, want func() []Slave, log *slog.Logger) *Keeper {
	if c.Interval <= 0 {
		c.Interval = time.Second
	}
	if c.Patience <= 0 {
		c.Patience = 10 * time.Second
	}
	k := &Keeper{config: c, want: want, log: log, nudged: make(chan struct{}, 1), reports: map[string]SlaveReport{}, kept: map[string]<-chan struct{}{}}
	k.Login(c.Cluster)
	return k
}

// Login takes over another operator account, or TLS, for connections to come.
func (k *Keeper) Login(c cluster.Config) { k.login.Store(&c) }

// Run keeps the slaves until the context ends, and returns when the goroutine
// of each has. Slaves are then left as they are.
func (k *Keeper) Run(ctx context.Context) error {
	kept := map[string]*keeping{}
	defer func() {
		for _, s := range kept {
			<-s.ended
		}
	}()
	tick := time.NewTicker(k.config.Interval)
	defer tick.Stop()
	for {
		k.follow(ctx, kept)
		select {
		case <-ctx.Done():
			return nil
		case <-k.nudged:
			k.nudgeAll(kept)
		case <-tick.C:
		}
	}
}

// Nudge has the wanted slaves asked for, and looked at, now.
func (k *Keeper) Nudge() {
	select {
	case k.nudged <- struct{}{}:
	default: // one is under way
	}
}

func (k *Keeper) nudgeAll(kept map[string]*keeping) {
	k.refresh(kept)
	for _, s := range kept {
		select {
		case s.nudged <- struct{}{}:
		default:
		}
	}
}

// refresh hands each goroutine what is wanted of its slave now.
func (k *Keeper) refresh(kept map[string]*keeping) (wanted map[string]bool, fresh []Slave) {
	wanted = map[string]bool{}
	for _, s := range k.want() {
		wanted[s.Node.Name] = true
		if of := kept[s.Node.Name]; of != nil {
			of.slave.Store(&s)
			continue
		}
		fresh = append(fresh, s)
	}
	return wanted, fresh
}

// follow starts and ends goroutines until there is one for each wanted slave.
func (k *Keeper) follow(ctx context.Context, kept map[string]*keeping) {
	wanted, fresh := k.refresh(kept)
	for name, s := range kept {
		if !wanted[name] {
			s.cancel()
			<-s.ended
			delete(kept, name)
			k.forget(name)
		}
	}
	for _, s := range fresh {
		if kept[s.Node.Name] == nil {
			kept[s.Node.Name] = k.keep(ctx, s)
		}
	}
}

func (k *Keeper) forget(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.reports, name)
	delete(k.kept, name)
}

// Released is closed once nothing is done at a node any more that is wanted no
// longer; nil where nothing is done there. Nudge has the keeper see that it is
// not wanted.
func (k *Keeper) Released(name string) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kept[name]
}

// Report returns how every slave did when it was last looked at, by name.
func (k *Keeper) Report() []SlaveReport {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]SlaveReport, 0, len(k.reports))
	for _, r := range k.reports {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b SlaveReport) int { return strings.Compare(a.Node.Name, b.Node.Name) })
	return out
}

// SlaveReport is how a slave does. It is a value.
type SlaveReport struct {
	Node    Node
	Source  string // user@host:port that it should have
	Verdict Verdict
	Since   time.Time // when the verdict became so
	Seen    time.Time // when it was last reached
	Status  Status    // of then
	History History   // of its failure
	Changed uint64    // times that something was set or started there
}

// failureErrant is not in the table: the slave may well run.
const failureErrant = "errant"

// verdictOf tells what a failed look or attempt means.
func verdictOf(err error) Verdict {
	var errant *ErrantError
	var channels *ChannelsError
	var undrained *UndrainedError
	v := Verdict{State: StateBroken, Problem: Problem{Text: oneLine(err.Error())}}
	switch {
	case errors.As(err, &errant):
		v.Failure, v.Hint = failureErrant, "Keep its data aside and copy it anew (/sync)."
		v.Problem.GTID = errant.Extra.String()
	case errors.As(err, &channels):
		v.Failure, v.Hint = "further sources", "Remove them, or do not list the node."
	case errors.As(err, &undrained):
		v.Failure, v.Hint, v.State = "draining", "Nothing: it applies what it received before its source is set.", StateStarting
	case errors.Is(err, ErrAnotherServer):
		v.Failure, v.Hint = "another server", "The server at the node's address is not the one that was recorded there."
	default:
		v.Failure, v.Hint, v.State = "no look", "The node is down, or Bellwether's operator account may not look or act there; `bellwether check` says what it lacks.", StateUnknown
	}
	return v
}
