package proxy

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Latencies are counted in buckets of a microsecond up to 8 us, and from there
// on in 8 buckets for each power of two up to 71 minutes and beyond: what is read
// from them is at most an eighth off.
const (
	bucketsPerOctave = 8
	histogramBuckets = 240
)

// histogram counts durations. Any goroutine may use it; the zero value is empty.
type histogram struct {
	buckets [histogramBuckets]atomic.Uint64
}

func (h *histogram) add(d time.Duration) { h.buckets[bucketOf(d)].Add(1) }

// bucketOf is the bucket that a duration is counted in.
func bucketOf(d time.Duration) int {
	us := uint64(max(d, 0)) / uint64(time.Microsecond)
	if us < bucketsPerOctave {
		return int(us)
	}
	octave := bits.Len64(us) - 1 // 3 or more
	return min((octave-2)*bucketsPerOctave+int(us>>(octave-3))&(bucketsPerOctave-1), histogramBuckets-1)
}

// bucketEnd is where a bucket ends: what is in it took less.
func bucketEnd(i int) time.Duration {
	if i < bucketsPerOctave {
		return time.Duration(i+1) * time.Microsecond
	}
	octave, part := i/bucketsPerOctave+2, i%bucketsPerOctave
	return time.Duration(bucketsPerOctave+part+1) << (octave - 3) * time.Microsecond
}

// distribution is what several histograms hold together. It is owned by who made it.
type distribution [histogramBuckets]uint64

func (c *distribution) join(h *histogram) {
	for i := range h.buckets {
		c[i] += h.buckets[i].Load()
	}
}

func (c *distribution) total() (n uint64) {
	for _, count := range c {
		n += count
	}
	return n
}

// quantile is the duration that a share of all stays below, 0 without any; at
// most is known to be the longest.
func (c *distribution) quantile(share float64, most time.Duration) time.Duration {
	total := c.total()
	if total == 0 {
		return 0
	}
	wanted, before := share*float64(total), uint64(0)
	for i, count := range c {
		if count == 0 || float64(before+count) < wanted {
			before += count
			continue
		}
		from := time.Duration(0)
		if i > 0 {
			from = bucketEnd(i - 1)
		}
		part := (wanted - float64(before)) / float64(count)
		return min(from+time.Duration(part*float64(bucketEnd(i)-from)), most)
	}
	return most
}
