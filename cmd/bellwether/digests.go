package main

import (
	"time"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/proxy"
)

// Digests implements admin.Digests.
func (v clientView) Digests() admin.DigestReport {
	report := v.h.proxy.Digests()
	shown := admin.DigestReport{Since: report.Since.UTC(), Dropped: report.Dropped, Digests: make([]admin.Digest, len(report.Digests))}
	for i := range report.Digests {
		shown.Digests[i] = shownDigest(&report.Digests[i])
	}
	return shown
}

// ResetDigests implements admin.Digests.
func (v clientView) ResetDigests() { v.h.proxy.ResetDigests() }

func shownDigest(d *proxy.Digest) admin.Digest {
	return admin.Digest{
		Digest: d.ID, Text: d.Text, Database: d.Database, Class: d.Class,
		Count: d.Count, Errors: d.Errors, RowsSent: d.RowsSent, RowsAffected: d.RowsAffected,
		BytesSent: d.BytesOut, BytesReceived: d.BytesIn,
		TotalMS: inMilliseconds(d.Total), P50MS: inMilliseconds(d.P50), P95MS: inMilliseconds(d.P95), P99MS: inMilliseconds(d.P99), MaxMS: inMilliseconds(d.Max),
		ToMaster: d.ToMaster, ToSlaves: d.ToSlaves, FirstSeen: d.FirstSeen, LastSeen: d.LastSeen,
	}
}

// inMilliseconds is a span as JSON has it, to the microsecond.
func inMilliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Counters implements admin.Traffic.
func (v clientView) Counters() admin.Counters {
	c := v.h.proxy.Counters()
	shown := admin.Counters{
		Statements: c.Statements, ReadsMaster: c.ReadsMaster, ReadsSlaves: c.ReadsSlaves, Writes: c.Writes, Errors: c.Errors,
		Clients: c.Clients, Held: c.Held, Latency: make([]admin.Bucket, len(c.Latency)),
	}
	for i, b := range c.Latency {
		shown.Latency[i] = admin.Bucket{UpTo: b.UpTo, Count: b.Count}
	}
	return shown
}
