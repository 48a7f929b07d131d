package acceptance

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// crowd is the clients of one run, and what they remember. They write and read
// without a second try of anything; whatever they are told that is no answer is
// kept.
type crowd struct {
	*fleet
	number int // of the run: rows carry it
	begun  time.Time
	end    context.CancelFunc
	work   sync.WaitGroup

	mu        sync.Mutex
	acks      []time.Duration // when writes were acknowledged, since begun
	stopped   time.Duration   // when the clients were told to end, since begun
	singles   map[chaosKey]int64
	transfers map[chaosKey]int64
	owned     map[int]*ownRow // by client
	mishaps   []mishap
	stale     []string
	wrong     []string
	longest   time.Duration // that a client waited for an answer
	history   []porcupine.Operation
	value     int // the last one that was written to a register
}

// chaosKey is one write of one client, which never uses a number twice.
type chaosKey struct{ client, number int }

// mishap is something that a client was told instead of an answer.
type mishap struct {
	at     time.Duration // since the load began
	client string
	class  string // what kind of error it is
	text   string
}

// How many clients there are of each kind. The first two are those of the
// figures in docs/failover.md.
const (
	chaosInserters, chaosMovers, chaosReaders, chaosRegisters = 8, 4, 4, 6
	chaosAccounts, chaosBalance                               = 64, 1000
)

func chaosSchema() []string {
	statements := []string{
		"CREATE DATABASE chaos",
		// client and number are no key: a row that was written twice must be seen.
		"CREATE TABLE chaos.singles (id BIGINT AUTO_INCREMENT PRIMARY KEY, run INT, client INT, number INT, KEY (run, client, number))",
		"CREATE TABLE chaos.transfers (run INT, client INT, number INT, payer INT, payee INT, amount INT, KEY (run, client, number))",
		"CREATE TABLE chaos.accounts (id INT PRIMARY KEY, balance INT NOT NULL)",
		"CREATE TABLE chaos.own (id INT PRIMARY KEY, v BIGINT NOT NULL)",
		"CREATE TABLE chaos.registers (id INT PRIMARY KEY, v INT NOT NULL)",
	}
	for id := range chaosAccounts {
		statements = append(statements, fmt.Sprintf("INSERT INTO chaos.accounts VALUES (%d, %d)", id, chaosBalance))
	}
	for id := range max(chaosReaders, linearKeys) {
		statements = append(statements, fmt.Sprintf("INSERT INTO chaos.own VALUES (%d, 0)", id), fmt.Sprintf("INSERT INTO chaos.registers VALUES (%d, 0)", id))
	}
	return statements
}

// startLoad lets the clients begin.
func (f *fleet) startLoad(number int) *crowd {
	f.Helper()
	ctx, end := context.WithCancel(context.Background())
	l := &crowd{fleet: f, number: number, begun: time.Now(), end: end, singles: map[chaosKey]int64{}, transfers: map[chaosKey]int64{}, owned: map[int]*ownRow{}}
	f.run("UPDATE chaos.registers SET v = 0")
	for _, kind := range []struct {
		name  string
		count int
		turn  func(*caller, int) error
	}{
		{"insert", chaosInserters, (*caller).insert}, {"transfer", chaosMovers, (*caller).transfer},
		{"own", chaosReaders, (*caller).own}, {"register", chaosRegisters, (*caller).register},
	} {
		for n := range kind.count {
			c := newCaller(l, kind.name, n)
			l.work.Go(func() { c.work(ctx, kind.turn) })
		}
	}
	return l
}

// stop ends the clients and waits for their last answers. A second call does nothing.
func (l *crowd) stop() {
	l.mu.Lock()
	if l.stopped == 0 {
		l.stopped = l.now()
	}
	l.mu.Unlock()
	l.end()
	l.work.Wait()
}

// now is the time since the load began.
func (l *crowd) now() time.Duration { return time.Since(l.begun) }

// serves waits until so many more writes have been acknowledged.
func (l *crowd) serves(more int, within time.Duration) error {
	begun := l.acknowledged()
	return l.until(within, func() error {
		if got := l.acknowledged() - begun; got < more {
			_, err := l.proxy.get("/readyz")
			return fmt.Errorf("%d writes acknowledged, want %d; readiness: %w", got, more, err)
		}
		return nil
	})
}

func (l *crowd) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acks)
}

// ack notes that a write was acknowledged just now.
func (l *crowd) ack() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acks = append(l.acks, l.now())
}

// gap is the longest time without an acknowledged write that ended after from,
// or has not ended.
func (l *crowd) gap(from time.Duration) (longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.acks) // they were noted a moment after they were taken
	if n := len(l.acks); n > 0 && l.stopped > 0 {
		longest = l.stopped - l.acks[n-1]
	}
	for i := 1; i < len(l.acks); i++ {
		if l.acks[i] >= from {
			longest = max(longest, l.acks[i]-l.acks[i-1])
		}
	}
	return longest
}

// rate is how many writes a second were acknowledged before a moment.
func (l *crowd) rate(until time.Duration) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, at := range l.acks {
		if at < until {
			n++
		}
	}
	return float64(n) / until.Seconds()
}
