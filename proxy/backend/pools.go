package backend

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/wire"
)

// Observer is told of failures to reach a node, so that the next probe comes
// at once. Any goroutine may call it.
type Observer interface {
	Observe(node string, err error)
}

// Pools is all the connections to all the nodes. Any goroutine may use it.
type Pools struct {
	config   atomic.Pointer[Config]
	store    *cluster.Store
	observer Observer
	log      *slog.Logger

	// clock is a coarse clock in nanoseconds, so that parking a connection
	// need not ask the time.
	clock atomic.Int64

	mu       sync.Mutex
	nodes    map[string]*node
	accounts map[AccountKey]*Account
	byUser   map[string]*Account // the one that logged in last

	// byName is the nodes again, for the path of a statement; replaced whole.
	byName atomic.Pointer[map[string]*node]

	warm chan warming
	// down is since when the master is, of Run alone.
	down downMaster
}

type warming struct {
	want Want
	node string
}

// New returns empty pools; Run keeps them.
func New(config Config, store *cluster.Store, observer Observer, log *slog.Logger) *Pools {
	p := &Pools{
		store: store, observer: observer, log: log,
		nodes: map[string]*node{}, accounts: map[AccountKey]*Account{},
		byUser: map[string]*Account{},
		warm:   make(chan warming, 64),
	}
	p.config.Store(&config)
	p.byName.Store(&map[string]*node{})
	p.clock.Store(time.Now().UnixNano())
	return p
}

// Configure replaces the configuration; it holds for what comes next.
func (p *Pools) Configure(c Config) { p.config.Store(&c) }

// Lease returns a connection to a node of the topology. It fails with a
// *wire.ServerError when the node refuses the account or is full.
func (p *Pools) Lease(ctx context.Context, target *cluster.Node, w *Want) (*Conn, error) {
	if e := w.Account.Revoked(); e != nil {
		return nil, e
	}
	w.epoch = target.Epoch
	return p.node(target).lease(ctx, w)
}

// Stats returns the counters of a node, nil before its first connection.
func (p *Pools) Stats(name string) *NodeStats {
	if n := (*p.byName.Load())[name]; n != nil {
		return &n.stats
	}
	return nil
}

