package acceptance

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// hindrance is something that keeps slaves behind.
type hindrance struct {
	name      string
	readsEach int     // reads that follow a write
	least     float64 // share of reads that slaves must serve
	// hinder keeps the slaves behind until ctx ends, and then lets them go on.
	hinder func(ctx context.Context, f *fed)
}

// hindrances are those of every test of what reads may not miss; immutable.
var hindrances = []hindrance{
	{"none", 19, 0.9, func(ctx context.Context, _ *fed) { <-ctx.Done() }},
	{"one applier held up", 4, 0.5, holdUp},
	{"appliers stutter", 19, 0.8, stutter},
	{"appliers stopped", 4, 0, stopAppliers},
	{"appliers delayed", 4, 0, delay},
	{"appliers saturated", 4, 0, saturate},
}

const (
	staleSessions = 8  // that write and read
	staleKeys     = 20 // of each session
)

func staleSchema(maria bool) []string {
	slow := 60
	if maria { // which looks through half the table for each row
		slow = 30
	}
	return []string{
		"CREATE DATABASE stale", "CREATE TABLE stale.t (session INT, id INT, v INT, PRIMARY KEY (session, id))",
		fmt.Sprintf("INSERT INTO stale.t SELECT s.n, k.n, 0 FROM (%s) s, (%s) k", numbers(staleSessions), numbers(staleKeys)),
		// Without a key a slave looks for each changed row among all.
		"CREATE TABLE stale.slow (n INT, v INT)", fmt.Sprintf("INSERT INTO stale.slow SELECT a.n, 0 FROM (%s) a, (%s) b", numbers(slow), numbers(slow)),
	}
}

// numbers is a query for the numbers below n.
func numbers(n int) string {
	return fmt.Sprintf("WITH RECURSIVE c (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < %d) SELECT n FROM c", n-1)
}

// holdUp holds one slave up.
func holdUp(ctx context.Context, f *fed) { holdTable(ctx, f, "stale.t") }

// holdTable locks a table on one slave: its applier waits, and reads go on.
func holdTable(ctx context.Context, f *fed, table string) {
	f.hold(ctx, f.servers.Slaves()[:1], table, make(chan struct{}))
}

// holdAll is holdTable on every slave; ready is closed once they are held.
func holdAll(ctx context.Context, f *fed, table string, ready chan<- struct{}) {
	f.hold(ctx, f.servers.Slaves(), table, ready)
}

func (f *fed) hold(ctx context.Context, slaves []*playground.Node, table string, ready chan<- struct{}) {
	for _, n := range slaves {
		conn, err := f.on(n, 1).Conn(f.Context())
		if err == nil {
			defer conn.Close()
			_, err = conn.ExecContext(f.Context(), "LOCK TABLES "+table+" READ")
		}
		if err != nil {
			f.Errorf("hold %s up: %v", n.Name, err)
			continue
		}
		defer func() {
			if _, err := conn.ExecContext(f.Context(), "UNLOCK TABLES"); err != nil {
				f.Errorf("let %s go on: %v", n.Name, err)
			}
		}()
	}
	close(ready)
	<-ctx.Done()
}

// stutter holds all slaves up now and again, for somewhat longer than they are
// waited for, as a machine does that has more to do than it can.
func stutter(ctx context.Context, f *fed) {
	var all sync.WaitGroup
	for i, n := range f.servers.Slaves() {
		all.Go(func() {
			rest(ctx, time.Duration(i)*50*time.Millisecond)
			conn, err := f.on(n, 1).Conn(f.Context())
			if err != nil {
				f.Error(err)
				return
			}
			defer conn.Close()
			for ctx.Err() == nil && err == nil {
				if _, err = conn.ExecContext(f.Context(), "LOCK TABLES stale.t READ"); err == nil {
					rest(ctx, 150*time.Millisecond)
					_, err = conn.ExecContext(f.Context(), "UNLOCK TABLES")
				}
				rest(ctx, 200*time.Millisecond)
			}
			if err != nil {
				f.Errorf("hold %s up: %v", n.Name, err)
			}
		})
	}
	all.Wait()
}

// stopAppliers stops them again as soon as they were started.
func stopAppliers(ctx context.Context, f *fed) {
	for ctx.Err() == nil {
		for _, n := range f.servers.Slaves() {
			if err := n.Exec(f.Context(), f.spelled("STOP REPLICA SQL_THREAD")); err != nil {
				f.Error(err)
			}
		}
		rest(ctx, 100*time.Millisecond)
	}
}

// delay has the appliers wait two seconds with each transaction.
func delay(ctx context.Context, f *fed) {
	set := func(seconds int) {
		for _, n := range f.servers.Slaves() {
			if err := eventually(func() error { return f.setDelay(n, seconds) }); err != nil {
				f.Error(err)
			}
		}
	}
	set(2)
	<-ctx.Done()
	set(0)
}

// setDelay is refused where the applier was started again in between.
func (f *fed) setDelay(n *playground.Node, seconds int) error {
	return n.Exec(f.Context(), f.spelled("STOP REPLICA"), f.spelled(fmt.Sprintf("CHANGE REPLICATION SOURCE TO SOURCE_DELAY = %d", seconds)), f.spelled("START REPLICA"))
}

// spelled is a statement in the family's words.
func (f *fed) spelled(sql string) string {
	if f.mariadb() {
		return mariaWords.ReplaceAllStringFunc(sql, func(word string) string {
			return map[string]string{"REPLICATION SOURCE": "MASTER", "REPLICA": "SLAVE", "SOURCE_DELAY": "MASTER_DELAY"}[word]
		})
	}
	return sql
}

var mariaWords = regexp.MustCompile(`REPLICATION SOURCE|REPLICA|SOURCE_DELAY`)

// mostBehind is how many changes of saturate a slave may lack: enough to be
// behind all the time, and few enough to catch up soon afterwards.
const mostBehind = 100

// saturate changes many rows that slaves find slowly, as fast as they can bear.
func saturate(ctx context.Context, f *fed) {
	db := f.clients(1)
	defer db.Close()
	for ctx.Err() == nil {
		behind, err := f.behind()
		if err == nil && behind > mostBehind {
			rest(ctx, 20*time.Millisecond)
			continue
		}
		if err == nil {
			_, err = db.ExecContext(f.Context(), "UPDATE stale.slow SET v = v + 1")
		}
		if err != nil {
			f.Errorf("saturate: %v", err)
			return
		}
	}
}

// behind is how many changes of saturate one slave lacks.
func (f *fed) behind() (int, error) {
	var done [2]int
	for i, n := range f.servers.Nodes[:2] {
		text, err := n.Query(f.Context(), "SELECT MAX(v) FROM stale.slow")
		if err == nil {
			done[i], err = strconv.Atoi(text)
		}
		if err != nil {
			return 0, err
		}
	}
	return done[0] - done[1], nil
}
