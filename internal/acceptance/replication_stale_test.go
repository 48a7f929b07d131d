//go:build soak

package acceptance

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestNeverStale has sessions write and read while the slaves' appliers are
// well, stopped, held up, delayed and saturated. At session, not one read may
// miss its session's write or go back behind what its session has read; at
// global, not one may miss any write that was acknowledged, or what any session
// has read. With well slaves and 5 % writes they serve at least 90 % of the
// reads, so that reading from the master only would not pass.
func TestNeverStale(t *testing.T) {
	onFed(t, func(f *fed) {
		f.run(staleSchema(f.mariadb())...)
		f.converge()
		for _, consistency := range []string{"session", "global"} {
			for _, h := range hindrances {
				f.Run(consistency+", "+h.name, func(t *testing.T) {
					g := *f
					g.T = t
					newStalePlay(&g, consistency).play(h)
				})
			}
		}
	})
}

const staleWatchers = 2 // sessions that only read what the others write

// wantedReads is what all plays of a consistency have together, at least, in a soak of
// ten minutes: none of a million may be stale.
const wantedReads = 1_000_000

// readsWanted is how many reads a play has at least, 0 where time alone bounds it.
func readsWanted(t *testing.T) int64 {
	t.Helper()
	text := os.Getenv("BELLWETHER_READS")
	switch {
	case text != "":
	case soakFor(t) >= 10*time.Minute:
		return wantedReads/int64(len(hindrances)) + 1
	default:
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("BELLWETHER_READS: %v", err)
	}
	return n
}

// stalePlay is what the sessions of one play know together.
type stalePlay struct {
	*fed
	consistency  string
	reads, stale atomic.Int64
	took         spans // of reads
	// acked are the values whose writes were acknowledged; each key has one
	// writer, and its values only grow.
	acked [staleSessions][staleKeys]atomic.Int64
	// shown is what some read of a key has shown.
	shown [staleSessions][staleKeys]atomic.Int64
}

func newStalePlay(f *fed, consistency string) *stalePlay {
	return &stalePlay{fed: f, consistency: consistency}
}

// play reads and writes for a tenth of the soak, or longer where so many reads
// are wanted.
func (p *stalePlay) play(h hindrance) {
	ctx, cancel := context.WithCancel(p.Context())
	defer cancel()
	var hindering, sessions sync.WaitGroup
	hindering.Go(func() { h.hinder(ctx, p.fed) })
	sessions.Go(func() {
		rest(ctx, soakFor(p.T)/10)
		for wanted := readsWanted(p.T); p.reads.Load() < wanted && !p.Failed() && ctx.Err() == nil; {
			rest(ctx, 100*time.Millisecond)
		}
		cancel()
	})
	before, ways := p.served(), p.ways() // PREPARE is counted, too: one a session
	for number := range staleSessions + staleWatchers {
		s := &staleSession{stalePlay: p, number: number, random: rand.New(rand.NewPCG(uint64(number), 3))}
		sessions.Go(func() {
			if err := s.run(ctx, h.readsEach); err != nil {
				p.Errorf("session %d: %v", number, err)
				cancel()
			}
		})
	}
	sessions.Wait()
	hindering.Wait()
	share := float64(p.served()-before) / float64(p.reads.Load())
	p.Logf("%d reads, %d stale; slaves served %.1f %% of them (%s); %v", p.reads.Load(), p.stale.Load(), 100*share, since(ways, p.ways()), &p.took)
	if p.stale.Load() > 0 || p.reads.Load() == 0 {
		p.Errorf("%d stale of %d reads", p.stale.Load(), p.reads.Load())
	}
	if share < h.least {
		p.Errorf("slaves served %.1f %% of the reads, want %.0f %%", 100*share, 100*h.least)
	}
	p.converge()
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
	*stalePlay
	number int
	random *rand.Rand
	last   [staleKeys]int
	seen   int // the sum of another session's values
}

