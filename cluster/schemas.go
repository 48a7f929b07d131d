package cluster

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// schemas keeps the catalogue fresh. Its doors may be used by any number of
// goroutines; run belongs to one.
//
// Two sources say that something changed: the proxy, which sees the DDL that
// goes through it and makes the catalogue unknown at once, and the node's own
// counters, which show every other change within CatalogueInterval.
type schemas struct {
	monitor *Monitor
	wake    chan struct{}

	mu      sync.Mutex
	epoch   uint64 // grows at the beginning and at the end of each change
	running int    // changes that began and have not ended

	// Of run alone:
	seen      counters // when the catalogue was last read
	readAt    time.Time
	readEpoch uint64
	reach     reach
}

// reach is the connection to the node that is asked.
type reach struct {
	name, addr string
	config     *Config
	db         *sql.DB
}

// wholeInterval is how often everything is read although no counter moved.
const wholeInterval = time.Minute

// readTimeout bounds the reading of everything.
const readTimeout = 30 * time.Second

var (
	errNobodyUp = errors.New("no node is up")
	errMoved    = errors.New("the schemas changed meanwhile")
)

func newSchemas(m *Monitor) *schemas { return &schemas{monitor: m, wake: make(chan struct{}, 1)} }

// CatalogueChanging is called before a statement is sent that may change stored
// functions or views (CREATE, ALTER, DROP or RENAME of functions, views,
// packages, tables and databases, INSTALL and UNINSTALL), and done when its
// answer has come. From the first moment until the schemas were read after the
// last one, the catalogue is not Known, so nothing is misrouted in between.
func (m *Monitor) CatalogueChanging() (done func()) { return m.schemas.changing() }

// CatalogueStale says that the schemas have just changed: the catalogue is not
// Known until it was read again, which begins at once.
func (m *Monitor) CatalogueStale() { m.schemas.changing()() }

func (s *schemas) changing() (done func()) {
	s.move(1)
	return sync.OnceFunc(func() {
		s.move(-1)
		select {
		case s.wake <- struct{}{}:
		default:
		}
	})
}

// move counts a change that begins or ends, before it is published: a reading
// that was under way then finds out.
func (s *schemas) move(by int) {
	s.mu.Lock()
	s.epoch++
	s.running += by
	s.mu.Unlock()
	s.monitor.store.Report(func(d *ReportDraft) { d.ForgetCatalogue() })
}

// quiet returns the epoch, and whether no change is under way.
func (s *schemas) quiet() (epoch uint64, quiet bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch, s.running == 0
}

// run reads until the context ends.
func (s *schemas) run(ctx context.Context) {
	defer s.leave()
	var complained string
	for ctx.Err() == nil {
		err := s.refresh(ctx)
		switch {
		case err == nil || errors.Is(err, errMoved):
			complained = ""
		case errors.Is(err, errNobodyUp): // the watchers say so
		case ctx.Err() == nil && err.Error() != complained:
			complained = err.Error()
			s.monitor.log.Warn("schemas cannot be read, reads that name a function or view go to the master", "error", err)
		}
		s.pause(ctx, err)
	}
}

// pause waits for the next look, or for a hint. After a failure, as at the
// start when no node is known to be up yet, it is short.
func (s *schemas) pause(ctx context.Context, err error) {
	interval := s.monitor.config.Load().CatalogueInterval
	if err != nil {
		interval = min(interval, suspectPause)
	}
	timer := time.NewTimer(interval)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.wake:
	case <-timer.C:
	}
}

