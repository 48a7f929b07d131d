package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/admin/compose"
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// alone is the house as the admin server changes single slaves. It is safe for
// concurrent use, once the house is built.
type alone struct{ *house }

var _ admin.Slaves = alone{}

// touchedFile is where it is kept which nodes were changed by hand.
func touchedFile(stateDir string) string { return filepath.Join(stateDir, "touched.json") }

// ChangeAlone implements admin.Slaves.
func (a alone) ChangeAlone(ctx context.Context, node string, change admin.AloneChange) (admin.AloneChanged, error) {
	n, err := mayTouch(a.store.Load(), node)
	if err != nil {
		return admin.AloneChanged{NotMarked: true}, err
	}
	marked, done := false, func() {}
	defer func() { done() }()
	result, err := a.replicator.ChangeAlone(ctx, n, control.Alone{SQL: change.SQL, Args: change.Args, Mode: compose.SQLMode}, func() (err error) {
		ended, err := a.registry.Touch(node, change.What)
		if err == nil {
			marked, done = true, ended
		}
		return err
	})
	if errors.Is(err, control.ErrWritable) {
		err = fmt.Errorf("%w: %w", admin.ErrRefused, err)
	}
	changed := admin.AloneChanged{Affected: result.Affected, InsertID: result.InsertID, NotMarked: !marked}
	if result.Foreign != nil {
		changed.Warning = fmt.Sprintf("somebody else who may write through read_only did so meanwhile: only %s has %v", node, result.Foreign)
		a.log.Error("a slave was written to by others while it was open for a change by hand", "node", node, "transactions", result.Foreign.String())
	}
	if marked {
		a.log.Warn("a slave was changed by hand", "node", node, "what", change.What, "error", err)
	}
	return changed, err
}

// mayTouch is the node, if it is a slave that works and that nobody is at.
func mayTouch(t *cluster.Topology, node string) (cluster.Node, error) {
	i := t.Find(node)
	if i < 0 {
		return cluster.Node{}, fmt.Errorf("change %s alone: %w", node, cluster.ErrNoNode)
	}
	n := t.Nodes[i]
	refuse := func(why string) (cluster.Node, error) {
		return n, fmt.Errorf("%w: %s %s", admin.ErrRefused, node, why)
	}
	switch {
	case t.MasterNode() == nil:
		return n, fmt.Errorf("change %s alone: %w", node, cluster.ErrUndecided)
	case i == t.Master:
		return n, fmt.Errorf("change %s alone: %w", node, cluster.ErrIsMaster)
	case n.Health != cluster.HealthUp:
		return refuse("is " + n.Health.String())
	case n.Fenced || n.Former:
		return refuse("was the master, and is not a slave yet")
	}
	return n, nil
}

// examine is the registry's, for a slave on which nothing by hand is under way any
// more that an earlier Bellwether began: it would come behind the comparison.
func (o operations) examine(ctx context.Context, n cluster.Node) (equal func() (clear bool, err error), err error) {
	if n.Touched != "" {
		if err := o.replicator.EndLeftAlone(ctx, n); err != nil {
			return nil, err
		}
	}
	return o.registry.Examine(n.Name), nil
}
