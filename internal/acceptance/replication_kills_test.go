//go:build soak

package acceptance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// TestReplicationKills kills the product and slaves with -9 at random moments,
// BELLWETHER_ROUNDS times each, while clients insert single rows and move money.
// At the end nothing that was acknowledged is missing on any node, nothing is
// there twice, no money was made, and all nodes and the stored log have the same
// GTID set. BELLWETHER_SEED chooses the moments; it is printed.
//
// There is no DDL under the kills: a MariaDB slave that dies in it comes back
// with a transaction of its own, whoever feeds it.
func TestReplicationKills(t *testing.T) {
	seed := uint64(environment("BELLWETHER_SEED", rand.IntN(1<<30)))
	rounds := environment("BELLWETHER_ROUNDS", 10)
	t.Logf("BELLWETHER_SEED=%d BELLWETHER_ROUNDS=%d", seed, rounds)
	onFed(t, func(f *fed) {
		f.run(bankSchema()...)
		f.converge()
		b := startBank(f)
		random := rand.New(rand.NewPCG(seed, uint64(f.servers.Flavour)))
		for number := range rounds {
			r := drawRound(random)
			f.Logf("round %d: %+v", number+1, r)
			r.play(f)
			b.progress()
		}
		b.stop()
		f.converge()
		f.same()
		b.check()
	})
}

// round is one kill of the product and one of a slave: when, and for how long.
// Times are from the last thing that happened.
type round struct {
	Before, Down           time.Duration
	Slave                  int
	SlaveBefore, SlaveDown time.Duration
	Together               bool // the slave dies and comes back while the product is dead
}

func drawRound(random *rand.Rand) round {
	upTo := func(most time.Duration) time.Duration {
		return time.Duration(random.Int64N(int64(most))).Round(time.Microsecond)
	}
	return round{
		Before: upTo(1500 * time.Millisecond), Down: upTo(700 * time.Millisecond), Slave: random.IntN(2),
		SlaveBefore: upTo(time.Second), SlaveDown: upTo(700 * time.Millisecond), Together: random.IntN(3) == 0,
	}
}

func (r round) play(f *fed) {
	f.Helper()
	slave := f.servers.Slaves()[r.Slave]
	killSlave := func() {
		f.rest(r.SlaveBefore)
		f.must(slave.Kill())
		f.rest(r.SlaveDown)
		f.must(startNode(f.Context(), slave))
	}
	f.rest(r.Before)
	f.kill()
	if r.Together {
		killSlave()
	}
	f.rest(r.Down)
	f.start()
	if !r.Together {
		killSlave()
	}
}

func startNode(ctx context.Context, n *playground.Node) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	return n.StartServer(ctx)
}

// bank is the clients of TestReplicationKills and what they remember.
type bank struct {
	f    *fed
	end  context.CancelFunc
	work sync.WaitGroup

	mu       sync.Mutex
	singles  map[entryKey]bool
	transfer map[entryKey]bool
	doubtful int // neither acknowledged nor refused
}

// entryKey is one write of one client, which never uses a number twice.
type entryKey struct{ client, number int }

const (
	inserters, movers = 4, 3
	bankAccounts      = 20
	openingBalance    = 1000
)

func bankSchema() []string {
	statements := []string{
		"CREATE DATABASE bank",
		// client and number are no key: a row that was written twice must be seen.
		"CREATE TABLE bank.singles (id INT AUTO_INCREMENT PRIMARY KEY, client INT, number INT, KEY (client, number))",
		"CREATE TABLE bank.transfers (id INT AUTO_INCREMENT PRIMARY KEY, client INT, number INT, payer INT, payee INT, amount INT, KEY (client, number))",
		"CREATE TABLE bank.accounts (id INT PRIMARY KEY, balance INT)",
	}
	for id := range bankAccounts {
		statements = append(statements, fmt.Sprintf("INSERT INTO bank.accounts VALUES (%d, %d)", id, openingBalance))
	}
	return statements
}

func startBank(f *fed) *bank {
	ctx, end := context.WithCancel(context.Background())
	b := &bank{f: f, end: end, singles: map[entryKey]bool{}, transfer: map[entryKey]bool{}}
	for client := range inserters + movers {
		b.work.Go(func() { b.client(ctx, client) })
	}
	f.Cleanup(b.stop)
	return b
}

// stop ends the clients and waits for them.
func (b *bank) stop() {
	b.end()
	b.work.Wait()
}

// progress waits until every client has been served again.
func (b *bank) progress() {
	b.f.Helper()
	before := b.counts()
	if err := eventually(func() error {
		for client, n := range b.counts() {
			if n < before[client]+2 {
				return fmt.Errorf("client %d has written nothing since the kills", client)
			}
		}
		return nil
	}); err != nil {
		b.f.Fatal(err)
	}
}

func (b *bank) counts() (counts [inserters + movers]int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, done := range []map[entryKey]bool{b.singles, b.transfer} {
		for k := range done {
			counts[k.client]++
		}
	}
	return counts
}

// check wants on every node what was acknowledged, once, and the money right.
func (b *bank) check() {
	b.f.Helper()
	for _, n := range b.f.servers.Nodes {
		there := b.once(n, "singles", b.singles)
		moved := b.once(n, "transfers", b.transfer)
		b.f.Logf("%s: %d of %d single rows and %d of %d transfers were acknowledged, %d writes were cut off", n.Name,
			len(b.singles), there, len(b.transfer), moved, b.doubtful)
		b.want(n, "SELECT SUM(balance) FROM bank.accounts", fmt.Sprint(bankAccounts*openingBalance))
		b.want(n, fmt.Sprintf(`SELECT COUNT(*) FROM bank.accounts a WHERE balance <> %d
			+ (SELECT COALESCE(SUM(amount), 0) FROM bank.transfers WHERE payee = a.id)
			- (SELECT COALESCE(SUM(amount), 0) FROM bank.transfers WHERE payer = a.id)`, openingBalance), "0")
	}
}

// once wants each acknowledged write to be there exactly once, and any other at
// most once. It returns how many there are.
func (b *bank) once(n *playground.Node, name string, acknowledged map[entryKey]bool) int {
	b.f.Helper()
	db := b.f.on(n, 1)
	defer db.Close()
	rows, err := db.QueryContext(b.f.Context(), "SELECT client, number FROM bank."+name)
	b.f.must(err)
	defer rows.Close()
	there := map[entryKey]int{}
	for rows.Next() {
		var k entryKey
		b.f.must(rows.Scan(&k.client, &k.number))
		if there[k]++; there[k] == 2 {
			b.f.Errorf("%s: %s %v is there twice", n.Name, name, k)
		}
	}
	b.f.must(rows.Err())
	for k := range acknowledged {
		if there[k] == 0 {
			b.f.Errorf("%s: %s %v was acknowledged and is lost", n.Name, name, k)
		}
	}
	return len(there)
}

func (b *bank) want(n *playground.Node, query, want string) {
	b.f.Helper()
	if got, err := n.Query(b.f.Context(), query); err != nil || got != want {
		b.f.Errorf("%s: %s: %s (%v), want %s", n.Name, query, got, err, want)
	}
}
