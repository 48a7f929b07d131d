package acceptance

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
)

// TestShareOfReads counts in the general logs that with 5 % of writes at least
// 90 % of the plain reads run on slaves, and on both of them.
func TestShareOfReads(t *testing.T) {
	const clients, each = 8, 500
	onEachFlavour(t, func(t *testing.T, w *world) {
		w.stage(t, "accshare")
		logs := w.recordGeneralLogs(t)
		mark := fmt.Sprintf("<plain read %d>", time.Now().UnixNano())
		err := asClients(w, "accshare", clients, func(c *session, n int) error {
			return mixedLoad(c, n, each, mark)
		})
		if err != nil {
			t.Fatal(err)
		}
		seen, err := logs.settled()
		if err != nil {
			t.Fatal(err)
		}
		master, first, second := seen[0].count(mark, false), seen[1].count(mark, false), seen[2].count(mark, false)
		all := master + first + second
		t.Logf("plain reads: %d on the master, %d and %d on the slaves", master, first, second)
		if all < clients*each*9/10 {
			t.Errorf("%d plain reads seen, sent about %d", all, clients*each*19/20)
		}
		if (first+second)*10 < all*9 {
			t.Errorf("%d of %d plain reads ran on slaves, want 90 %%", first+second, all)
		}
		if min(first, second)*5 < all {
			t.Errorf("the slaves share %d to %d, want each at least a fifth", first, second)
		}
	})
}

// mixedLoad does 5 % writes and 95 % plain reads.
func mixedLoad(c *session, client, each int, mark string) error {
	for i := range each {
		sql := fmt.Sprintf("SELECT b FROM t1 WHERE id = %d /* %s */", 1+i%5, mark)
		if i%20 == client {
			sql = fmt.Sprintf("INSERT INTO log (what) VALUES ('share %d')", i)
		}
		answer, err := c.conn.Query(sql)
		if err != nil || answer.Err() != "" {
			return fmt.Errorf("run %q: %w %s", sql, err, answer.Err())
		}
	}
	return nil
}

// asClients runs work as n clients of the proxy at once.
func asClients(w *world, schema string, n int, work func(c *session, client int) error) error {
	var group errgroup.Group
	for i := range n {
		group.Go(func() error {
			c, err := open(w.proxy.proxyAddr, client{schema: true, deprecateEOF: true, sessionTrack: i%2 == 0, multi: true}, schema)
			if err != nil {
				return fmt.Errorf("connect client %d: %w", i, err)
			}
			defer c.conn.Close()
			if err := work(c, i); err != nil {
				return fmt.Errorf("client %d: %w", i, err)
			}
			return c.conn.Quit()
		})
	}
	return group.Wait()
}

// TestOwnWritesAreRead writes and reads back at once, thousands of times and in
// several ways, and wants every read to see its own session's last write.
func TestOwnWritesAreRead(t *testing.T) {
	const clients, rounds = 8, 400
	onEachFlavour(t, func(t *testing.T, w *world) {
		s := w.stage(t, "accown")
		setup := []string{"USE {db}", "CREATE TABLE own (id INT PRIMARY KEY, n INT)"}
		for i := range clients {
			setup = append(setup, fmt.Sprintf("INSERT INTO own VALUES (%d, -1)", i))
		}
		if err := script(s.master, s.schema, setup); err != nil {
			t.Fatal(err)
		}
		if err := s.settle(); err != nil {
			t.Fatal(err)
		}
		err := asClients(w, "accown", clients, func(c *session, n int) error {
			for round := range rounds {
				if err := writeAndRead(c, n, round); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// TestReadersDoNotGoBack has sessions only read, while others write and one
// slave is held up, with slaves that replicate from the master by themselves.
func TestReadersDoNotGoBack(t *testing.T) {
	onEachFlavour(t, func(t *testing.T, w *world) {
		f := &fed{T: t, servers: w.cluster, proxy: w.proxy, proxyAddr: w.proxy.proxyAddr}
		f.run(staleSchema(f.mariadb())...)
		f.everywhere("SELECT COUNT(*) FROM stale.t", fmt.Sprint(staleSessions*staleKeys))
		readersGoOn(f)
		f.run("DROP DATABASE stale")
	})
}

// writeAndRead counts a row up in one of several ways and reads it back.
func writeAndRead(c *session, id, round int) error {
	update := fmt.Sprintf("UPDATE own SET n = %d WHERE id = %d", round, id)
	ways := [][]string{
		{update},
		{"BEGIN", update, "COMMIT"},
		{"SET autocommit = 0", update, "COMMIT", "SET autocommit = 1"},
		{fmt.Sprintf("REPLACE INTO own VALUES (%d, %d)", id, round)},
		{"SELECT 1; " + update},
		{"PREPARE s FROM '" + update + "'", "EXECUTE s", "DEALLOCATE PREPARE s"},
		{fmt.Sprintf("!prepare h UPDATE own SET n = ? WHERE id = %d", id), fmt.Sprintf("!execute h i:%d", round), "!close h"},
	}
	for _, s := range ways[round%len(ways)] {
		answer, err := step(s).run(c)
		if err != nil || answer.Err() != "" {
			return fmt.Errorf("run %q: %w %s", s, err, answer.Err())
		}
	}
	return readBack(c, id, round)
}

func readBack(c *session, id, round int) error {
	answer, err := c.conn.Query(fmt.Sprintf("SELECT n FROM own WHERE id = %d", id))
	if err != nil || answer.Err() != "" {
		return fmt.Errorf("read back: %w %s", err, answer.Err())
	}
	if got := answer.Rows(); len(got) != 1 || got[0][0] != fmt.Sprint(round) {
		return fmt.Errorf("stale read in round %d: got %v", round, got)
	}
	return nil
}

// ask asks and returns the rows; an error packet is an error.
func ask(c *rawclient.Conn, sql string) ([][]string, error) {
	answer, err := c.Query(sql)
	if err != nil {
		return nil, fmt.Errorf("run %q: %w", clipped(sql, 80), err)
	}
	if answer.Err() != "" {
		return nil, fmt.Errorf("run %q: %s", clipped(sql, 80), answer.Err())
	}
	return answer.Rows(), nil
}

// patience bounds every wait of these tests. It is no claim: a machine that
// runs other tests as well may need some of it.
const patience = time.Minute

// eventually tries until it succeeds or the patience is over.
func eventually(try func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %v: %w", patience, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