// node returns the pools of a node, made at its first use and again when its
// address has changed.
func (p *Pools) node(target *cluster.Node) *node {
	if n := (*p.byName.Load())[target.Name]; n != nil && n.addr == target.Addr {
		return n
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.nodes[target.Name]; n != nil {
		if n.addr == target.Addr {
			return n
		}
		n.shut()
	}
	n := &node{name: target.Name, addr: target.Addr, pools: p, byKey: map[poolKey]*pool{}, dials: map[*Want]context.CancelCauseFunc{}}
	p.nodes[target.Name] = n
	p.publish()
	return n
}

func (p *Pools) publish() {
	byName := make(map[string]*node, len(p.nodes))
	for name, n := range p.nodes {
		byName[name] = n
	}
	p.byName.Store(&byName)
}

// Account returns the account of a user and what is known of its password: the
// one that others have logged in with, or a new one, which is remembered only
// once Remember says so.
func (p *Pools) Account(user string, secret wire.Secret) *Account {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.accounts[AccountKey{user, secret.Verifier()}]
	if a == nil {
		a = &Account{User: user}
	}
	if old := a.secret.Load(); old == nil || hasPassword(secret) {
		a.secret.Store(&secret)
	}
	return a
}

// Remember keeps an account that a node has accepted: until nobody has used it
// for a while, clients that show the same password need not be judged again.
// It returns the account that counts: where several logged in at once, all of
// them share the first, so that there is none that nobody verifies.
func (p *Pools) Remember(a *Account) *Account {
	p.mu.Lock()
	defer p.mu.Unlock()
	if first := p.accounts[a.key()]; first != nil {
		a = first
	}
	a.used.Store(p.clock.Load())
	p.accounts[a.key()] = a
	p.byUser[a.User] = a
	return a
}

// Known returns the account of a user that is remembered, nil without one. It
// is what a client's fast login is held against.
func (p *Pools) Known(user string) *Account {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.byUser[user]; a != nil && a.Revoked() == nil {
		return a
	}
	return nil
}

// forget drops what is remembered of a login; the caller holds the lock.
func (p *Pools) forget(a *Account) {
	if p.accounts[a.key()] == a {
		delete(p.accounts, a.key())
	}
	if p.byUser[a.User] == a {
		delete(p.byUser, a.User)
	}
}

// Revoke ends an account: its fast login is forgotten and its connections are
// closed as their sessions give them up.
func (p *Pools) Revoke(a *Account, why *wire.ServerError) {
	if !a.revoked.CompareAndSwap(nil, why) {
		return
	}
	p.mu.Lock()
	known := p.accounts[a.key()] == a
	p.forget(a)
	nodes := p.list()
	p.mu.Unlock()
	if !known {
		return // a login that failed, nothing that was remembered
	}
	p.log.Info("account refused by the master: its logins are forgotten and its connections closed",
		"user", a.User, "code", why.Code)
	for _, n := range nodes {
		n.closeUnused(func(c *Conn) bool { return c.pool.account == a })
	}
}

func (p *Pools) list() []*node {
	nodes := make([]*node, 0, len(p.nodes))
	for _, n := range p.nodes {
		nodes = append(nodes, n)
	}
	return nodes
}

func (p *Pools) isMaster(name string) bool {
	m := p.store.Load().MasterNode()
	return m != nil && m.Name == name
}

func (p *Pools) observe(name string, err error) {
	if p.observer != nil {
		p.observer.Observe(name, err)
	}
}

// stateOf returns the state of a connection whose handshake named a collation.
func (p *Pools) stateOf(collation uint16) *State {
	return StateOf(p.store.Load().Catalogue, collation)
}

// StateOf returns the state that a handshake with the collation makes, nil
// where the collation is not known.
func StateOf(c *cluster.Catalogue, collation uint16) *State {
	if known, ok := c.Collations[collation]; ok {
		return Charset(known.Charset, known.Name)
	}
	if known, ok := commonCollations[collation]; ok {
		return Charset(known.Charset, known.Name)
	}
	return nil
}

// commonCollations serve until the first node's catalogue has been read.
var commonCollations = map[uint16]cluster.Collation{
	8:   {Name: "latin1_swedish_ci", Charset: "latin1"},
	33:  {Name: "utf8mb3_general_ci", Charset: "utf8mb3"},
	45:  {Name: "utf8mb4_general_ci", Charset: "utf8mb4"},
	46:  {Name: "utf8mb4_bin", Charset: "utf8mb4"},
	224: {Name: "utf8mb4_unicode_ci", Charset: "utf8mb4"},
}

// Run keeps the pools until ctx ends: the clock, idle connections, nodes that
// are gone or down, accounts that changed. Then it closes what is left.
func (p *Pools) Run(ctx context.Context) error {
	var children sync.WaitGroup
	children.Go(func() { p.verifyLoop(ctx) })
	children.Go(func() { p.warmLoop(ctx) })
	children.Go(func() { p.cutLoop(ctx) })
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for rounds := 0; ; rounds++ {
		select {
		case now := <-tick.C:
			p.clock.Store(now.UnixNano())
			p.interruptDown(now)
			for _, n := range *p.byName.Load() {
				n.stats.decay()
			}
			if rounds%20 == 0 {
				p.tidy(now)
			}
		case <-ctx.Done():
			children.Wait()
			p.shut()
			return nil
		}
	}
}

// tidy closes what was idle for long, and the pools of nodes that are gone.
func (p *Pools) tidy(now time.Time) {
	config, t := p.config.Load(), p.store.Load()
	p.mu.Lock()
	nodes := p.list()
	for _, n := range nodes {
		if i := t.Find(n.name); i < 0 || t.Nodes[i].Addr != n.addr {
			delete(p.nodes, n.name)
			p.publish()
			n.shut()
		}
	}
	p.mu.Unlock()
	before := now.Add(-config.IdleTimeout).UnixNano()
	for _, n := range nodes {
		epoch := epochOf(t, n.name)
		n.closeUnused(func(c *Conn) bool { return c.used.Load() < before || c.Epoch != epoch })
	}
}

func (p *Pools) shut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.nodes {
		n.shut()
	}
}

// Counts returns how many connections a node has, in all and leased.
func (p *Pools) Counts(name string) (total, leased int) {
	n := (*p.byName.Load())[name]
	if n == nil {
		return 0, 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, pool := range n.byKey {
		for _, c := range pool.conns {
			if c.hold.Load()&(1<<holdBits-1) == holdLeased {
				leased++
			}
		}
	}
	return n.total, leased
}

// KillQuery ends the statement that runs on a connection of the account, by a
// connection of its own.
func (p *Pools) KillQuery(ctx context.Context, target *cluster.Node, a *Account, thread uint32) error {
	return p.Once(ctx, target, a, fmt.Sprintf("KILL QUERY %d", thread))
}

// Once runs one statement on a connection of its own, outside the bounds of
// the pools.
func (p *Pools) Once(ctx context.Context, target *cluster.Node, a *Account, sql string) error {
	n := p.node(target)
	c, err := n.connect(ctx, &Want{Account: a, Capabilities: wire.ClientDeprecateEOF, Collation: 45})
	if err != nil {
		return err
	}
	defer c.Quit()
	_, err = c.Query(sql)
	return err
}
