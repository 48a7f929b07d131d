package proxy

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/maphash"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/router"
)

const (
	// mostDigests bounds what may be configured: each may take 16 kB.
	mostDigests = 100_000
	// mostDigestText is the longest text of a digest, in bytes.
	mostDigestText = 2 << 10
	// mostShards bounds the parts that a digest is counted in, so that sessions on
	// different processors do not wait for one another's counters.
	mostShards = 8
	// mostBesides bounds the databases that one statement's digests are found for
	// without a lock.
	mostBesides = 8
	// digestRest is how long nobody must have sent a statement of a digest for it to
	// give up its place, sweepPause how often that is looked at.
	digestRest = 10 * time.Minute
	sweepPause = time.Second
)

// digests counts statements by their shape and database. Any goroutine may use
// it. A statement whose shape was seen before takes no lock and allocates
// nothing: its digest hangs on what the classifier remembers of it.
type digests struct {
	limit atomic.Int64 // 0: off
	table atomic.Pointer[digestTable]
	seed  maphash.Seed
	parts int
}

// digestTable is the digests since a moment. mu guards classes, other and swept.
type digestTable struct {
	since time.Time

	mu      sync.Mutex
	classes map[uint64]*digest
	// other counts those there is no room for, gone those that gave up their place.
	other *digest
	gone  digestSum
	swept time.Time
}

// digest is one shape of statement in one database. All but its table and its
// counts is immutable.
type digest struct {
	// table is where it belongs to; nil once it gave up its place.
	table          atomic.Pointer[digestTable]
	id             string
	text, database string
	kind           router.Kind
	first          time.Time
	shards         []atomic.Pointer[digestCounts]
}

// digestCounts is a part of a digest's counts. Any goroutine may use it.
type digestCounts struct {
	latency            histogram
	total, longest     atomic.Int64 // nanoseconds
	last               atomic.Int64 // Unix nanoseconds
	errors             atomic.Uint64
	rowsSent           atomic.Uint64
	rowsAffected       atomic.Uint64
	bytesIn, bytesOut  atomic.Uint64
	toMaster, toSlaves atomic.Uint64
}

// besides is what hangs on a statement: its digests by database. It is immutable.
type besides []beside

type beside struct {
	database string
	digest   *digest
}

func (d *digests) begin(limit int) {
	d.seed = maphash.MakeSeed()
	d.parts = 1 << bits.Len(uint(min(runtime.GOMAXPROCS(0), mostShards)-1))
	d.limit.Store(int64(limit))
	d.reset(time.Now())
}

// reset begins anew; who counts in a digest of before counts in vain.
func (d *digests) reset(now time.Time) {
	t := &digestTable{since: now, classes: map[uint64]*digest{}}
	t.other = d.make(t, router.KindUnknown, "", now)
	d.table.Store(t)
}

func (d *digests) make(t *digestTable, kind router.Kind, database string, now time.Time) *digest {
	made := &digest{kind: kind, database: database, first: now, shards: make([]atomic.Pointer[digestCounts], d.parts)}
	made.table.Store(t)
	return made
}

// find is the digest of a statement that was counted before; nil for another.
func (d *digests) find(s *router.Statement, database string) *digest {
	hung, _ := s.Beside.Load().(besides)
	for i := range hung {
		if b := &hung[i]; b.database == database && b.digest.table.Load() == d.table.Load() && d.limit.Load() > 0 {
			return b.digest
		}
	}
	return nil
}

// add finds or makes the digest of a statement, and hangs it on that.
func (d *digests) add(s *router.Statement, database string, sql []byte, dialect router.Dialect) *digest {
	now, t := time.Now(), d.table.Load()
	found := d.enter(t, d.key(s, database), now, func() *digest {
		made := d.make(t, s.Kind, database, now)
		made.text, made.id = router.Normalise(sql, dialect, mostDigestText), digestID(s, database)
		return made
	})
	hung, _ := s.Beside.Load().(besides)
	next := make(besides, 0, len(hung)+1)
	next = append(next, beside{database, found})
	for _, b := range hung {
		if len(next) < mostBesides && b.database != database && b.digest.table.Load() == t {
			next = append(next, b)
		}
	}
	s.Beside.Store(next)
	return found
}

// enter returns the digest under a key, made where there is room for it.
func (d *digests) enter(t *digestTable, key uint64, now time.Time, made func() *digest) *digest {
	t.mu.Lock()
	defer t.mu.Unlock()
	if found := t.classes[key]; found != nil {
		return found
	}
	if int64(len(t.classes)) >= d.limit.Load() && !d.sweep(t, now) {
		return t.other
	}
	found := made()
	t.classes[key] = found
	return found
}

// sweep gives the places of digests up that nobody has used lately, and reports
// whether there were some. What is counted under other is asked for anew then.
func (d *digests) sweep(t *digestTable, now time.Time) bool {
	if now.Sub(t.swept) < sweepPause {
		return false
	}
	t.swept = now
	room := false
	for key, c := range t.classes {
		if now.Sub(c.lastSeen()) > digestRest {
			c.table.Store(nil)
			sum := c.sum()
			t.gone.join(&sum)
			delete(t.classes, key)
			room = true
		}
	}
	if room {
		sum := t.other.sum()
		t.gone.join(&sum)
		t.other.table.Store(nil)
		t.other = d.make(t, router.KindUnknown, "", t.other.first)
	}
	return room
}

// key finds a shape of statement in a database.
func (d *digests) key(s *router.Statement, database string) uint64 {
	return maphash.String(d.seed, s.Fingerprint) ^ bits.RotateLeft64(maphash.String(d.seed, database), 1)
}

// digestID names a shape of statement in a database, and is the same in every process.
func digestID(s *router.Statement, database string) string {
	sum := sha256.Sum256([]byte(database + "\x00" + s.Fingerprint))
	return hex.EncodeToString(sum[:8])
}

// lastSeen is when a statement of the digest ended last, or its first one began.
func (g *digest) lastSeen() time.Time {
	last := g.first
	for i := range g.shards {
		if c := g.shards[i].Load(); c != nil {
			if at := time.Unix(0, c.last.Load()); at.After(last) {
				last = at
			}
		}
	}
	return last
}

// shard is the part of the counts that a session counts in.
func (g *digest) shard(session uint32) *digestCounts {
	at := &g.shards[int(session)&(len(g.shards)-1)]
	if c := at.Load(); c != nil {
		return c
	}
	at.CompareAndSwap(nil, new(digestCounts))
	return at.Load()
}

// add counts one statement.
func (c *digestCounts) add(took time.Duration, now time.Time) {
	const precise = int64(100 * time.Millisecond) // of last: it is written less often for that
	c.latency.add(took)
	c.total.Add(int64(took))
	for longest := c.longest.Load(); int64(took) > longest; longest = c.longest.Load() {
		if c.longest.CompareAndSwap(longest, int64(took)) {
			break
		}
	}
	if at := now.UnixNano(); at-c.last.Load() > precise {
		c.last.Store(at)
	}
}
