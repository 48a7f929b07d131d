package replicator

import (
	"context"
	"net"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// source is where slaves find the stored log.
func (r *relay) source() control.Source {
	c := r.settings()
	return atSource(r.address(), control.Source{
		User: r.id.User, Password: r.id.Password, TLS: slaveTLS(c.TLS != nil), Heartbeat: c.Heartbeat, Workers: slaveWorkers,
	})
}

// slaveWorkers is how many appliers a slave has at least.
const slaveWorkers = 4

func slaveTLS(offered bool) control.TLSMode {
	if offered {
		return control.TLSAny
	}
	return control.TLSOff
}

// address is the host:port that slaves are told.
func (r *relay) address() string {
	if r.settings().Advertise != "" {
		return r.settings().Advertise
	}
	return r.server.Addr().String()
}

// atSource fills in the address, host:port.
func atSource(addr string, s control.Source) control.Source {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return s // a source without a host is refused, with the reason
	}
	s.Host = host
	s.Port, _ = strconv.Atoi(port) // of an address that was checked
	return s
}

// runDirect keeps slaves that follow the master by themselves, until ctx ends or
// another feed is wanted: with an account for them they are set up and repaired,
// without one only watched. What an earlier feed has left waiting goes on first.
func (r *Replicator) runDirect(ctx context.Context) error {
	return r.whileWanted(ctx, FeedDirect, func(ctx context.Context) error {
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error {
			r.asynchronous(ctx)
			return nil
		})
		group.Go(func() error { return r.runKeeper(ctx, r.directSlaves, nil) })
		group.Go(func() error { return r.watchEvents(ctx) })
		return group.Wait()
	})
}

// directSlaves are the slaves, with the master as their source.
func (r *Replicator) directSlaves() []control.Slave {
	t, c := r.cluster.Load(), r.settings()
	from, ok := r.sourceOf(t)
	if !ok {
		return nil
	}
	source := atSource(from.addr, control.Source{
		User: c.Direct.User, Password: c.Direct.Password, TLS: slaveTLS(c.Nodes.TLS != nil && !c.Nodes.TLSOptional),
		Heartbeat: c.Heartbeat, Workers: directWorkers(t),
	})
	slaves := slavesOf(t, source, func() *cluster.GTIDSet { return masterHas(r.cluster.Load()) })
	for i := range slaves {
		slaves[i].Observe, slaves[i].HasNow = c.Direct.User == "", r.masterNow
	}
	return slaves
}

// directWorkers is slaveWorkers where the master feeds the slaves. A MariaDB that
// applies in parallel then says too early what it has (see unsettles in proxy), so
// it does only where its owner has it do so.
func directWorkers(t *cluster.Topology) int {
	if m := t.MasterNode(); m != nil && m.Flavour == cluster.FlavourMariaDB {
		return 0
	}
	return slaveWorkers
}

// masterHas is what the master was last seen to have; nil if that is not known.
func masterHas(t *cluster.Topology) *cluster.GTIDSet {
	if m := t.MasterNode(); m != nil {
		return m.Applied
	}
	return nil
}

// masterNow is what the master has at this moment, nil if it does not say.
func (r *Replicator) masterNow(ctx context.Context) (has *cluster.GTIDSet) {
	from, ok := r.sourceOf(r.cluster.Load())
	if !ok {
		return nil
	}
	if err := r.order(ctx, from, func(ctx context.Context, c *control.Conn) error {
		s, err := c.Status(ctx)
		has = s.Current
		return err
	}); err != nil {
		return nil
	}
	return has
}

// runKeeper keeps the slaves that want returns until ctx ends; in turns, unless
// those are nil.
func (r *Replicator) runKeeper(ctx context.Context, want func() []control.Slave, order *turns) error {
	var k *control.Keeper
	k = control.NewKeeper(control.KeeperConfig{Cluster: r.settings().Nodes}, func() []control.Slave {
		if order == nil {
			return r.aside.without(want())
		}
		return r.aside.without(order.order(want(), k.Report(), time.Now()))
	}, r.log)
	r.keeper.Store(k)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return k.Run(ctx) })
	if order != nil {
		group.Go(func() error {
			order.hurry(ctx, k)
			return nil
		})
	}
	return group.Wait()
}

// slavesOf are the slaves of a topology, with their source. Nobody is a slave
// before there is a recorded master; a node that was never reached has no
// identity, and is left until it has one; one in maintenance is being worked on,
// by a full copy, say, and is left alone; one that is fenced was the master and
// is not ready to be anything else.
func slavesOf(t *cluster.Topology, source control.Source, has func() *cluster.GTIDSet) []control.Slave {
	if t.MasterNode() == nil || t.MasterIdentity == "" {
		return nil
	}
	var slaves []control.Slave
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Role != cluster.RoleSlave || n.Maintenance || n.Fenced || n.Identity == "" || n.Identity == t.MasterIdentity {
			continue
		}
		slaves = append(slaves, control.Slave{
			Node: control.Node{Name: n.Name, Addr: n.Addr, Identity: n.Identity}, Source: source, Has: has,
		})
	}
	return slaves
}

// still are those of some slaves that are to be kept while there is no master:
// they go on being fed. Who was the master is none of them.
func still(slaves []control.Slave, t *cluster.Topology) []control.Slave {
	var out []control.Slave
	for _, s := range slaves {
		i := t.Find(s.Node.Name)
		if i < 0 {
			continue
		}
		if n := &t.Nodes[i]; n.Role == cluster.RoleSlave && !n.Maintenance && !n.Fenced && n.Identity == s.Node.Identity && n.Addr == s.Node.Addr {
			out = append(out, s)
		}
	}
	return out
}
