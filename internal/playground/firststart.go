package playground

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// bootstrapPath is the SQL of a node's first start; it is there from before
// the data directory until that start has succeeded.
func (n *Node) bootstrapPath() string { return filepath.Join(n.dir, "bootstrap.sql") }

// initialised says whether the node has been started with success before.
func (n *Node) initialised() bool {
	_, noData := os.Stat(n.DataDir())
	_, err := os.Stat(n.bootstrapPath())
	return noData == nil && errors.Is(err, fs.ErrNotExist)
}

// firstStart starts the node as the cluster starts. Its replication does not
// resume by itself: the addresses may be others than last time.
func (n *Node) firstStart(ctx context.Context, template string) error {
	var extra []string
	if n.options.Replicate {
		extra = append(extra, n.skipReplication())
	}
	if n.initialised() {
		return n.startServer(ctx, extra...)
	}
	if err := n.prepare(template); err != nil {
		return fmt.Errorf("prepare %s: %w", n.Name, err)
	}
	if err := n.startServer(ctx, append(extra, "--init-file="+n.bootstrapPath())...); err != nil {
		return err
	}
	return os.Remove(n.bootstrapPath())
}

func (n *Node) skipReplication() string {
	if n.install.Flavour == MariaDB {
		return "--skip-slave-start"
	}
	return "--skip-replica-start"
}

// prepare makes the node's folder afresh, its data a copy of the template.
func (n *Node) prepare(template string) error {
	if err := os.RemoveAll(n.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(n.dir, 0o700); err != nil {
		return err
	}
	script := []byte(n.record.bootstrapSQL(n.install.Flavour))
	if err := os.WriteFile(n.bootstrapPath(), script, 0o600); err != nil {
		return err
	}
	return copyTree(template, n.DataDir())
}
