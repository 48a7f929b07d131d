package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/failover"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// TestFailover: a master that is killed is replaced within seconds, a switchover
// makes another one, and every write that was acknowledged is on the last master,
// once.
func TestFailover(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			servers := playground.ForTest(t, playground.Options{Flavour: flavour, Slaves: 2, Replicate: true, Relaxed: true})
			s := startServingAs(t, servers, demoOptions{proxy: "127.0.0.1:0", admin: "127.0.0.1:0", feed: "relay"})
			w := startWriters(t, s)
			w.progress()
			old := s.master()
			if err := servers.Node(old).Kill(); err != nil {
				t.Fatal(err)
			}
			s.awaitMaster(t, func(name string) bool { return name != old })
			w.progress()
			if err := servers.Node(old).StartServer(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.switchOver(t, old)
			w.progress()
			w.stop()
			for _, i := range s.house.controller.Incidents() {
				t.Logf("%s of %s: %v, writes waited for %v", i.Kind, i.From, i.Outcome, i.Held.Round(time.Millisecond))
			}
			w.check()
			s.checkOneWritable(t)
			s.checkMeasured(t)
			s.checkMasterDiesUnseen(t)
		})
	}
}

// checkMasterDiesUnseen: the master is dead when Bellwether comes back.
func (s *serving) checkMasterDiesUnseen(t *testing.T) {
	s.waitReady(t)
	old := s.master()
	s.stop()
	<-s.ended
	if err := s.servers.Node(old).Kill(); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(s.house.config.Path())
	if err != nil {
		t.Fatal(err)
	}
	h, err := build(c, slog.New(slog.NewTextHandler(t.Output(), nil)), new(slog.LevelVar))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	again := &serving{servers: s.servers, house: h, stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(again.ended)
		if err := h.run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	}()
	t.Cleanup(func() { stop(); <-again.ended })
	again.awaitMaster(t, func(name string) bool { return name != old })
}

// switchOver makes a node the master again that has just come back, as soon as it
// can be.
func (s *serving) switchOver(t *testing.T, to string) {
	t.Helper()
	for begun := time.Now(); ; sleep(t.Context(), 50*time.Millisecond) {
		i, err := s.house.controller.Switchover(t.Context(), failover.Order{To: to})
		undone := errors.Is(err, failover.ErrRefused) || i.Outcome == failover.OutcomeUndone // a busy machine may be too slow for a step
		switch {
		case undone && time.Since(begun) < time.Minute:
			continue
		case err != nil || i.To != to || s.master() != to:
			t.Fatalf("switched over to %s: %v", s.master(), err)
		}
		t.Logf("back and the master %v after its start: %v", time.Since(begun).Round(time.Millisecond), i.Story())
		return
	}
}

// master is the published master's name, "" for none.
func (s *serving) master() string {
	if m := s.house.store.Load().MasterNode(); m != nil {
		return m.Name
	}
	return ""
}

// awaitMaster waits until a master is open that is as wanted.
func (s *serving) awaitMaster(t *testing.T, wanted func(string) bool) {
	t.Helper()
	for begun := time.Now(); ; sleep(t.Context(), time.Millisecond) {
		now := s.house.store.Load()
		if m := now.MasterNode(); m != nil && wanted(m.Name) && now.Writes == cluster.WritesOpen {
			t.Logf("%s is the master after %v", m.Name, time.Since(begun).Round(time.Millisecond))
			return
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("no such master: %s; %v", unready(now), s.house.controller.Problems())
		}
	}
}

// checkOneWritable asks the nodes themselves.
func (s *serving) checkOneWritable(t *testing.T) {
	t.Helper()
	for _, n := range s.servers.Nodes {
		got, err := n.Query(t.Context(), "SELECT @@global.read_only")
		if want := map[bool]string{true: "0", false: "1"}[n.Name == s.master()]; err != nil || got != want {
			t.Errorf("%s: read_only %s, want %s: %v", n.Name, got, want, err)
		}
	}
}

// numberWriters insert numbers of their own, and keep which were acknowledged.
type numberWriters struct {
	*testing.T
	db    *sql.DB
	end   context.CancelFunc
	group sync.WaitGroup

	mu    sync.Mutex
	acked []int
	gap   time.Duration // the longest time without an acknowledged write
	last  time.Time
}

func startWriters(t *testing.T, s *serving) *numberWriters {
	w := &numberWriters{T: t, db: s.open(t), last: time.Now()}
	execAll(t, session(t, w.db), "CREATE DATABASE shop", "CREATE TABLE shop.n (id INT PRIMARY KEY)")
	ctx, end := context.WithCancel(t.Context())
	w.end = end
	t.Cleanup(w.stop)
	for number := range 4 {
		w.group.Go(func() {
			for id := number; ctx.Err() == nil; id += 4 {
				_, err := w.db.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO shop.n VALUES (%d)", id))
				if err != nil {
					t.Errorf("insert %d: %v", id, err)
					return
				}
				w.ack(id)
				sleep(ctx, 2*time.Millisecond)
			}
		})
	}
	return w
}

func (w *numberWriters) ack(id int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acked = append(w.acked, id)
	w.gap, w.last = max(w.gap, time.Since(w.last)), time.Now()
}

func (w *numberWriters) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// progress waits for a few more writes.
func (w *numberWriters) progress() {
	w.Helper()
	deadline := time.Now().Add(time.Minute)
	for want := w.count() + 100; w.count() < want; sleep(w.Context(), time.Millisecond) {
		if time.Now().After(deadline) || w.Failed() {
			w.Fatalf("%d writes, wanted %d", w.count(), want)
		}
	}
}

func (w *numberWriters) stop() { w.end(); w.group.Wait() }

// check wants every acknowledged write to be there once, and no other.
func (w *numberWriters) check() {
	w.Helper()
	rows, err := w.db.QueryContext(w.Context(), "SELECT id FROM shop.n FOR UPDATE")
	if err != nil {
		w.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // its error comes with Err
	var there []int
	for rows.Next() {
		var id int
		if err := rows.Scan(&id); err != nil {
			w.Fatal(err)
		}
		there = append(there, id)
	}
	slices.Sort(there)
	slices.Sort(w.acked)
	if rows.Err() != nil || !slices.Equal(there, w.acked) {
		w.Errorf("%d are there, %d were acknowledged, %v", len(there), len(w.acked), rows.Err())
	}
	w.Logf("%d writes, at most %v without one", len(there), w.gap.Round(time.Millisecond))
}
