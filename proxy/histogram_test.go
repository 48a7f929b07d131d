package proxy

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestBucketsHoldWhatTheySay(t *testing.T) {
	for i := range histogramBuckets {
		from := time.Duration(0)
		if i > 0 {
			from = bucketEnd(i - 1)
		}
		end := bucketEnd(i)
		if bucketOf(from) != i || bucketOf(end-1) != i || end <= from {
			t.Fatalf("bucket %d is from %v to %v, but those are in %d and %d", i, from, end, bucketOf(from), bucketOf(end-1))
		}
		if i >= bucketsPerOctave && end-from > from/bucketsPerOctave {
			t.Errorf("bucket %d from %v to %v is wider than an eighth", i, from, end)
		}
	}
	if bucketOf(-1) != 0 || bucketOf(1<<62) != histogramBuckets-1 {
		t.Error("what is out of range is in no bucket at the end")
	}
	for i := range latencyBuckets { // what the metrics tell ends where a bucket ends
		if end := bucketEnd(bucketOf(latencyUnit<<i - 1)); end != latencyUnit<<i {
			t.Errorf("%v is inside a bucket that ends at %v", latencyUnit<<i, end)
		}
	}
}

func TestQuantilesAreNearTheTruth(t *testing.T) {
	var h histogram
	random := rand.New(rand.NewPCG(1, 2))
	for range 200_000 { // evenly from 0 to 100 ms
		h.add(time.Duration(random.Int64N(int64(100 * time.Millisecond))))
	}
	var all distribution
	all.join(&h)
	for share, want := range map[float64]time.Duration{0.5: 50 * time.Millisecond, 0.95: 95 * time.Millisecond, 0.99: 99 * time.Millisecond} {
		if got := all.quantile(share, 100*time.Millisecond); (got - want).Abs() > want/50 {
			t.Errorf("the quantile %v is %v, want about %v", share, got, want)
		}
	}
	if got := new(distribution).quantile(0.5, time.Second); got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
	var one histogram
	one.add(3 * time.Millisecond)
	all = distribution{}
	all.join(&one)
	if got := all.quantile(0.99, 3*time.Millisecond); got > 3*time.Millisecond || got < 2700*time.Microsecond {
		t.Errorf("the quantile of one is %v", got)
	}
}
