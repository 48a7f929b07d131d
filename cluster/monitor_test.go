package cluster

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// fakeNode answers probes as a test says. It is safe for concurrent use.
type fakeNode struct {
	mu     sync.Mutex
	answer observation
	slow   time.Duration
	probes int
	closed bool
}

var _ prober = (*fakeNode)(nil)

func (f *fakeNode) probe(ctx context.Context) observation {
	f.mu.Lock()
	answer, slow := f.answer, f.slow
	f.probes++
	f.mu.Unlock()
	select {
	case <-ctx.Done():
		return observation{outcome: OutcomeTimeout, err: ctx.Err()}
	case <-time.After(slow):
		return answer
	}
}

func (f *fakeNode) waits(context.Context, uint64) (string, bool, error) { return "", true, nil }

func (f *fakeNode) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

func (f *fakeNode) set(change func(*fakeNode)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeNode) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.probes
}

// lines collects a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

// watched is a running monitor over three fake nodes in fake time.
type watched struct {
	*testing.T
	store   *Store
	monitor *Monitor
	nodes   map[string]*fakeNode // by address
	log     lines
}

func fakeTime(t *testing.T, script func(*watched)) {
	synctest.Test(t, func(t *testing.T) {
		topology := three()
		for i := range topology.Nodes {
			topology.Nodes[i].Health = HealthUnknown
		}
		w := &watched{T: t, store: NewStore(topology), nodes: map[string]*fakeNode{}}
		for _, n := range topology.Nodes {
			set, err := ParseGTIDSet(FlavourMySQL, uuidA+":1-5")
			if err != nil {
				t.Fatal(err)
			}
			channels := []channel{{receiver: "Yes", applier: "Yes"}}
			w.nodes[n.Addr] = &fakeNode{slow: time.Millisecond, answer: observation{
				outcome: OutcomeAnswered, server: server{flavour: FlavourMySQL, identity: "id-" + n.Name}, applied: set, channels: channels,
			}}
		}
		w.monitor = NewMonitor(w.store, Default(), slog.New(slog.NewTextHandler(&w.log, nil)), NewMetrics(prometheus.NewRegistry()))
		w.monitor.open = func(addr string, _ Config) (prober, error) { return w.nodes[addr], nil }
		w.monitor.schemas.changing() // a change that never ends: no node is asked for its schemas here
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.monitor.Run(ctx) }()
		w.pass(time.Second)
		script(w)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func (w *watched) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *watched) node(i int) *Node { return &w.store.Load().Nodes[i] }

func TestMonitorFindsAllUp(t *testing.T) {
	fakeTime(t, func(w *watched) {
		if got := w.store.Load().Readable; len(got) != 2 || w.node(0).Health != HealthUp {
			w.Errorf("readable %v, master %v", got, w.node(0).Health)
		}
		w.pass(time.Minute)
		if n := w.log.count("\n"); n != 3 {
			w.Errorf("%d lines about three nodes that are well:\n%s", n, w.log.text.String())
		}
	})
}

func TestMonitorSeesARefusalAtOnce(t *testing.T) {
	fakeTime(t, func(w *watched) {
		w.nodes["db2:3306"].set(func(f *fakeNode) { f.answer = observation{outcome: OutcomeRefused, err: errors.New("refused")} })
		w.monitor.Observe("db2", errors.New("refused"))
		w.monitor.Observe("nobody", nil)
		w.pass(100 * time.Millisecond)
		if n := w.node(1); n.Health != HealthDown || n.Problem != "refused: refused" {
			w.Errorf("after a hint and two probes: %v, %q", n.Health, n.Problem)
		}
		if n := w.node(1); time.Since(n.Hurt) > 150*time.Millisecond || n.Failing.IsZero() {
			w.Errorf("hurt at %v, failing since %v", n.Hurt, n.Failing)
		}
		before := w.node(2).Hurt
		w.monitor.Observe("db3", net.ErrClosed)
		w.pass(time.Minute)
		if now := w.node(2).Hurt; now != before {
			w.Errorf("a connection that was closed here hurt at %v", now)
		}
		if n := w.log.count("node is down"); n != 1 {
			w.Errorf("logged %d times", n)
		}
	})
}

func TestMonitorSeesAHang(t *testing.T) {
	fakeTime(t, func(w *watched) {
		w.nodes["db3:3306"].set(func(f *fakeNode) { f.slow = time.Hour })
		w.pass(1500 * time.Millisecond)
		if n := w.node(2); n.Health != HealthDown {
			w.Errorf("a hanging node is %v", n.Health)
		}
		if n := w.node(1); n.Health != HealthUp || time.Since(n.Seen) > 400*time.Millisecond {
			w.Errorf("its neighbour is %v, seen %v ago", n.Health, time.Since(n.Seen))
		}
		w.nodes["db3:3306"].set(func(f *fakeNode) { f.slow = 0 })
		w.pass(1500 * time.Millisecond)
		if n := w.node(2); n.Health != HealthUp || !n.Readable() {
			w.Errorf("afterwards it is %v: %q", n.Health, n.Problem)
		}
	})
}

func TestMonitorMeasuresLag(t *testing.T) {
	fakeTime(t, func(w *watched) {
		ahead := mustGTID(w, FlavourMySQL, uuidA+":1-9")
		w.nodes["db1:3306"].set(func(f *fakeNode) { f.answer.applied = ahead })
		w.nodes["db2:3306"].set(func(f *fakeNode) { f.answer.applied = ahead })
		w.pass(8 * time.Second)
		if n := w.node(2); n.Late || !n.LagKnown || n.Lag < 7*time.Second || n.Lag > 8*time.Second || n.LagGTIDs != 4 {
			w.Errorf("after 8 s: %+v", n)
		}
		w.pass(3 * time.Second)
		if n := w.node(2); !n.Late || len(w.store.Load().Readable) != 1 {
			w.Errorf("after 11 s: %+v", n)
		}
		w.nodes["db3:3306"].set(func(f *fakeNode) { f.answer.applied = ahead })
		w.pass(time.Second)
		if n := w.node(2); n.Late || n.Lag != 0 || n.Problem != "" {
			w.Errorf("caught up: %+v", n)
		}
	})
}

// Bellwether starts while the master is down: the slave that has most serves.
func TestMonitorGuessesAnUnseenMaster(t *testing.T) {
	fakeTime(t, func(w *watched) {
		behind := mustGTID(w, FlavourMySQL, uuidA+":1-3")
		w.monitor.trail.note(guessed, time.Now(), nil)
		w.nodes["db1:3306"].set(func(f *fakeNode) { f.answer = observation{outcome: OutcomeRefused, err: errors.New("refused")} })
		w.nodes["db2:3306"].set(func(f *fakeNode) { f.answer.applied = behind })
		w.pass(3 * time.Second)
		if n := w.node(2); !n.Readable() || n.Lag != 0 {
			w.Errorf("the furthest slave: %+v", n)
		}
		if n := w.node(1); n.Readable() || n.LagGTIDs != 2 || n.LagKnown {
			w.Errorf("the other slave: %+v", n)
		}
	})
}

func TestMonitorReportsAnotherServer(t *testing.T) {
	fakeTime(t, func(w *watched) {
		w.nodes["db2:3306"].set(func(f *fakeNode) { f.answer.server.identity = "stranger" })
		w.pass(10 * time.Second)
		if n := w.log.count("another server answers"); n != 1 || w.node(1).Identity != "stranger" {
			w.Errorf("logged %d times, identity %q", n, w.node(1).Identity)
		}
	})
}

func TestMonitorFollowsTheRegistry(t *testing.T) {
	fakeTime(t, func(w *watched) {
		w.nodes["moved:3306"] = &fakeNode{answer: w.nodes["db2:3306"].answer}
		if _, err := w.store.Register(func(d *RegisterDraft) error {
			d.Put(Registration{Name: "db2", Addr: "moved:3306", Weight: 1})
			return d.Remove("db3")
		}); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		if n := w.node(1); n.Addr != "moved:3306" || n.Health != HealthUp || len(w.store.Load().Nodes) != 2 {
			w.Errorf("nodes %+v", w.store.Load().Nodes)
		}
		for _, addr := range []string{"db2:3306", "db3:3306"} {
			w.nodes[addr].mu.Lock()
			if !w.nodes[addr].closed {
				w.Errorf("%s is still watched", addr)
			}
			w.nodes[addr].mu.Unlock()
		}
	})
}

func TestMonitorProbesWithJitter(t *testing.T) {
	fakeTime(t, func(w *watched) {
		before := w.nodes["db1:3306"].count()
		w.pass(100 * time.Second)
		if n := w.nodes["db1:3306"].count() - before; n < 360 || n > 440 {
			w.Errorf("%d probes in 100 s of 250 ms each", n)
		}
		for range 1000 {
			w.monitor.Observe("db1", nil)
			time.Sleep(time.Millisecond)
		}
		if n := w.nodes["db1:3306"].count() - before; n > 500 {
			w.Errorf("%d probes: a storm of hints is one of probes", n)
		}
	})
}

func TestCatalogueUnknownWhileChanging(t *testing.T) {
	fakeTime(t, func(w *watched) {
		w.store.Report(func(d *ReportDraft) { d.SetCatalogue(&Catalogue{Known: true, Version: 7}) })
		done := w.monitor.CatalogueChanging()
		if c := w.store.Load().Catalogue; c.Known || c.Version != 7 {
			w.Errorf("while changing: %+v", c)
		}
		epoch, _ := w.monitor.schemas.quiet()
		if err := w.monitor.schemas.publish(&Catalogue{Known: true}, epoch); !errors.Is(err, errMoved) {
			w.Errorf("published during a change: %v", err)
		}
		done()
		done()
		if _, quiet := w.monitor.schemas.quiet(); quiet {
			w.Error("an end that came twice counts twice")
		}
	})
}
