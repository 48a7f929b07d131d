package stats

import (
	"math/bits"
	"time"
)

const (
	subBits    = 6 // 64 steps for each power of two: at most 1.6 % off
	subBuckets = 1 << subBits
	buckets    = (64 - subBits + 1) * subBuckets
)

// Histogram counts durations, to the nanosecond up to 64 ns and within 1.6 %
// above. The zero value is empty and ready; adding allocates nothing. Only one
// goroutine at a time may use it.
type Histogram struct {
	counts [buckets]uint32
	total  uint64
}

// Add counts d; a negative one counts as 0.
func (h *Histogram) Add(d time.Duration) {
	h.counts[bucketOf(uint64(max(d, 0)))]++
	h.total++
}

// Merge adds all that other counted.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// Reset empties h.
func (h *Histogram) Reset() { *h = Histogram{} }

// Count is how many durations were added.
func (h *Histogram) Count() uint64 { return h.total }

// Quantile is the duration that a share q (0 to 1) of all does not exceed, by
// the middle of its bucket; 0 when h is empty.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := uint64(q * float64(h.total-1))
	var seen uint64
	for i, n := range h.counts {
		seen += uint64(n)
		if seen > rank {
			return middleOf(i)
		}
	}
	return 0
}

// bucketOf: below subBuckets the value itself, then subBuckets buckets for
// each power of two, by the bits that follow the highest.
func bucketOf(v uint64) int {
	if v < subBuckets {
		return int(v)
	}
	shift := bits.Len64(v) - 1 - subBits
	return (shift+1)*subBuckets + int(v>>shift) - subBuckets
}

// middleOf is the middle of bucket i.
func middleOf(i int) time.Duration {
	if i < subBuckets {
		return time.Duration(i)
	}
	shift := i/subBuckets - 1
	low := uint64(subBuckets+i%subBuckets) << shift
	return time.Duration(low + (uint64(1)<<shift)/2)
}
