package failover

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// generationsAhead is how many generations are recorded beforehand: one that
// changes nothing else is published without waiting for the disk, and after a
// crash the count goes on behind all of them.
const generationsAhead = 64

// reasonInterval bounds how often another reason alone makes a generation.
const reasonInterval = time.Second

// publish makes the state durable and then visible, if anything changed.
func (c *Controller) publish(v verdict) error {
	t := c.store.Load()
	if c.published && t.Writes == v.writes && c.rolesMatch(t, v.cut) {
		if t.WritesReason == v.reason || time.Since(c.reasonAt) < reasonInterval {
			return nil
		}
	}
	if err := c.advance(t, c.state, v); !errors.Is(err, cluster.ErrGenerationMoved) {
		return err
	}
	return nil // the next step looks again
}

// advance publishes a state, and makes it this controller's, once it is durable.
// Where it returns an error, nothing was published, and c.state is as it was.
func (c *Controller) advance(t *cluster.Topology, next State, v verdict) error {
	after, err := c.store.Advance(t.Generation, func(d *cluster.RoleDraft) error {
		if !c.published {
			d.Resume(c.state.Generation)
		}
		if err := untouched(d, &c.state, &next); err != nil {
			return err
		}
		if err := assign(d, next, v.cut); err != nil {
			return err
		}
		d.SetWrites(v.writes, v.reason)
		return c.keep(&next, d.Generation())
	})
	if err != nil {
		return fmt.Errorf("publish generation: %w", err)
	}
	c.state, c.published, c.reasonAt = next, true, time.Now()
	c.recorded.Store(&next)
	c.log.Info("generation published", "generation", after.Generation, "master", c.shownMaster(v), "writes", v.writes.String(), "reason", v.reason)
	return nil
}

func (c *Controller) shownMaster(v verdict) string {
	if v.cut {
		return ""
	}
	return c.state.Master
}

// keep makes a state durable that is to be published in a generation. What is on
// disk already is not written again.
func (c *Controller) keep(next *State, generation uint64) error {
	next.Format, next.Generation = stateFormat, c.saved.Generation
	if !c.doubtful && generation <= c.saved.Generation && reflect.DeepEqual(*next, c.saved) {
		return nil
	}
	next.Generation = generation + generationsAhead
	c.doubtful = true // a failure may have come behind the renaming
	if err := c.dir.save(*next); err != nil {
		return err
	}
	c.saved, c.doubtful = *next, false
	return nil
}

// assign gives every node its role by the state; cut leaves all without a master.
func assign(d *cluster.RoleDraft, s State, cut bool) error {
	nodes := d.Nodes()
	d.ClearMaster()
	for i := range nodes {
		n := &nodes[i]
		if err := d.SetFenced(n.Name, s.Distrusts(n.Name, n.Identity)); err != nil {
			return err
		}
		if n.Name == s.Master && !cut {
			if err := d.SetMaster(n.Name, s.Identity); err != nil {
				return err
			}
		}
	}
	return nil
}

// rolesMatch says whether the topology has the roles of the state; a node that
// the registry added has none yet.
func (c *Controller) rolesMatch(t *cluster.Topology, cut bool) bool {
	for i := range t.Nodes {
		n := &t.Nodes[i]
		role := cluster.RoleSlave
		if n.Name == c.state.Master && !cut {
			role = cluster.RoleMaster
		}
		if n.Role != role || n.Fenced != c.state.Distrusts(n.Name, n.Identity) {
			return false
		}
	}
	return t.MasterNode() == nil || t.MasterIdentity == c.state.Identity
}
