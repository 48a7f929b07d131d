package acceptance

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
)

// TestPacketsAroundSixteenMegabytes sends and gets packets whose sizes are where
// the protocol splits them, and compares every byte with a server's answer.
func TestPacketsAroundSixteenMegabytes(t *testing.T) {
	const split = 1<<24 - 1
	onEachFlavour(t, func(t *testing.T, w *world) {
		w.stage(t, "acclarge")
		for _, deprecate := range []bool{true, false} {
			how := client{deprecateEOF: deprecate, schema: true}
			straight, err := open(w.straight.Nodes[0].Addr(), how, "acclarge")
			if err != nil {
				t.Fatal(err)
			}
			defer straight.conn.Close()
			proxied, err := open(w.proxy.proxyAddr, how, "acclarge")
			if err != nil {
				t.Fatal(err)
			}
			defer proxied.conn.Close()
			for _, size := range []int{split - 1, split, split + 1, 17 << 20, 2 * split} {
				if d := compareLarge(straight, proxied, size); d != "" {
					t.Errorf("%d bytes, deprecate EOF %v:\n%s", size, deprecate, d)
				}
			}
		}
	})
}

// compareLarge sends a command of exactly size bytes, gets a row of exactly size
// bytes, and prepares with a long parameter.
func compareLarge(straight, proxied *session, size int) string {
	head, end := "\x03SELECT LENGTH('", "')"
	command := head + strings.Repeat("x", size-len(head)-len(end)) + end
	row := fmt.Sprintf("\x03SELECT REPEAT('y', %d)", size-4) // and its length in 4 bytes
	for _, payload := range []string{command, row} {
		a, errA := straight.conn.Do([]byte(payload))
		b, errB := proxied.conn.Do([]byte(payload))
		if errA != nil || errB != nil {
			return fmt.Sprintf("%.30q\n    straight: %v\n    proxy:    %v", payload, errA, errB)
		}
		if d := difference(a, b); d != "" {
			return fmt.Sprintf("%.30q\n%s", payload, d)
		}
	}
	return ""
}

// TestLoadDataLocalReadsTheClient wants the client's bytes in the table, never a
// file of the proxy's or the nodes'.
func TestLoadDataLocalReadsTheClient(t *testing.T) {
	onEachFlavour(t, func(t *testing.T, w *world) {
		s := w.stage(t, "accfile")
		c, err := open(w.proxy.proxyAddr, client{schema: true}, s.schema)
		if err != nil {
			t.Fatal(err)
		}
		defer c.conn.Close()
		asked := ""
		c.conn.Infile = func(name string) []byte {
			asked = name
			return bytes.Repeat([]byte("from the client\n"), 20000)
		}
		if _, err := ask(c.conn, "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE log (what)"); err != nil {
			t.Fatal(err)
		}
		rows, err := ask(c.conn, "SELECT COUNT(*), MIN(what), MAX(what) FROM log")
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(rows, " ", asked); got != "[[20000 from the client from the client]] /etc/passwd" {
			t.Errorf("got %s", got)
		}
	})
}

// TestAbandonedLoadDataLocal leaves in the middle of a file: nothing of it may
// be kept, and the next client must not get the rest.
func TestAbandonedLoadDataLocal(t *testing.T) {
	onEachFlavour(t, func(t *testing.T, w *world) {
		s := w.stage(t, "acchalf")
		c, err := open(w.proxy.proxyAddr, client{schema: true}, s.schema)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.conn.Send([]byte("\x03LOAD DATA LOCAL INFILE 'x' INTO TABLE log (what)")); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(200*time.Millisecond, func() { c.conn.Close() })
		c.conn.Infile = func(string) []byte { return bytes.Repeat([]byte("half a file\n"), 1<<20) }
		if answer, err := c.conn.Receive(rawclient.ComQuery); err == nil && answer.Err() == "" {
			t.Log("the whole file was sent before the client left")
		}
		other, err := open(w.proxy.proxyAddr, client{schema: true}, s.schema)
		if err != nil {
			t.Fatal(err)
		}
		defer other.conn.Close()
		if _, err := ask(other.conn, "SELECT COUNT(*) FROM log"); err != nil {
			t.Error(err)
		}
	})
}