// refresh reads the catalogue if it may have changed.
func (s *schemas) refresh(ctx context.Context) error {
	epoch, quiet := s.quiet()
	if !quiet {
		return nil // the end of the change wakes us
	}
	t := s.monitor.store.Load()
	n := source(t)
	if n == nil {
		return errNobodyUp
	}
	if err := s.connect(n); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	now, err := readCounters(ctx, s.reach.db, n.Identity)
	if err != nil {
		return fmt.Errorf("node %s: %w", n.Name, err)
	}
	fresh := s.readEpoch == epoch && s.seen.same(now) && time.Since(s.readAt) < wholeInterval
	if fresh && t.Catalogue.Known {
		return nil
	}
	begun := time.Now()
	c, err := s.read(ctx, n)
	if err != nil {
		return fmt.Errorf("node %s: %w", n.Name, err)
	}
	if err := s.publish(c, epoch); err != nil {
		return err
	}
	s.seen, s.readAt, s.readEpoch = now, begun, epoch
	return nil
}

// source chooses whom to ask: the master, where a change comes first; while it
// is down, and can change nothing, any other node that is up.
func source(t *Topology) *Node {
	if master := t.MasterNode(); master != nil && master.Health == HealthUp {
		return master
	}
	for i := range t.Nodes {
		if t.Nodes[i].Health == HealthUp {
			return &t.Nodes[i]
		}
	}
	return nil
}

// connect prepares connections to a node, if it is another than last time.
func (s *schemas) connect(n *Node) error {
	config := s.monitor.config.Load()
	if s.reach.db != nil && s.reach.name == n.Name && s.reach.addr == n.Addr && s.reach.config == config {
		return nil
	}
	s.leave()
	db, err := OpenNode(n.Addr, *config)
	if err != nil {
		return err
	}
	s.reach = reach{n.Name, n.Addr, config, db}
	return nil
}

func (s *schemas) leave() {
	if s.reach.db != nil {
		_ = s.reach.db.Close() // idle connections only
	}
	s.reach = reach{}
}

// read reads everything.
func (s *schemas) read(ctx context.Context, n *Node) (*Catalogue, error) {
	s.monitor.metrics.catalogued()
	d, err := readDefinitions(ctx, s.reach.db, n.Flavour)
	if err != nil {
		return nil, err
	}
	collations, err := readCollations(ctx, s.reach.db)
	if err != nil {
		return nil, err
	}
	unsafe := unsafeNames(d, s.monitor.config.Load().SafeFunctions)
	if n.Role != RoleMaster { // a slave may not have applied the master's last changes
		maps.Copy(unsafe, s.monitor.store.Load().Catalogue.Unsafe)
	}
	return &Catalogue{Known: true, Unsafe: unsafe, Collations: collations}, nil
}

// publish makes a catalogue the known one, unless a change began since it was
// read. Its version is a new one only if it says something new.
func (s *schemas) publish(c *Catalogue, epoch uint64) error {
	err := errMoved
	var old *Catalogue
	t := s.monitor.store.Report(func(d *ReportDraft) {
		if now, quiet := s.quiet(); !quiet || now != epoch {
			return
		}
		err, old = nil, d.Catalogue()
		c.Version = old.Version
		if c.Version == 0 || !c.equal(old) {
			c.Version++
		}
		d.SetCatalogue(c)
	})
	if err == nil && old.Version != t.Catalogue.Version {
		s.tell(c, old)
	}
	return err
}

// tell logs a catalogue that says something new. The first one has the server's
// own functions, too many to be named.
func (s *schemas) tell(c, old *Catalogue) {
	log := s.monitor.log.With("version", c.Version, "names", len(c.Unsafe))
	if old.Version > 0 {
		log = log.With("new", someNames(c.Unsafe, old.Unsafe), "gone", someNames(old.Unsafe, c.Unsafe))
	}
	log.Info("schemas read: reads that name a stored function, or a view that reaches one, go to the master")
}

// loggedNames bounds how many names one line of the log has.
const loggedNames = 5

// someNames tells for people which names of now were not there before, the
// first ones of the alphabet.
func someNames(now, before map[string]struct{}) string {
	fresh := slices.DeleteFunc(slices.Sorted(maps.Keys(now)), func(name string) bool {
		_, known := before[name]
		return known
	})
	if more := len(fresh) - loggedNames; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(fresh[:loggedNames], ", "), more)
	}
	return strings.Join(fresh, ", ")
}
