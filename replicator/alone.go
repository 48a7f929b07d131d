package replicator

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// ChangeAlone has a slave carry out one statement that no other node gets, and
// that leaves nothing in its GTID set; see control.Conn.ChangeAlone. Nobody else
// acts on the node meanwhile: its keeper, which would close it, lets go of it. mark
// is called before anything is changed; it must make sure that the node is a slave
// and stays one.
func (r *Replicator) ChangeAlone(ctx context.Context, n cluster.Node, a control.Alone, mark func() error) (done control.AloneResult, err error) {
	return done, r.undisturbed(ctx, n, func(conn *control.Conn) (err error) {
		done, err = conn.ChangeAlone(ctx, a, mark)
		return err
	})
}

// EndLeftAlone ends what a Bellwether that was killed has left behind on a slave:
// see control.Conn.EndLeftAlone.
func (r *Replicator) EndLeftAlone(ctx context.Context, n cluster.Node) error {
	return r.undisturbed(ctx, n, func(conn *control.Conn) error { return conn.EndLeftAlone(ctx) })
}

// undisturbed does something on a node on which nobody else acts meanwhile.
func (r *Replicator) undisturbed(ctx context.Context, n cluster.Node, do func(*control.Conn) error) error {
	defer r.nudge() // the keeper takes it up again
	defer r.aside.take(n.Name)()
	if err := r.unkept(ctx, n.Name); err != nil {
		return fmt.Errorf("change %s alone: it is still being looked at: %w", n.Name, err)
	}
	leave, err := r.nodes.enter(ctx, n.Name)
	if err != nil {
		return fmt.Errorf("change %s alone: somebody else acts on it: %w", n.Name, err)
	}
	defer leave()
	conn, err := r.connect(ctx, sourceAt(n))
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // everything was said on it
	return do(conn)
}

func (r *Replicator) nudge() {
	if k := r.keeper.Load(); k != nil {
		k.Nudge()
	}
}

// aside are nodes that the keeper of slaves is to let go of for a moment, by name.
// Any number of goroutines; the zero value is none.
type aside struct {
	mu    sync.Mutex
	nodes map[string]int
}

// take adds one until back is called.
func (a *aside) take(name string) (back func()) {
	a.count(name, 1)
	return func() { a.count(name, -1) }
}

func (a *aside) count(name string, by int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.nodes == nil {
		a.nodes = map[string]int{}
	}
	if a.nodes[name] += by; a.nodes[name] == 0 {
		delete(a.nodes, name)
	}
}

// without are the slaves that are not aside.
func (a *aside) without(slaves []control.Slave) []control.Slave {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(slaves), func(s control.Slave) bool { return a.nodes[s.Node.Name] > 0 })
}
