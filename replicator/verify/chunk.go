package verify

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// The sizes of chunks in rows.
const (
	firstRows  = 1000
	fewestRows = 100
	mostRows   = 200_000
	// provenRows is the largest chunk that is locked, tables without a key aside.
	provenRows = 1000
	// lockedRows is how many rows of a table without a key are locked at most.
	lockedRows = 100_000
)

const (
	looks        = 2 // without a lock
	settleRounds = 5
)

// chunk is a range of a table. It is a value.
type chunk struct {
	table *schema.Table
	schema.Range
	why string // it could not be settled
}

// String says where the chunk is.
func (c chunk) String() string {
	if c.Whole() {
		return "table " + c.table.String()
	}
	return fmt.Sprintf("table %v, rows behind %v up to %v", c.table, c.After, c.UpTo)
}

// digest is what is compared of a chunk.
type digest struct{ n, sum string }

func (d digest) rows() uint64 {
	n, _ := strconv.ParseUint(d.n, 10, 64) // COUNT(*)
	return n
}

// table compares a table chunk by chunk.
func (v *Verification) table(ctx context.Context, t *schema.Table) error {
	c := chunk{table: t}
	for more := true; more; c.After = c.UpTo {
		next, err := t.Next(ctx, v.master, schema.Range{After: c.After}, v.rows)
		if err != nil {
			return v.postpone(c, err)
		}
		c.UpTo, more = next, next != nil
		begun := time.Now()
		n, err := v.compare(ctx, c)
		if err != nil {
			return err
		}
		v.report.Chunks++
		v.report.Rows += n
		v.gauge.change(func(p *Progress) { p.Rows += n })
		spent := time.Since(begun)
		v.adapt(spent)
		if err := pause(ctx, spent); err != nil {
			return err
		}
	}
	return nil
}

// adapt sizes the next chunk by how long one took.
func (v *Verification) adapt(spent time.Duration) {
	factor := float64(v.config.ChunkTime) / float64(max(spent, time.Microsecond))
	v.rows = int(float64(v.rows) * min(max(factor, 0.5), 2))
	v.rows = min(max(v.rows, fewestRows), mostRows)
}

// compare settles a chunk, and returns how many rows it has.
func (v *Verification) compare(ctx context.Context, c chunk) (n uint64, err error) {
	for look := range looks {
		equal, master, err := v.look(ctx, c)
		if err != nil {
			return n, v.postpone(c, err)
		}
		n = master.rows()
		if equal {
			return n, nil
		}
		if look == 0 {
			v.report.Rechecked++
		}
	}
	if len(c.table.Key) > 0 && n > provenRows {
		return n, v.split(ctx, c)
	}
	return n, v.prove(ctx, c)
}

// look compares a chunk without a lock.
func (v *Verification) look(ctx context.Context, c chunk) (equal bool, master digest, err error) {
	if master, err = v.digest(ctx, v.master, c, ""); err != nil {
		return false, master, err
	}
	if err := v.catchUp(ctx, v.config.Patience); err != nil {
		return false, master, err
	}
	slave, err := v.digest(ctx, v.slave, c, "")
	return master == slave, master, err
}

func (v *Verification) digest(ctx context.Context, conn *schema.Conn, c chunk, locking string) (digest, error) {
	rows, err := conn.Rows(ctx, c.table.Digest(c.Range)+locking)
	if err != nil || len(rows) == 0 {
		return digest{}, err
	}
	return digest{rows[0]["n"], rows[0]["sum"]}, nil
}

// postpone keeps a chunk for later if its error is one that passes, such as a
// table that is altered meanwhile. A slave that does not catch up though it had
// all its time ends the verification.
func (v *Verification) postpone(c chunk, err error) error {
	if !passing(err) {
		return err
	}
	c.why = err.Error()
	v.again = append(v.again, c)
	return nil
}

// split compares the parts of a chunk.
func (v *Verification) split(ctx context.Context, c chunk) error {
	for part := c; ; part.After = part.UpTo {
		next, err := c.table.Next(ctx, v.master, schema.Range{After: part.After, UpTo: c.UpTo}, provenRows/2)
		if err != nil {
			part.UpTo = c.UpTo
			return v.postpone(part, err)
		}
		if part.UpTo = next; next == nil {
			part.UpTo = c.UpTo
		}
		if err := v.compareSmall(ctx, part); err != nil || next == nil {
			return err
		}
	}
}

// compareSmall is compare for what is small enough to be locked.
func (v *Verification) compareSmall(ctx context.Context, c chunk) error {
	equal, _, err := v.look(ctx, c)
	switch {
	case err != nil:
		return v.postpone(c, err)
	case equal:
		return nil
	}
	return v.prove(ctx, c)
}
