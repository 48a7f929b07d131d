package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/running"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/terminal"
	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/replicator"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// adoption is one change of the feed. It belongs to one goroutine.
type adoption struct {
	config *config.File
	fleet  *fleet
	caller running.Bellwether
	feed   replicator.Feed
	nodes  []member // the master first
	// released says that no commits wait for the stored log when it begins.
	released bool
}

// member is a node and what it shows. It is a value.
type member struct {
	cluster.NodeConfig
	look control.Look
	err  error // why it could not be looked at
}

func newAdoption(path string, feed replicator.Feed) (*adoption, error) {
	a := &adoption{feed: feed}
	var err error
	if a.config, err = config.Load(path); err != nil {
		return nil, err
	}
	if a.fleet, err = loadFleet(path); err != nil {
		return nil, err
	}
	if a.caller, err = running.Of(a.config); err != nil {
		return nil, err
	}
	if a.released, err = replicator.Released(a.config.ReplicatorConfig()); err != nil {
		return nil, err
	}
	for _, n := range a.fleet.nodes.Nodes {
		if n.Name == a.fleet.master.Name {
			a.nodes = append([]member{{NodeConfig: n}}, a.nodes...)
			continue
		}
		a.nodes = append(a.nodes, member{NodeConfig: n})
	}
	return a, nil
}

// examine looks at every node, prints what will change, and is terminal.ErrTold where
// something is not right.
func (a *adoption) examine(ctx context.Context, out io.Writer) error {
	a.lookAtAll(ctx)
	reports := a.judge()
	sound := true
	for i := range reports {
		reports[i].print(out)
		sound = sound && len(reports[i].problems) == 0
	}
	if !sound {
		fmt.Fprintln(out, "\nNothing was changed: see the problems above.")
		return terminal.ErrTold
	}
	return nil
}

// lookAtAll looks at the slaves and then at the master, which has everything by
// then that they had.
func (a *adoption) lookAtAll(ctx context.Context) {
	group := errgroup.Group{}
	for i := range a.nodes[1:] {
		group.Go(func() error {
			a.look(ctx, &a.nodes[1+i])
			return nil
		})
	}
	_ = group.Wait() // each keeps its own
	a.look(ctx, &a.nodes[0])
}

func (a *adoption) look(ctx context.Context, m *member) {
	m.err = a.with(ctx, m.NodeConfig, func(ctx context.Context, c *control.Conn) (err error) {
		m.look, err = c.Look(ctx, a.account())
		return err
	})
}

// account is what has to be on the nodes for slaves to log in with.
func (a *adoption) account() cluster.Account {
	if a.feed == replicator.FeedRelay {
		return cluster.Account{}
	}
	return a.config.ReplicatorConfig().Direct
}

// lookTimeout bounds the look at one node.
const lookTimeout = 20 * time.Second

// with does something on a connection to a node; the master has to be the one
// that is recorded.
func (a *adoption) with(ctx context.Context, n cluster.NodeConfig, do func(context.Context, *control.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	node := control.Node{Name: n.Name, Addr: n.Addr}
	if n.Name == a.fleet.master.Name {
		node = a.fleet.master
	}
	conn, err := control.Connect(ctx, node, a.fleet.nodes)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // everything was said on it
	if c := a.config.ReplicatorConfig(); c.Policy == replicator.PolicyDegrade {
		conn.AckWithin(c.DegradeAfter)
	}
	return do(ctx, conn)
}
