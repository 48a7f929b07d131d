package proxy

import "time"

// DigestReport is what was counted of statements by their shape. It is a value.
type DigestReport struct {
	// Since is when counting began.
	Since   time.Time
	Digests []Digest
	// Dropped is how many statements were of shapes that there was no room for, or
	// that gave up their place; they are in Digests too, as one that is called Other.
	Dropped uint64
}

// Digest is one shape of statement in one database. It is a value.
type Digest struct {
	// ID has 16 hexadecimal digits, and is the same in every process; all of them
	// are 0 where Other is set, which stands for shapes without a place of their own.
	ID             string
	Other          bool
	Text, Database string // the text has no literals
	Class          string // router.Kind in words

	Count, Errors          uint64
	RowsSent, RowsAffected uint64 // those of a statement's last result
	BytesIn, BytesOut      uint64 // from clients, to clients
	Total                  time.Duration
	P50, P95, P99, Max     time.Duration
	ToMaster, ToSlaves     uint64
	FirstSeen, LastSeen    time.Time
}

// Digests returns what was counted, in no order. Any goroutine may call it.
func (s *Server) Digests() DigestReport {
	t := s.digests.table.Load()
	t.mu.Lock()
	classes := make([]*digest, 0, len(t.classes))
	for _, c := range t.classes {
		classes = append(classes, c)
	}
	rest, other := t.gone, t.other
	t.mu.Unlock()

	report := DigestReport{Since: t.since, Digests: make([]Digest, 0, len(classes)+1)}
	for _, c := range classes {
		sum := c.sum()
		report.Digests = append(report.Digests, sum.digest(c))
	}
	sum := other.sum()
	rest.join(&sum)
	if report.Dropped = rest.latency.total(); report.Dropped > 0 {
		d := rest.digest(other)
		d.ID, d.Text, d.Other = "0000000000000000", "(other)", true
		report.Digests = append(report.Digests, d)
	}
	return report
}

// ResetDigests begins to count anew.
func (s *Server) ResetDigests() { s.digests.reset(time.Now()) }

// digestSum is the counts of all parts of a digest, or of several. It is owned by
// who made it.
type digestSum struct {
	latency                distribution
	total, longest         time.Duration
	errors                 uint64
	rowsSent, rowsAffected uint64
	bytesIn, bytesOut      uint64
	toMaster, toSlaves     uint64
}

// sum adds up the parts of a digest.
func (g *digest) sum() (sum digestSum) {
	for i := range g.shards {
		c := g.shards[i].Load()
		if c == nil {
			continue
		}
		sum.latency.join(&c.latency)
		sum.total += time.Duration(c.total.Load())
		sum.longest = max(sum.longest, time.Duration(c.longest.Load()))
		sum.errors += c.errors.Load()
		sum.rowsSent += c.rowsSent.Load()
		sum.rowsAffected += c.rowsAffected.Load()
		sum.bytesIn += c.bytesIn.Load()
		sum.bytesOut += c.bytesOut.Load()
		sum.toMaster += c.toMaster.Load()
		sum.toSlaves += c.toSlaves.Load()
	}
	return sum
}

func (a *digestSum) join(b *digestSum) {
	for i, n := range b.latency {
		a.latency[i] += n
	}
	a.total += b.total
	a.longest = max(a.longest, b.longest)
	a.errors += b.errors
	a.rowsSent += b.rowsSent
	a.rowsAffected += b.rowsAffected
	a.bytesIn += b.bytesIn
	a.bytesOut += b.bytesOut
	a.toMaster += b.toMaster
	a.toSlaves += b.toSlaves
}

// digest shows the sum as that of g.
func (a *digestSum) digest(g *digest) Digest {
	return Digest{
		ID: g.id, Text: g.text, Database: g.database, Class: g.kind.String(),
		Count: a.latency.total(), Errors: a.errors, RowsSent: a.rowsSent, RowsAffected: a.rowsAffected,
		BytesIn: a.bytesIn, BytesOut: a.bytesOut, Total: a.total, Max: a.longest,
		P50: a.latency.quantile(0.5, a.longest), P95: a.latency.quantile(0.95, a.longest), P99: a.latency.quantile(0.99, a.longest),
		ToMaster: a.toMaster, ToSlaves: a.toSlaves, FirstSeen: g.first.UTC(), LastSeen: g.lastSeen().UTC(),
	}
}
