//go:build soak

package acceptance

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// TestNeverStale has sessions write and read their own writes back while the
// slaves' appliers are well, stopped, held up, delayed and saturated. Not one
// read may miss its session's write, and with well slaves and 5 % writes they
// serve at least 90 % of the reads, so that reading from the master only would
// not pass.
func TestNeverStale(t *testing.T) {
	onFed(t, func(f *fed) {
		f.run(staleSchema(f.mariadb())...)
		f.converge()
		for _, h := range hindrances {
			f.Run(h.name, func(t *testing.T) {
				g := *f
				g.T = t
				h.play(&g)
			})
		}
	})
}

// hindrance is something that keeps slaves behind.
type hindrance struct {
	name      string
	readsEach int     // reads that follow a write
	least     float64 // share of reads that slaves must serve
	// hinder keeps the slaves behind until ctx ends, and then lets them go on.
	hinder func(ctx context.Context, f *fed)
}

var hindrances = []hindrance{
	{"none", 19, 0.9, func(ctx context.Context, _ *fed) { <-ctx.Done() }},
	{"one applier held up", 4, 0.5, holdUp},
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

// play reads and writes for a sixth of the soak.
func (h hindrance) play(f *fed) {
	ctx, cancel := context.WithTimeout(f.Context(), soakFor(f.T)/6)
	defer cancel()
	var group sync.WaitGroup
	group.Go(func() { h.hinder(ctx, f) })
	before := f.served() // PREPARE is counted, too: one a session
	var reads, stale atomic.Int64
	for number := range staleSessions {
		s := &staleSession{f: f, number: number, random: rand.New(rand.NewPCG(uint64(number), 3)), reads: &reads, stale: &stale}
		group.Go(func() {
			if err := s.run(ctx, h.readsEach); err != nil {
				f.Errorf("session %d: %v", number, err)
			}
		})
	}
	group.Wait()
	share := float64(f.served()-before) / float64(reads.Load())
	f.Logf("%d reads of own writes, %d stale; slaves served %.1f %% of them", reads.Load(), stale.Load(), 100*share)
	if stale.Load() > 0 || reads.Load() == 0 {
		f.Errorf("%d stale of %d reads", stale.Load(), reads.Load())
	}
	if share < h.least {
		f.Errorf("slaves served %.1f %% of the reads, want %.0f %%", 100*share, 100*h.least)
	}
	f.converge()
}

var readCount = regexp.MustCompile(`(?m)^bellwether_statements_total\{class="read",reason="[^"]*",target="slave"\} (\S+)`)

// served is how many reads slaves have answered.
func (f *fed) served() (reads int) {
	f.Helper()
	metrics, err := f.proxy.metrics()
	f.must(err)
	for _, line := range readCount.FindAllStringSubmatch(metrics, -1) {
		n, err := strconv.ParseFloat(line[1], 64)
		f.must(err)
		reads += int(n)
	}
	return reads
}

// staleSession writes its own keys and knows what each must read.
type staleSession struct {
	f            *fed
	number       int
	random       *rand.Rand
	reads, stale *atomic.Int64
	last         [staleKeys]int
	seen         int // the sum of another session's values
}

func (s *staleSession) run(ctx context.Context, readsEach int) error {
	db := s.f.clients(1)
	conn, err := db.Conn(s.f.Context())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.QueryRowContext(s.f.Context(), "SELECT /* bellwether: master */ MAX(v) FROM stale.t").Scan(&s.last[0]); err != nil {
		return err
	}
	base := s.last[0]
	prepared, err := conn.PrepareContext(s.f.Context(), "SELECT v FROM stale.t WHERE session = ? AND id = ?")
	if err != nil {
		return err
	}
	defer prepared.Close()
	for id := range s.last { // so that every key has a value that is known
		if err := s.write(conn, id, base+1); err != nil {
			return err
		}
	}
	for value := base + 2; ctx.Err() == nil; value++ {
		id := s.random.IntN(staleKeys)
		if err := s.write(conn, id, value); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		for range readsEach {
			if err := s.read(conn, prepared, id); err != nil {
				return fmt.Errorf("read: %w", err)
			}
			id = s.random.IntN(staleKeys)
		}
		if err := s.readOther(conn); err != nil {
			return fmt.Errorf("read another's key: %w", err)
		}
	}
	return nil
}

// readOther reads the sum of what another session writes, which only grows: a
// session must not go back behind what it has read. (Its own write in between
// has a later position.)
func (s *staleSession) readOther(conn *sql.Conn) error {
	var got int
	query := fmt.Sprintf("SELECT SUM(v) FROM stale.t WHERE session = %d", (s.number+1)%staleSessions)
	if err := conn.QueryRowContext(s.f.Context(), query).Scan(&got); err != nil {
		return err
	}
	s.reads.Add(1)
	if got < s.seen {
		s.stale.Add(1)
		s.f.Errorf("session %d has read %d, and now %d", s.number, s.seen, got)
	}
	s.seen = got
	return nil
}

// write changes a key, as a statement of its own or in a transaction.
func (s *staleSession) write(conn *sql.Conn, id, value int) error {
	update := fmt.Sprintf("UPDATE stale.t SET v = %d WHERE session = %d AND id = %d", value, s.number, id)
	statements := []string{update}
	if value%4 == 0 {
		statements = []string{"BEGIN", update, "COMMIT"}
	}
	for _, sql := range statements {
		if _, err := conn.ExecContext(s.f.Context(), sql); err != nil {
			return err
		}
	}
	s.last[id] = value
	return nil
}

// read reads a key, as a text or prepared.
func (s *staleSession) read(conn *sql.Conn, prepared *sql.Stmt, id int) error {
	var row *sql.Row
	if s.random.IntN(2) == 0 {
		row = prepared.QueryRowContext(s.f.Context(), s.number, id)
	} else {
		row = conn.QueryRowContext(s.f.Context(), fmt.Sprintf("SELECT v FROM stale.t WHERE session = %d AND id = %d", s.number, id))
	}
	var got int
	if err := row.Scan(&got); err != nil {
		return err
	}
	s.reads.Add(1)
	if got != s.last[id] {
		s.stale.Add(1)
		s.f.Errorf("session %d wrote %d under key %d and reads %d", s.number, s.last[id], id, got)
	}
	return nil
}

// holdUp locks the table on one slave: its applier waits, and reads go on.
func holdUp(ctx context.Context, f *fed) {
	db := f.on(f.servers.Slaves()[0], 1)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		f.Error(err)
		return
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "LOCK TABLES stale.t READ"); err != nil {
		f.Error(err)
	}
	<-ctx.Done()
	if _, err := conn.ExecContext(f.Context(), "UNLOCK TABLES"); err != nil {
		f.Error(err)
	}
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
