// Package stats holds the arithmetic of the benchmark: medians, spreads,
// ratios of rounds that belong together, and latency histograms.
package stats

import (
	"math"
	"slices"
)

// Summary tells the middle and the spread of some samples.
type Summary struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`  // lower quartile
	High   float64 `json:"high"` // upper quartile
	N      int     `json:"n"`    // how many samples were numbers
}

// Summarize leaves out what is not a finite number. Without a sample all
// fields are 0.
func Summarize(samples []float64) Summary {
	sorted := finite(samples)
	slices.Sort(sorted)
	if len(sorted) == 0 {
		return Summary{}
	}
	return Summary{
		Median: quantile(sorted, 0.5),
		Low:    quantile(sorted, 0.25),
		High:   quantile(sorted, 0.75),
		N:      len(sorted),
	}
}

// Ratios summarizes values[i] / base[i]: round by round, so that what slows
// the whole machine in one round falls out. Rounds that lack one of the two
// are left out.
func Ratios(values, base []float64) Summary {
	ratios := make([]float64, 0, len(values))
	for i := range min(len(values), len(base)) {
		ratios = append(ratios, values[i]/base[i])
	}
	return Summarize(ratios)
}

func finite(samples []float64) []float64 {
	out := make([]float64, 0, len(samples))
	for _, v := range samples {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out = append(out, v)
		}
	}
	return out
}

// quantile interpolates between the two neighbours in sorted, which is not empty.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
