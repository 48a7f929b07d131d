package failover

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// lockedName is the name of the lock on every node.
const lockedName = "bellwether"

// Lock is the named lock of the fleet on one node. It belongs to one goroutine,
// and ends with Close, with its connection, or with the server.
type Lock interface {
	// Check returns nil while the lock is held.
	Check(ctx context.Context) error
	// Close gives it back.
	Close() error
}

// HeldError says that another Bellwether holds the lock on a node.
type HeldError struct {
	// Holder is the address that its connection comes from, "" if unknown.
	Holder string
	// Connection is its id on that node.
	Connection uint64
}

// Error names the holder.
func (e *HeldError) Error() string {
	if e.Holder == "" {
		return fmt.Sprintf("another Bellwether holds it, on connection %d", e.Connection)
	}
	return fmt.Sprintf("another Bellwether holds it, from %s on connection %d", e.Holder, e.Connection)
}

// errGivenBack: the lock is not held, and can be tried for again.
var errGivenBack = errors.New("the lock is not held")

// The paces of the lock.
const (
	lockInterval = time.Second           // between two looks whether it is held
	lockTimeout  = 2 * time.Second       // for one order
	lockRetry    = 50 * time.Millisecond // after it was not had
	lockFresh    = 5 * time.Second       // a lock that nobody looked at for so long may be lost
	lockLinger   = time.Second           // that of a process that has ended may be seen for a moment
)

// holding is how the lock of one node stands. It is a value.
type holding struct {
	held   bool
	at     time.Time  // when that was last true
	holder *HeldError // another one has it
	since  time.Time  // for so long
	none   bool       // no server runs there, so nobody can hold it
}

// fleetLock keeps the lock on every node of the topology. Run is for one
// goroutine, the rest for any.
type fleetLock struct {
	operator Operator
	store    *cluster.Store

	mu          sync.Mutex
	nodes       map[string]holding // by address
	established bool               // a majority was held once; it is not needed again
}

func newFleetLock(store *cluster.Store, operator Operator) *fleetLock {
	return &fleetLock{operator: operator, store: store, nodes: map[string]holding{}}
}

// Run takes and keeps the lock everywhere until ctx ends.
func (l *fleetLock) Run(ctx context.Context) error {
	var holders sync.WaitGroup
	defer holders.Wait()
	ending := map[string]context.CancelFunc{}
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		t := l.store.Load()
		for i := range t.Nodes {
			addr := t.Nodes[i].Addr
			if ending[addr] != nil {
				continue
			}
			one, end := context.WithCancel(ctx)
			ending[addr] = end
			holders.Go(func() { l.hold(one, addr) })
		}
		for addr, end := range ending {
			if !hasAddr(t, addr) {
				end()
				delete(ending, addr)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tick.Stop()
			for _, end := range ending {
				end()
			}
			return nil
		}
	}
}

func hasAddr(t *cluster.Topology, addr string) bool {
	for i := range t.Nodes {
		if t.Nodes[i].Addr == addr {
			return true
		}
	}
	return false
}

