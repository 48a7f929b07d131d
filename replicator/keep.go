package replicator

import (
	"context"
	"net"
	"strconv"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// keep attaches the slaves to the stored log and repairs them, until ctx ends.
func (r *relay) keep(ctx context.Context) error {
	return r.runKeeper(ctx, func() []control.Slave {
		return slavesOf(r.cluster.Load(), r.source(), r.stored.Executed)
	})
}

// source is where slaves find the stored log.
func (r *relay) source() control.Source {
	c := r.config
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
	if r.config.Advertise != "" {
		return r.config.Advertise
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

// runDirect keeps slaves that follow the master by themselves: with an account
// for them they are set up and repaired, without one only watched.
func (r *Replicator) runDirect(ctx context.Context) error {
	return r.runKeeper(ctx, func() []control.Slave {
		t := r.cluster.Load()
		from, ok := sourceOf(t)
		if !ok {
			return nil
		}
		account := r.config.Direct
		source := atSource(from.addr, control.Source{
			User: account.User, Password: account.Password, TLS: slaveTLS(r.config.Nodes.TLS != nil && !r.config.Nodes.TLSOptional),
			Heartbeat: r.config.Heartbeat, Workers: slaveWorkers,
		})
		slaves := slavesOf(t, source, func() *cluster.GTIDSet { return masterHas(r.cluster.Load()) })
		for i := range slaves {
			slaves[i].Observe = account.User == ""
		}
		return slaves
	})
}

// masterHas is what the master was last seen to have; nil if that is not known.
func masterHas(t *cluster.Topology) *cluster.GTIDSet {
	if m := t.MasterNode(); m != nil {
		return m.Applied
	}
	return nil
}

func (r *Replicator) runKeeper(ctx context.Context, want func() []control.Slave) error {
	k := control.NewKeeper(control.KeeperConfig{Cluster: r.config.Nodes}, want, r.log)
	r.keeper.Store(k)
	return k.Run(ctx)
}

// slavesOf are the slaves of a topology, with their source. Nobody is a slave
// before there is a recorded master; a node that was never reached has no
// identity, and is left until it has one; one in maintenance is being worked on,
// by a full copy, say, and is left alone.
func slavesOf(t *cluster.Topology, source control.Source, has func() *cluster.GTIDSet) []control.Slave {
	if t.MasterNode() == nil || t.MasterIdentity == "" {
		return nil
	}
	var slaves []control.Slave
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Role != cluster.RoleSlave || n.Maintenance || n.Identity == "" || n.Identity == t.MasterIdentity {
			continue
		}
		slaves = append(slaves, control.Slave{
			Node: control.Node{Name: n.Name, Addr: n.Addr, Identity: n.Identity}, Source: source, Has: has,
		})
	}
	return slaves
}
