package admin

import (
	"math"
	"slices"
	"sync"
	"time"
)

// trafficKept is how many points are remembered, one a second.
const trafficKept = 3600

// point is the traffic of one second. It is a value.
type point struct {
	At          time.Time `json:"at"`
	Statements  float64   `json:"statements"`
	ReadsMaster float64   `json:"reads_master"`
	ReadsSlaves float64   `json:"reads_slaves"`
	Writes      float64   `json:"writes"`
	Errors      float64   `json:"errors"`
	P50MS       *float64  `json:"p50_ms"` // nil: there was no statement
	P95MS       *float64  `json:"p95_ms"`
	P99MS       *float64  `json:"p99_ms"`
	Clients     int       `json:"clients"`
	Held        int       `json:"held"`
}

// traffic remembers the last points. It is safe for concurrent use.
type traffic struct {
	mu     sync.Mutex
	points []point // the oldest first
	before Counters
	at     time.Time
}

// take makes a point of what was counted since the last one; the first call
// makes none.
func (t *traffic) take(now time.Time, counted Counters) (point, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, since := t.before, now.Sub(t.at).Seconds()
	first := t.at.IsZero()
	t.before, t.at = counted, now
	if first || since <= 0 {
		return point{}, false
	}
	p := pointOf(before, counted, since)
	p.At = now.UTC()
	if len(t.points) == trafficKept {
		t.points = append(t.points[:0], t.points[1:]...)
	}
	t.points = append(t.points, p)
	return p, true
}

// latest are up to so many of the last points.
func (t *traffic) latest(n int) []point {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.points[max(0, len(t.points)-n):])
}

// pointOf is what was counted between two moments, for each second.
func pointOf(before, after Counters, seconds float64) point {
	rate := func(a, b uint64) float64 { return math.Round(float64(b-a)/seconds*10) / 10 }
	p := point{
		Statements:  rate(before.Statements, after.Statements),
		ReadsMaster: rate(before.ReadsMaster, after.ReadsMaster), ReadsSlaves: rate(before.ReadsSlaves, after.ReadsSlaves),
		Writes: rate(before.Writes, after.Writes), Errors: rate(before.Errors, after.Errors),
		Clients: after.Clients, Held: after.Held,
	}
	between := slices.Clone(after.Latency)
	for i := range before.Latency {
		if i < len(between) {
			between[i].Count -= before.Latency[i].Count
		}
	}
	p.P50MS, p.P95MS, p.P99MS = percentile(between, 0.50), percentile(between, 0.95), percentile(between, 0.99)
	return p
}

// percentile is the time within which a part of all ended, in milliseconds,
// taken to lie evenly within a bucket; nil where nothing was counted.
func percentile(buckets []Bucket, part float64) *float64 {
	var all uint64
	for _, b := range buckets {
		all += b.Count
	}
	if all == 0 {
		return nil
	}
	wanted, seen, from := part*float64(all), 0.0, time.Duration(0)
	for _, b := range buckets {
		if n := float64(b.Count); n > 0 && seen+n >= wanted {
			ms := (float64(from) + float64(b.UpTo-from)*(wanted-seen)/n) / float64(time.Millisecond)
			ms = math.Round(ms*1000) / 1000
			return &ms
		}
		seen, from = seen+float64(b.Count), b.UpTo
	}
	return nil
}

// showTraffic is GET /v1/traffic.
func (s *Server) showTraffic(c *call) *problem {
	q, p := c.query("seconds")
	if p != nil {
		return p
	}
	seconds := q.count("seconds", 600)
	if q.wrong != nil {
		return q.wrong
	}
	return c.show(struct {
		Interval int     `json:"interval_seconds"`
		Points   []point `json:"points"`
	}{1, notNil(s.traffic.latest(seconds))}, "")
}
