//go:build chaos

package main

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// fault breaks a node for a while and mends it again.
type fault struct {
	name string
	do   func(ctx context.Context, n *playground.Node, hold time.Duration) error
}

var faults = []fault{
	{"kill", func(ctx context.Context, n *playground.Node, hold time.Duration) error {
		if err := n.Kill(); err != nil {
			return err
		}
		sleep(ctx, hold)
		return n.StartServer(ctx)
	}},
	{"pause", func(ctx context.Context, n *playground.Node, hold time.Duration) error {
		if err := n.Pause(); err != nil {
			return err
		}
		sleep(ctx, hold)
		return n.Resume()
	}},
	{"cut", func(ctx context.Context, n *playground.Node, hold time.Duration) error {
		n.Cut()
		sleep(ctx, hold)
		n.Mend()
		return nil
	}},
	{"cut one way", func(ctx context.Context, n *playground.Node, hold time.Duration) error {
		n.CutFromNode()
		sleep(ctx, hold)
		n.Mend()
		return nil
	}},
	{"reset", func(_ context.Context, n *playground.Node, _ time.Duration) error {
		n.ResetConnections()
		return nil
	}},
}

// number reads a setting of the chaos from the environment.
func number(name string, otherwise int) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		return otherwise
	}
	return n
}

// TestChaos breaks one node after another while clients write and read. A
// broken slave costs no client an error; a broken master costs errors, but no
// write that was acknowledged; and a session never misses its own write. At
// the end every node has the same rows. BELLWETHER_ROUNDS says how many faults,
// BELLWETHER_SEED which.
func TestChaos(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			servers := playground.ForTest(t, playground.Options{Flavour: flavour, Slaves: 2, Replicate: true})
			s := startServing(t, servers)
			s.bePatient(t, 10*time.Second, 2*time.Second)
			seed := uint64(number("BELLWETHER_SEED", 1))
			random := rand.New(rand.NewPCG(seed, seed))
			load := startLoad(t, s, 8)
			for round := range number("BELLWETHER_ROUNDS", 20) {
				node, f := servers.Nodes[random.IntN(len(servers.Nodes))], faults[random.IntN(len(faults))]
				hold := time.Duration(1000+random.IntN(6000)) * time.Millisecond
				t.Logf("round %d: %s of %s for %v", round+1, f.name, node.Name, hold)
				load.expectErrors(node == servers.Master)
				if err := f.do(t.Context(), node, hold); err != nil {
					t.Fatalf("%s of %s: %v", f.name, node.Name, err)
				}
				s.waitReady(t)
				load.waitServed(t)
			}
			load.stop(t)
			s.compare(t, load)
		})
	}
}

// compare wants every acknowledged row on every node, and the same rows
// everywhere. A statement whose client was cut off may still run on the master
// for a moment: what counts is where that ends.
func (s *serving) compare(t *testing.T, l *load) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		rows := s.rows(ctx, t)
		if len(slices.Compact(slices.Clone(rows))) == 1 {
			break
		}
		if sleep(ctx, 100*time.Millisecond); ctx.Err() != nil {
			t.Fatalf("the nodes have %q", rows)
		}
	}
	l.compare(ctx, t)
}

// rows says what each node has, once the slaves have caught up.
func (s *serving) rows(ctx context.Context, t *testing.T) (all []string) {
	t.Helper()
	if err := s.servers.WaitCaughtUp(ctx); err != nil {
		t.Fatal(err)
	}
	for _, node := range s.servers.Nodes {
		rows, err := node.Query(ctx, "SELECT CONCAT(COUNT(*), ' rows, sum ', SUM(CRC32(CONCAT(worker, '-', number)))) FROM chaos.written")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rows)
	}
	return all
}
