package main

import (
	"context"
	"slices"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// What the Bellwether that runs does before and behind a copy, sync does by files
// where none runs, while nobody else acts on the nodes.

// endLeft ends what a Bellwether that was killed has left behind on a slave: it
// would come behind the copy.
func (f *fleet) endLeft(ctx context.Context, slave control.Node) error {
	conn, err := control.Connect(ctx, slave, f.nodes)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // everything was said on it
	return conn.EndLeftAlone(ctx)
}

// giveBack has the next Bellwether use a slave that is a copy now: it is not changed
// by hand any more, nor in maintenance where only a copy that broke off had put it
// there.
func (f *fleet) giveBack(node string) error {
	if err := cluster.Untouch(touchedFile(f.stateDir), node); err != nil {
		return err
	}
	return copyingIn(f.stateDir).change(func(nodes []string) ([]string, error) {
		if !slices.Contains(nodes, node) || f.inMaintenance(node) { // that is the file's wish
			return without(nodes, node), nil
		}
		return without(nodes, node), cluster.EndMaintenance(wishesFile(f.stateDir), f.nodes, node)
	})
}
