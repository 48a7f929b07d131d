package acceptance

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestConsistency has slaves fall behind and wants no session to notice, at
// each consistency as far as that promises it.
func TestConsistency(t *testing.T) {
	onFed(t, func(f *fed) {
		f.run(staleSchema(f.mariadb())...)
		for _, story := range []struct {
			name string
			tell func(*fed)
		}{
			{"a token carries what one session has seen to another", tokenCarries},
			{"a session that only reads does not go back", readersGoOn},
			{"global reads are linearizable", func(f *fed) { f.isLinear(hindrances[0], 700*time.Millisecond) }},
			{"global reads are linearizable with a slave held up", func(f *fed) {
				f.isLinear(hindrance{hinder: func(ctx context.Context, f *fed) { holdTable(ctx, f, "stale.r") }}, 700*time.Millisecond)
			}},
		} {
			f.Run(story.name, func(t *testing.T) {
				g := *f
				g.T = t
				story.tell(&g)
			})
		}
	})
}

// session is a connection of its own through the proxy.
func (f *fed) session() *sql.Conn {
	f.Helper()
	c, err := f.clients(1).Conn(f.Context())
	f.must(err)
	f.Cleanup(func() { c.Close() })
	return c
}

// value reads one value; exec runs a statement.
func (f *fed) value(c *sql.Conn, query string) (v string) {
	f.Helper()
	if err := c.QueryRowContext(f.Context(), query).Scan(&v); err != nil {
		f.Fatalf("%s: %v", query, err)
	}
	return v
}

func (f *fed) exec(c *sql.Conn, statement string) {
	f.Helper()
	if _, err := c.ExecContext(f.Context(), statement); err != nil {
		f.Fatalf("%s: %v", statement, err)
	}
}

// status is one line of SHOW BELLWETHER STATUS.
func (f *fed) status(c *sql.Conn, name string) (value string) {
	f.Helper()
	var got string
	f.must(c.QueryRowContext(f.Context(), "SHOW BELLWETHER STATUS LIKE '"+name+"'").Scan(&got, &value))
	if got != name {
		f.Fatalf("asked for %s, got %s", name, got)
	}
	return value
}

// everywhere waits until every slave answers a query so.
func (f *fed) everywhere(query, want string) {
	f.Helper()
	f.must(eventually(func() error {
		for _, n := range f.servers.Slaves() {
			if got, err := n.Query(f.Context(), query); err != nil || got != want {
				return fmt.Errorf("%s answers %q, %w", n.Name, got, err)
			}
		}
		return nil
	}))
}

// tokenCarries holds all slaves up, and has one session write and another one
// read, without and with the first one's token.
func tokenCarries(f *fed) {
	const query = "SELECT v FROM stale.t WHERE session = 0 AND id = 0"
	writer, reader, third := f.session(), f.session(), f.session()
	f.exec(writer, "UPDATE stale.t SET v = 1 WHERE session = 0 AND id = 0")
	f.everywhere(query, "1")
	ctx, cancel := context.WithCancel(f.Context())
	var held sync.WaitGroup
	defer held.Wait()
	defer cancel()
	ready := make(chan struct{})
	held.Go(func() { holdAll(ctx, f, "stale.t", ready) })
	<-ready
	f.exec(writer, "UPDATE stale.t SET v = 2 WHERE session = 0 AND id = 0")
	if got := f.value(reader, "/* bellwether: slave, consistency=eventual */ "+query); got != "1" {
		f.Errorf("a read that may miss everything shows %s: the slaves are not held up", got)
	}
	token := f.status(writer, "position")
	f.exec(reader, "SET bellwether_position = '"+token+"'")
	if got := f.value(reader, query); got != "2" {
		f.Errorf("with the token of who wrote 2, a read shows %s", got)
	}
	// Who has read it passes it on as well.
	f.exec(third, "SET bellwether_position = '"+f.status(reader, "position")+"'")
	if got := f.value(third, query); got != "2" {
		f.Errorf("with the token of who read 2, a read shows %s", got)
	}
	f.exec(reader, "SET bellwether_consistency = eventual")
	if got := f.value(reader, query); got != "1" {
		f.Errorf("at eventual a read shows %s, want what the slaves have", got)
	}
	f.refusesTokens(third, token)
}

// refusesTokens wants no session to wait for what nobody has.
func (f *fed) refusesTokens(c *sql.Conn, token string) {
	f.Helper()
	beyond := "0-1-99999999"
	if !f.mariadb() {
		uuid, _, _ := strings.Cut(token, ":")
		beyond = uuid + ":1-99999999"
	}
	for _, wrong := range []string{beyond, "nonsense", "12:3"} {
		_, err := c.ExecContext(f.Context(), "SET bellwether_position = '"+wrong+"'")
		if err == nil || !strings.Contains(err.Error(), "1231") {
			f.Errorf("position %s: %v, want error 1231", wrong, err)
		}
	}
}

// readersGoOn has sessions read a counter that another one turns, while one
// slave is held up.
func readersGoOn(f *fed) {
	ctx, cancel := context.WithTimeout(f.Context(), time.Second)
	defer cancel()
	var group sync.WaitGroup
	writer := f.session()
	group.Go(func() { holdUp(ctx, f) })
	group.Go(func() {
		for ctx.Err() == nil {
			if _, err := writer.ExecContext(f.Context(), "UPDATE stale.t SET v = v + 1 WHERE session = 1 AND id = 1"); err != nil {
				f.Error(err)
				return
			}
		}
	})
	for number := range 4 {
		c := f.session()
		group.Go(func() {
			last, reads := 0, 0
			for ; ctx.Err() == nil; reads++ {
				var got int
				if err := c.QueryRowContext(f.Context(), "SELECT v FROM stale.t WHERE session = 1 AND id = 1").Scan(&got); err != nil {
					f.Error(err)
					return
				}
				if got < last {
					f.Errorf("session %d has read %d, and now %d", number, last, got)
				}
				last = got
			}
			f.Logf("session %d: %d reads, up to %d", number, reads, last)
		})
	}
	group.Wait()
}
