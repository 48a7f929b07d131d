package fullcopy

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// restarted waits until the target has started on its new data.
func (k *cloning) restarted(ctx context.Context) error {
	k.gauge.enter(PhaseRestart, "waits for "+k.config.Target.Name+" to start again")
	ctx, cancel := context.WithTimeoutCause(ctx, k.config.RestartWait, fmt.Errorf("the clone is complete and %s was not started within %v: start it, and sync it again: %w",
		k.config.Target.Name, k.config.RestartWait, ErrUnfit))
	defer cancel()
	for told := time.Now(); ; {
		done, err := k.complete(ctx)
		if done || err != nil {
			return err
		}
		if time.Since(told) >= cloneNudge {
			k.log.Warn("waiting for the server to be started on its cloned data", "node", k.config.Target.Name)
			told = time.Now()
		}
		if pause(ctx, clonePoll) != nil {
			return context.Cause(ctx)
		}
	}
}

// complete says whether the target runs on the cloned data. That it does not
// answer is no error. It takes over the connection.
func (k *cloning) complete(ctx context.Context) (bool, error) {
	c, err := schema.Connect(ctx, k.config.Target, k.config.Nodes)
	if err != nil {
		return false, nil
	}
	defer func() { _ = c.Close() }()
	rows, err := c.Rows(ctx, "SELECT STATE AS state, ERROR_NO AS number, ERROR_MESSAGE AS text FROM performance_schema.clone_status")
	if err != nil || len(rows) == 0 {
		return false, nil // it ends now, or has not loaded the plugin yet
	}
	switch row := rows[0]; {
	case row["state"] == "Completed" && c.Identity != k.identity:
		return false, fmt.Errorf("%s was %s and is %s: %w", k.config.Target.Name, k.identity, c.Identity, ErrDisturbed)
	case row["state"] == "Completed":
		// It says so before it ends, too; then it has no position yet but the mark.
		set, _, err := c.Executed(ctx)
		return err == nil && set.String() != markMySQL, nil
	case row["state"] == "Failed":
		return false, fmt.Errorf("CLONE failed on %s: error %s: %s: %w", k.config.Target.Name, row["number"], row["text"], ErrUnfit)
	}
	return false, nil
}

// settle makes the clone a slave of none, which runs no events: the source's are
// enabled in its data, and its own source, if it had one, is in them, too.
func (k *cloning) settle(ctx context.Context) (Result, error) {
	k.gauge.enter(PhasePosition, "")
	k.restore, k.opened = nil, false // it has started with what its option file says
	c, err := schema.Connect(ctx, k.config.Target, k.config.Nodes)
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = c.Close() }()
	if err := c.Exec(ctx, "SET GLOBAL read_only = ON, GLOBAL super_read_only = ON"); err != nil {
		return Result{}, err
	}
	if err := k.detach(ctx); err != nil {
		return Result{}, err
	}
	if err := k.silence(ctx); err != nil {
		return Result{}, err
	}
	if err := k.look(ctx, c); err != nil {
		return Result{}, err
	}
	position, err := k.cloned(ctx, c)
	return Result{Position: position}, err
}

func (k *cloning) silence(ctx context.Context) error {
	c, err := control.Connect(ctx, k.config.Target, k.config.Nodes)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return c.DisableEvents(ctx)
}

// cloned is the target's position, which holds at least that of the clone.
func (k *cloning) cloned(ctx context.Context, c *schema.Conn) (*cluster.GTIDSet, error) {
	text, err := c.Value(ctx, "SELECT GTID_EXECUTED FROM performance_schema.clone_status")
	if err != nil {
		return nil, err
	}
	want, err := cluster.ParseGTIDSet(cluster.FlavourMySQL, text)
	if err != nil {
		return nil, fmt.Errorf("read position of the clone: %w", err)
	}
	has, _, err := c.Executed(ctx)
	if err == nil && (want.IsEmpty() || !has.ContainsSet(want)) {
		err = fmt.Errorf("%s is at %v instead of %v: %w", k.config.Target.Name, has, want, ErrDisturbed)
	}
	return has, err
}

// number reads a number of a server's, 0 where it is none.
func number(text string) uint64 {
	n, _ := strconv.ParseUint(text, 10, 64)
	return n
}