// hold takes and keeps the lock at one address until ctx ends.
func (l *fleetLock) hold(ctx context.Context, addr string) {
	defer l.set(addr, holding{})
	for ctx.Err() == nil {
		bounded, cancel := context.WithTimeout(ctx, lockTimeout)
		lock, err := l.operator.TakeLock(bounded, addr)
		cancel()
		if err == nil {
			if !l.yields(addr) {
				l.keep(ctx, addr, lock)
			}
			_ = lock.Close() // its connection may be broken already
			l.set(addr, holding{})
			if l.yields(addr) {
				pause(ctx, lockInterval)
			}
			continue
		}
		var now holding
		if !errors.As(err, &now.holder) {
			now.none = errors.Is(err, syscall.ECONNREFUSED)
		}
		l.set(addr, now)
		pause(ctx, lockRetry)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// keep looks after a lock until it is lost or ctx ends.
func (l *fleetLock) keep(ctx context.Context, addr string, lock Lock) {
	for err := error(nil); err == nil && !l.yields(addr); {
		l.set(addr, holding{held: true, at: time.Now()})
		if pause(ctx, lockInterval); ctx.Err() != nil {
			return
		}
		bounded, cancel := context.WithTimeout(ctx, lockTimeout)
		err = lock.Check(bounded)
		cancel()
	}
}

func (l *fleetLock) set(addr string, h holding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.holder != nil {
		if h.since = l.nodes[addr].since; h.since.IsZero() {
			h.since = time.Now()
		}
	}
	l.nodes[addr] = h
}

// yields says that a lock at addr is not for us: another Bellwether holds one
// elsewhere, and we never held a majority. Else two could keep each other from
// one for ever.
func (l *fleetLock) yields(addr string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.established {
		return false
	}
	for other, h := range l.nodes {
		if other != addr && h.lingers() {
			return true
		}
	}
	return false
}

// lingers says that another one has held the lock for longer than that of a
// process may be seen that has ended.
func (h *holding) lingers() bool { return h.holder != nil && time.Since(h.since) >= lockLinger }

// had says whether a majority was held, and not lost to another one since.
func (l *fleetLock) had() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.established
}

// forbids says why this process must not act, "" where it may.
func (l *fleetLock) forbids(t *cluster.Topology) string {
	reason, _ := l.refuses(t, "")
	return reason
}

// refuses says why this process must not act, "" where it may, and whether it
// must not even serve writes: another Bellwether holds the lock on the master or
// on a majority, or this one never held it on a majority. Once it did, it goes on
// while nodes come and go.
func (l *fleetLock) refuses(t *cluster.Topology, master string) (reason string, decisive bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := judgeLock(t, l.nodes, master)
	l.established = (l.established || s.majority) && !s.lost
	switch {
	case s.other != "":
		return s.other, s.lingers && (s.lost || !l.established)
	case !l.established:
		return "the lock of the fleet is not held on a majority of its nodes yet: no other Bellwether can be excluded", false
	}
	return "", false
}

// holds says why this process must not make a node the master, "" where it may.
func (l *fleetLock) holds(t *cluster.Topology, n *cluster.Node) string {
	if reason := l.forbids(t); reason != "" {
		return reason
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if h := l.nodes[n.Addr]; !h.held || time.Since(h.at) > lockFresh {
		return fmt.Sprintf("the lock of the fleet is not held on %s yet", n.Name)
	}
	return ""
}

// standing is how the lock stands in all. It is a value.
type standing struct {
	other    string // who else holds it, and where; "" for nobody
	majority bool   // we hold it on a majority
	lost     bool   // another one does, or holds it on the master
	lingers  bool   // and has for a while
}

// judgeLock is pure. A node where no server runs counts for nobody: nobody can
// hold a lock there. Of two nodes, the master decides.
func judgeLock(t *cluster.Topology, nodes map[string]holding, master string) (s standing) {
	held, others, running := 0, 0, 0
	var where []string
	from, onMaster, theirs := "", false, false
	for i := range t.Nodes {
		n := &t.Nodes[i]
		h := nodes[n.Addr]
		if !h.none {
			running++
		}
		if h.held {
			held++
			onMaster = onMaster || n.Name == master
		}
		if h.holder != nil {
			others++
			theirs = theirs || n.Name == master
			where = append(where, n.Name)
			from = h.holder.Holder
			s.lingers = s.lingers || h.lingers()
		}
	}
	s.majority = others == 0 && held > 0 && (2*held > running || 2*held == running && onMaster)
	s.lost = others > 0 && (theirs || 2*others > len(t.Nodes))
	if others == 0 {
		return s
	}
	who := "another Bellwether"
	if from != "" {
		who += " (its connections come from " + from + ")"
	}
	s.other = fmt.Sprintf("%s acts on this fleet: it holds the lock on %s; end one of the two", who, strings.Join(where, " and "))
	return s
}
