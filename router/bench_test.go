package router

import (
	"syscall"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// processor is the processor time that this process has used.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkClassifyHit reports, besides the wall clock, the processor time of a
// look-up, which a busy machine does not change.
func BenchmarkClassifyHit(b *testing.B) {
	for name, sql := range map[string]string{
		"point":  "SELECT c FROM sbtest1 WHERE id=12345",
		"insert": "INSERT INTO sbtest1 (id, k, c, pad) VALUES (0, 4999, '08566691963-88624912351', '67847967377-48000963322')",
		"join":   "SELECT o.id, o.total, u.name FROM orders o JOIN users u ON u.id = o.user_id WHERE o.state IN ('new','paid','sent') AND u.country = 'FI' ORDER BY o.id DESC LIMIT 20",
	} {
		b.Run(name, func(b *testing.B) {
			c, s, d := NewClassifier(1024), new(Scratch), Dialect{Flavour: cluster.FlavourMySQL}
			text := []byte(sql)
			b.ReportAllocs()
			b.SetBytes(int64(len(sql)))
			before := processor()
			for b.Loop() {
				c.Classify(text, d, s)
			}
			b.ReportMetric(float64(processor()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}
