package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestSummarize(t *testing.T) {
	nan := math.NaN()
	tests := map[string]struct {
		in   []float64
		want Summary
	}{
		"nothing":       {nil, Summary{}},
		"one":           {[]float64{3}, Summary{3, 3, 3, 1}},
		"odd, unsorted": {[]float64{5, 1, 3}, Summary{3, 2, 4, 3}},
		"even":          {[]float64{1, 2, 3, 4}, Summary{2.5, 1.75, 3.25, 4}},
		"not numbers":   {[]float64{nan, 2, math.Inf(1)}, Summary{2, 2, 2, 1}},
	}
	for name, tt := range tests {
		if got := Summarize(tt.in); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestSummarizeLeavesItsInputAlone(t *testing.T) {
	in := []float64{3, 1, 2}
	Summarize(in)
	if !slices.Equal(in, []float64{3, 1, 2}) {
		t.Errorf("input became %v", in)
	}
}

// The machine is four times slower in the second round; the ratio is the same.
func TestRatiosArePairedByRound(t *testing.T) {
	got := Ratios([]float64{150, 600, 150}, []float64{100, 400, 100})
	if got.Median != 1.5 || got.Low != 1.5 || got.High != 1.5 {
		t.Errorf("ratios %v, want all 1.5", got)
	}
	if got := Ratios([]float64{1, 2}, []float64{0, 1}); got.N != 1 || got.Median != 2 {
		t.Errorf("a base of 0: %v, want one ratio of 2", got)
	}
}

func TestBucketsAreInOrderAndClose(t *testing.T) {
	last := -1
	for _, v := range []uint64{0, 1, 63, 64, 65, 127, 128, 129, 255, 256, 1000, 1 << 20, 1<<20 + 1<<15, math.MaxInt64} {
		b := bucketOf(v)
		if b < last || b >= buckets {
			t.Fatalf("bucket of %d is %d after %d of %d", v, b, last, buckets)
		}
		last = b
		if off := math.Abs(float64(middleOf(b))-float64(v)) / math.Max(float64(v), 1); off > 0.016 {
			t.Errorf("%d is told as %d, %.3f off", v, middleOf(b), off)
		}
	}
}

// The quantiles agree with those of a sorted list.
func TestQuantile(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h, half Histogram
	var all []float64
	for i := range 10000 {
		d := time.Duration(rng.ExpFloat64() * float64(time.Millisecond))
		all = append(all, float64(d))
		if i%2 == 0 {
			h.Add(d)
		} else {
			half.Add(d)
		}
	}
	h.Merge(&half)
	slices.Sort(all)
	for _, q := range []float64{0, 0.5, 0.99, 1} {
		got, want := float64(h.Quantile(q)), quantile(all, q)
		if math.Abs(got-want) > 0.03*want+1 {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if h.Count() != 10000 {
		t.Errorf("count %d, want 10000", h.Count())
	}
	if h.Reset(); h.Quantile(0.5) != 0 || h.Count() != 0 {
		t.Error("not empty after Reset")
	}
}

func TestAddDoesNotAllocate(t *testing.T) {
	var h Histogram
	if n := testing.AllocsPerRun(100, func() { h.Add(time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