func (s *staleSession) run(ctx context.Context, readsEach int) error {
	db := s.clients(1)
	conn, err := db.Conn(s.Context())
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(s.Context(), "SET bellwether_consistency = "+s.consistency); err != nil {
		return err
	}
	if err := conn.QueryRowContext(s.Context(), "SELECT /* bellwether: master */ MAX(v) FROM stale.t").Scan(&s.last[0]); err != nil {
		return err
	}
	base := s.last[0]
	if s.number >= staleSessions {
		return s.watch(ctx, conn)
	}
	prepared, err := conn.PrepareContext(s.Context(), "SELECT v FROM stale.t WHERE session = ? AND id = ?")
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
			return fmt.Errorf("read another's keys: %w", err)
		}
	}
	return nil
}

// watch only reads, so that nothing but what it has read holds it.
func (s *staleSession) watch(ctx context.Context, conn *sql.Conn) error {
	for ctx.Err() == nil {
		if err := s.readOther(conn); err != nil {
			return err
		}
		if err := s.readAny(conn); err != nil {
			return err
		}
	}
	return nil
}

// readOther reads the sum of what another session writes, which only grows: a
// session must not go back behind what it has read.
func (s *staleSession) readOther(conn *sql.Conn) error {
	got, err := s.ask(conn, fmt.Sprintf("SELECT SUM(v) FROM stale.t WHERE session = %d", (s.number+1)%staleSessions))
	if err != nil {
		return err
	}
	if got < s.seen {
		s.stale.Add(1)
		s.Errorf("session %d has read %d, and now %d", s.number, s.seen, got)
	}
	s.seen = got
	return nil
}

// readAny reads any key. At global it must show what was acknowledged, and what
// any session has read, before it began.
func (s *staleSession) readAny(conn *sql.Conn) error {
	session, id := s.random.IntN(staleSessions), s.random.IntN(staleKeys)
	acked, shown := s.acked[session][id].Load(), s.shown[session][id].Load()
	got, err := s.ask(conn, fmt.Sprintf("SELECT v FROM stale.t WHERE session = %d AND id = %d", session, id))
	if err != nil {
		return err
	}
	if s.consistency == "global" && int64(got) < max(acked, shown) {
		s.stale.Add(1)
		s.Errorf("session %d reads %d, after %d was acknowledged and %d was read", s.number, got, acked, shown)
	}
	raise(&s.shown[session][id], int64(got))
	return nil
}

// raise makes a number at least so large.
func raise(n *atomic.Int64, least int64) {
	for old := n.Load(); old < least && !n.CompareAndSwap(old, least); old = n.Load() {
	}
}

func (s *staleSession) ask(conn *sql.Conn, query string) (got int, err error) {
	defer s.took.since(time.Now())
	err = conn.QueryRowContext(s.Context(), query).Scan(&got)
	s.reads.Add(1)
	return got, err
}

// write changes a key, as a statement of its own or in a transaction.
func (s *staleSession) write(conn *sql.Conn, id, value int) error {
	update := fmt.Sprintf("UPDATE stale.t SET v = %d WHERE session = %d AND id = %d", value, s.number, id)
	statements := []string{update}
	if value%4 == 0 {
		statements = []string{"BEGIN", update, "COMMIT"}
	}
	for _, sql := range statements {
		if _, err := conn.ExecContext(s.Context(), sql); err != nil {
			return err
		}
	}
	s.last[id] = value
	s.acked[s.number][id].Store(int64(value))
	return nil
}

// read reads a key, as a text or prepared.
func (s *staleSession) read(conn *sql.Conn, prepared *sql.Stmt, id int) error {
	defer s.took.since(time.Now())
	var row *sql.Row
	if s.random.IntN(2) == 0 {
		row = prepared.QueryRowContext(s.Context(), s.number, id)
	} else {
		row = conn.QueryRowContext(s.Context(), fmt.Sprintf("SELECT v FROM stale.t WHERE session = %d AND id = %d", s.number, id))
	}
	var got int
	if err := row.Scan(&got); err != nil {
		return err
	}
	s.reads.Add(1)
	if got != s.last[id] {
		s.stale.Add(1)
		s.Errorf("session %d wrote %d under key %d and reads %d", s.number, s.last[id], id, got)
	}
	return nil
}
