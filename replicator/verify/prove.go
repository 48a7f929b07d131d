package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// prove settles a chunk under a lock.
func (v *Verification) prove(ctx context.Context, c chunk) error {
	if c.table.Transactional() && len(c.table.Key) == 0 {
		n, err := v.digest(ctx, v.master, c, "")
		if err != nil {
			return v.postpone(c, err)
		}
		if n.rows() > lockedRows {
			v.report.Undecided = append(v.report.Undecided, fmt.Sprintf(
				"%v: it differs at every look, has no primary key, and its %s rows are too many to lock; look again when it is not written to", c, n.n))
			return nil
		}
	}
	v.report.Locked++
	differences, err := v.underLock(ctx, c)
	if errors.Is(err, ErrBehind) {
		c.why = err.Error()
		v.again = append(v.again, c)
		return nil
	}
	if err != nil {
		return v.postpone(c, err)
	}
	for _, d := range differences {
		v.found(d)
	}
	return nil
}

// underLock compares a chunk that nobody can change meanwhile.
func (v *Verification) underLock(ctx context.Context, c chunk) (out []Difference, err error) {
	locking, lock, unlock := schema.Locking, "START TRANSACTION", "ROLLBACK"
	if !c.table.Transactional() {
		locking, lock, unlock = "", "LOCK TABLES "+c.table.Path()+" READ", "UNLOCK TABLES"
	}
	if err := v.locker.Exec(ctx, lock); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, v.locker.Exec(context.WithoutCancel(ctx), unlock)) }()
	master, err := v.digest(ctx, v.locker, c, locking)
	if err != nil {
		return nil, err
	}
	// A commit frees its rows a moment before its GTID is among the executed
	// ones, so that one look at the position could miss it.
	for range looks {
		if err := v.catchUp(ctx, v.config.LockTime); err != nil {
			return nil, err
		}
		slave, err := v.digest(ctx, v.slave, c, "")
		if err != nil || master == slave {
			return nil, err
		}
		if err := pause(ctx, v.config.LockTime/100); err != nil {
			return nil, err
		}
	}
	return v.name(ctx, c, locking)
}

// name finds the rows that differ in a locked chunk.
func (v *Verification) name(ctx context.Context, c chunk, locking string) ([]Difference, error) {
	what := c.table.Definition().String()
	if len(c.table.Key) == 0 {
		return v.count(ctx, c, what, locking)
	}
	master, err := v.rowwise(ctx, v.locker, c, locking)
	if err != nil {
		return nil, err
	}
	slave, err := v.rowwise(ctx, v.slave, c, "")
	if err != nil {
		return nil, err
	}
	all := diff(what, master, slave)
	if len(all) <= v.config.MostKeys {
		return all, nil
	}
	out := all[:v.config.MostKeys]
	out[len(out)-1].Detail = fmt.Sprintf("and %d more rows of the chunk", len(all)-len(out))
	return out, nil
}

// diff compares rows by key, in the order of the keys' text.
func diff(what string, master, slave map[string]string) (out []Difference) {
	keys := maps.Clone(master)
	maps.Copy(keys, slave)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		m, onMaster := master[key]
		s, onSlave := slave[key]
		switch {
		case !onSlave:
			out = append(out, Difference{Kind: KindMissing, What: what, Row: key})
		case !onMaster:
			out = append(out, Difference{Kind: KindExtra, What: what, Row: key})
		case m != s:
			out = append(out, Difference{Kind: KindDifferent, What: what, Row: key})
		}
	}
	return out
}

// rowwise is the digest of each row by its key.
func (v *Verification) rowwise(ctx context.Context, conn *schema.Conn, c chunk, locking string) (map[string]string, error) {
	rows, err := conn.Rows(ctx, c.table.Rowwise(c.Range)+locking)
	out := make(map[string]string, len(rows))
	for _, row := range rows {
		out[c.table.KeyText(row)] = row["sum"]
	}
	return out, err
}

// count says of a table without a key what can be said.
func (v *Verification) count(ctx context.Context, c chunk, what, locking string) ([]Difference, error) {
	master, err := v.digest(ctx, v.locker, c, locking)
	if err != nil {
		return nil, err
	}
	slave, err := v.digest(ctx, v.slave, c, "")
	if err != nil {
		return nil, err
	}
	return []Difference{{Kind: KindDifferent, What: what, Detail: fmt.Sprintf(
		"%s rows on the master, %s on the slave; without a primary key they cannot be named", master.n, slave.n)}}, nil
}
