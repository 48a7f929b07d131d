package replicator

import (
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// What shows who wrote it only inside a compressed transaction, or has no mark
// because it is a definition, is told as any other write; on the next master too,
// where nothing more of it can be stored.
func TestOutcomesOfOtherWrites(t *testing.T) {
	worlds(t, 1, func(w *world) {
		from, to := w.nodes.Nodes[0], w.nodes.Nodes[1]
		w.must(from.Exec(w.Context(), "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v TEXT)"))
		compressed, defines, missing, drops := w.other(from, "a"), w.other(from, "b"), w.other(from, "c"), w.other(from, "d")
		if w.nodes.Flavour == playground.MySQL {
			_, err := compressed.conn.ExecContext(w.Context(), "SET SESSION binlog_transaction_compression = ON")
			w.must(err)
		}
		w.must(compressed.run(w.Context(), "INSERT INTO shop.t VALUES (1, REPEAT('long', 5000)), (2, 'two')"))
		_, err := defines.conn.ExecContext(w.Context(), "CREATE TABLE shop.defined (id INT)")
		w.must(err)
		w.wantCommitted(compressed, true)
		w.wantCommitted(defines, false)
		w.converge()
		w.must(from.Kill())
		w.failOver(to, from)
		w.wantCommitted(compressed, true)
		w.wantCommitted(defines, false)
		for _, c := range []*client{missing, drops} {
			if o := c.end(); o.State != OutcomeNotCommitted {
				w.Errorf("what was never sent: %+v", o)
			}
		}
	})
}

// other is a client; its write is a definition unless it is the first one.
func (w *world) other(n *playground.Node, name string) *client {
	w.Helper()
	c, err := w.client(w.Context(), n, name)
	w.must(err)
	if c.write.Definition = name != "a"; c.write.Definition {
		c.write.Mark = ""
	}
	return c
}

func (w *world) wantCommitted(c *client, rows bool) {
	w.Helper()
	o := c.end()
	if o.State != OutcomeCommitted || o.GTID == (cluster.GTID{}) || (len(o.Rows) == 1) != rows {
		w.Errorf("what was committed: %+v", o)
	} else if rows && (o.Rows[0].Inserted != 2 || o.Rows[0].FirstRow == nil || o.Rows[0].FirstRow[0] != int64(1)) {
		w.Errorf("its rows: %+v", o.Rows[0])
	}
}
