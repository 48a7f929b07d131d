package backend

import "github.com/bellwether-db/bellwether/cluster"

// NodeSet is a set of indexes into one topology's nodes, up to 64 of them; a
// cluster of more is served by its first 64.
type NodeSet uint64

// With returns the set with one index more.
func (s NodeSet) With(i int) NodeSet { return s | 1<<(uint(i)&63) }

// Has reports whether an index is in the set.
func (s NodeSet) Has(i int) bool { return s&(1<<(uint(i)&63)) != 0 }

// Pick chooses a slave for a read among the readable ones that are not
// excluded: the better of two taken at random, by outstanding work and recent
// latency for their weight ("the power of two choices", Mitzenmacher 2001).
// Slaves in near, where the session has a connection or its position already,
// are worth a quarter more, and those in far, which would have to be waited for,
// half as much. It returns -1 where there is none.
func (p *Pools) Pick(t *cluster.Topology, excluded, near, far NodeSet, random uint64) int {
	var eligible [64]int8
	n := 0
	for _, i := range t.Readable {
		if i < len(eligible) && !excluded.Has(i) {
			eligible[n] = int8(i)
			n++
		}
	}
	switch n {
	case 0:
		return -1
	case 1:
		return int(eligible[0])
	}
	first := int(random % uint64(n))
	second := int((random >> 32) % uint64(n-1))
	if second >= first {
		second++
	}
	a, b := int(eligible[first]), int(eligible[second])
	if p.score(t, b, near, far) < p.score(t, a, near, far) {
		return b
	}
	return a
}

// score is the expected time of one more statement on a node, for its weight.
func (p *Pools) score(t *cluster.Topology, i int, near, far NodeSet) float64 {
	node := &t.Nodes[i]
	outstanding, latency := int64(0), int64(0)
	if s := p.Stats(node.Name); s != nil {
		outstanding, latency = s.Outstanding.Load(), s.Latency.Load()
	}
	score := float64(outstanding+1) * float64(latency+20_000) / float64(max(node.Weight, 1))
	if near.Has(i) {
		score *= 0.8
	}
	if far.Has(i) {
		score *= 2
	}
	return score
}
