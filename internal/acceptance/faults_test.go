package acceptance

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
)

// TestLostClientsQueryIsKilled leaves in the middle of a long query, on the
// master and on a slave, and wants it gone from the nodes long before its end.
func TestLostClientsQueryIsKilled(t *testing.T) {
	onEachFlavour(t, func(t *testing.T, w *world) {
		s := w.stage(t, "acclost")
		for _, hint := range []string{"master", "slave"} {
			mark := fmt.Sprintf("lost on the %s", hint)
			c, err := open(w.proxy.proxyAddr, client{schema: true}, s.schema)
			if err != nil {
				t.Fatal(err)
			}
			sql := fmt.Sprintf("/* bellwether: %s */ SELECT SLEEP(600) AS `%s`", hint, mark)
			if err := c.conn.Send(append([]byte{rawclient.ComQuery}, sql...)); err != nil {
				t.Fatal(err)
			}
			if err := eventually(func() error { return w.running(mark, 1) }); err != nil {
				t.Fatal(err)
			}
			c.conn.Close()
			if err := eventually(func() error { return w.running(mark, 0) }); err != nil {
				t.Errorf("after its client left: %v", err)
			}
		}
	})
}

// running is an error unless want queries with the mark run on the nodes.
func (w *world) running(mark string, want int) error {
	found := 0
	for _, n := range w.cluster.Nodes {
		err := asBoss(n.Addr(), func(c *rawclient.Conn) error {
			rows, err := ask(c, "SHOW FULL PROCESSLIST")
			for _, row := range rows {
				if strings.Contains(row[7], mark) {
					found++
				}
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if found != want {
		return fmt.Errorf("%d queries %q run, want %d", found, mark, want)
	}
	return nil
}

// TestKillByTheProxysID kills queries and connections by the ids that clients
// see, which are none of the nodes'.
func TestKillByTheProxysID(t *testing.T) {
	onEachFlavour(t, func(t *testing.T, w *world) {
		s := w.stage(t, "acckill")
		killer, err := open(w.proxy.proxyAddr, client{schema: true}, s.schema)
		if err != nil {
			t.Fatal(err)
		}
		defer killer.conn.Close()
		for _, kind := range []string{"QUERY ", ""} {
			if err := killAsleep(w, killer, s.schema, kind); err != nil {
				t.Errorf("KILL %s: %v", kind, err)
			}
		}
		answer, err := killer.conn.Query("KILL 4294967290")
		if err != nil || answer[0].Code() != 1094 {
			t.Errorf("KILL of an unknown id: %v %s, want error 1094", err, answer)
		}
	})
}

func killAsleep(w *world, killer *session, schema, kind string) error {
	victim, err := open(w.proxy.proxyAddr, client{schema: true}, schema)
	if err != nil {
		return err
	}
	defer victim.conn.Close()
	mark := fmt.Sprintf("victim %d", victim.conn.ID)
	if err := victim.conn.Send([]byte(fmt.Sprintf("\x03SELECT id, SLEEP(600) AS `%s` FROM t1 WHERE id = 1", mark))); err != nil {
		return err
	}
	if err := eventually(func() error { return w.running(mark, 1) }); err != nil {
		return err
	}
	if _, err := ask(killer.conn, fmt.Sprintf("KILL %s%d", kind, victim.conn.ID)); err != nil {
		return err
	}
	if err := eventually(func() error { return w.running(mark, 0) }); err != nil {
		return err
	}
	answer, err := victim.conn.Receive(rawclient.ComQuery)
	if kind == "" {
		if _, alive := victim.conn.Query("SELECT 1"); alive == nil {
			return fmt.Errorf("the killed connection lives; its query got %v %s", err, answer)
		}
		return nil
	}
	// SLEEP may return 1 instead of failing, as it does on a server.
	if err != nil {
		return fmt.Errorf("the killed query's client got %w", err)
	}
	_, err = ask(victim.conn, "SELECT 1")
	return err
}

// TestConnectionIDIsTheGreetings wants one id from the greeting to the end,
// whatever connection serves.
func TestConnectionIDIsTheGreetings(t *testing.T) {
	onEachFlavour(t, func(t *testing.T, w *world) {
		s := w.stage(t, "accid")
		c, err := open(w.proxy.proxyAddr, client{schema: true, deprecateEOF: true}, s.schema)
		if err != nil {
			t.Fatal(err)
		}
		defer c.conn.Close()
		want := fmt.Sprint(c.conn.ID)
		for _, sql := range []string{
			"SELECT CONNECTION_ID()", "/* bellwether: slave */ SELECT CONNECTION_ID()", "select connection_id() as c", "BEGIN",
			"SELECT CONNECTION_ID()", "COMMIT", "SELECT CONNECTION_ID()",
		} { // inside an expression it is the node's own: docs/sessions.md
			rows, err := ask(c.conn, sql)
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) > 0 && rows[0][0] != want {
				t.Errorf("%s: %s, want %s", sql, rows[0][0], want)
			}
		}
	})
}

// TestFreshMetadataAfterAlter prepares, lets another client alter the table,
// and executes again.
func TestFreshMetadataAfterAlter(t *testing.T) {
	onEachFlavour(t, func(t *testing.T, w *world) {
		s := w.stage(t, "accmeta")
		c, err := open(w.proxy.proxyAddr, client{schema: true, deprecateEOF: true}, s.schema)
		if err != nil {
			t.Fatal(err)
		}
		defer c.conn.Close()
		count := func(word step) int {
			answer, err := word.run(c)
			if err != nil || answer.Err() != "" {
				t.Fatalf("%s: %v %s", word, err, answer.Err())
			}
			columns := 0
			for _, p := range answer {
				if p.Kind == rawclient.KindColumn {
					columns++
				}
			}
			return columns
		}
		prepared, before := count("!prepare h SELECT * FROM t2 ORDER BY id"), count("!execute h")
		if err := script(s.master, s.schema, []string{"USE {db}", "ALTER TABLE t2 ADD COLUMN more INT FIRST"}); err != nil {
			t.Fatal(err)
		}
		if err := s.settle(); err != nil {
			t.Fatal(err)
		}
		if after := count("!execute h"); prepared != 4 || before != 4 || after != 5 {
			t.Errorf("columns: %d prepared, %d executed, %d after ALTER, want 4, 4, 5", prepared, before, after)
		}
	})
}

// TestPreparedStatementsDoNotPileUp prepares and closes 20,000 times, and leaves
// without closing now and then, and counts what the nodes still hold.
func TestPreparedStatementsDoNotPileUp(t *testing.T) {
	const clients, each = 8, 2500
	onEachFlavour(t, func(t *testing.T, w *world) {
		w.stage(t, "accps")
		err := asClients(w, "accps", clients, func(c *session, n int) error {
			for i := range each {
				for _, s := range []step{step(fmt.Sprintf("!prepare h SELECT %d + ?, %d", i%50, n)), "!execute h i:1", "!close h"} {
					if i%10 > 0 && s == "!execute h i:1" || i == each-1 && s == "!close h" {
						continue
					}
					if answer, err := s.run(c); err != nil || answer.Err() != "" {
						return fmt.Errorf("cycle %d: %s: %w %s", i, s, err, answer.Err())
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range w.cluster.Nodes {
			if err := eventually(func() error { return fewPrepared(n.Addr()) }); err != nil {
				t.Errorf("%s: %v", n.Name, err)
			}
		}
	})
}

func fewPrepared(addr string) error {
	return asBoss(addr, func(c *rawclient.Conn) error {
		rows, err := ask(c, "SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'")
		if err != nil {
			return err
		}
		// A connection keeps up to 64 for whoever prepares the same again.
		if held, err := strconv.Atoi(rows[0][1]); err != nil || held > 64*16 {
			return fmt.Errorf("%d prepared statements are held: %w", held, err)
		}
		return nil
	})
}
