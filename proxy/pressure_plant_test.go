package proxy

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"
	"time"
)

// plant is a slave that applies so many transactions a second, and writers that
// each take a while for a write, in steps of a hundredth of a second. What is
// seen of the slave is as old as a probe's interval.
type plant struct {
	writers int
	service time.Duration // of one write
	rate    float64       // that the slave applies at most, on average
	pace    float64       // and now
	random  *rand.Rand
	now     time.Duration
	written []float64 // by the end of each step
	applied float64
	seen    look
}

type look struct {
	at      time.Duration
	applied float64
	lacks   float64
	lag     time.Duration
}

const plantStep = 10 * time.Millisecond

// step writes and applies for a step, with each write delayed.
func (p *plant) step(delay time.Duration) {
	before := 0.0
	if len(p.written) > 0 {
		before = p.written[len(p.written)-1]
	}
	p.now += plantStep
	p.written = append(p.written, before+float64(p.writers)*plantStep.Seconds()/(p.service+delay).Seconds())
	if len(p.written)%20 == 0 {
		p.pace = p.rate * (0.5 + p.random.Float64()) // some transactions take longer
	}
	p.applied = min(p.applied+p.pace*plantStep.Seconds(), p.written[len(p.written)-1])
	if p.now-p.seen.at >= 250*time.Millisecond {
		p.seen = look{p.now, p.applied, p.written[len(p.written)-1] - p.applied, p.lag()}
	}
}

// lag is the age of the oldest transaction that is not applied.
func (p *plant) lag() time.Duration {
	oldest := sort.Search(len(p.written), func(i int) bool { return p.written[i] > p.applied })
	return time.Duration(len(p.written)-oldest) * plantStep
}

// outlook is what follower makes of what was seen.
func (p *plant) outlook(f *follower) time.Duration {
	epoch := time.Unix(100, 0)
	n := slaveNode(p.seen.lag)
	n.Seen, n.LagGTIDs = epoch.Add(p.seen.at), uint64(p.seen.lacks)
	n.Applied = numbered(uint64(p.seen.applied))
	*f = f.next(&n)
	return f.outlook(&n)
}

// The lag stays near the limit and the delay does not swing, whatever writers
// and slaves there are; it is let go when the load is gone.
func TestPressureKeepsLagNearItsLimit(t *testing.T) {
	for _, limit := range []time.Duration{time.Second, 5 * time.Second, 30 * time.Second} {
		for _, writers := range []int{1, 100} {
			for _, surplus := range []float64{1.2, 2, 10} {
				t.Run(fmt.Sprintf("%v, %d writers, %g times what is applied", limit, writers, surplus), func(t *testing.T) {
					service := 2 * time.Millisecond
					rate := float64(writers) / service.Seconds() / surplus
					p := &plant{writers: writers, service: service, rate: rate, random: rand.New(rand.NewPCG(1, 2))}
					p.holds(t, limit)
				})
			}
		}
	}
}

// holds plays three minutes of load, and then one without.
func (p *plant) holds(t *testing.T, limit time.Duration) {
	const most = 200 * time.Millisecond
	var c pressure
	var f follower
	var worst, late time.Duration
	low, high := 1.0, 0.0
	for i := range int(3 * time.Minute / plantStep) {
		p.step(c.delay(most))
		if i%10 != 0 {
			continue
		}
		before := c.level
		c = c.next(p.outlook(&f), true, limit, 10*plantStep)
		if jump := c.level - before; jump > 0.3 || jump < -0.3 {
			t.Fatalf("at %v the level jumps by %.2f", p.now, jump)
		}
		worst = max(worst, p.lag())
		if p.now > 2*time.Minute {
			late, low, high = max(late, p.lag()), min(low, c.level), max(high, c.level)
		}
	}
	t.Logf("lag %v at worst, %v in the last minute; level %.2f to %.2f", worst, late, low, high)
	if bound := 2*limit + 5*time.Second; worst > bound || late > limit+max(limit/4, 2*time.Second) {
		t.Errorf("lag %v at worst and %v in the last minute, limit %v", worst, late, limit)
	}
	if high-low > 0.4 { // as the slave itself swings by half
		t.Errorf("the level swings between %.2f and %.2f", low, high)
	}
	p.writers = 0
	for range int(2 * time.Minute / plantStep) {
		p.step(0)
		c = c.next(p.outlook(&f), true, limit, plantStep)
	}
	if c.level != 0 {
		t.Errorf("level %.2f a minute after the load", c.level)
	}
}
