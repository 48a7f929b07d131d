package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/bellwether-db/bellwether/bench/process"
)

// Idle is what idle clients cost a proxy in memory.
type Idle struct {
	Through string         `json:"through"`
	Clients int            `json:"clients"`
	Before  process.Memory `json:"before"`
	After   process.Memory `json:"after"`
}

// PerClient is the growth of resident memory for each client, in bytes.
func (i Idle) PerClient() float64 {
	return float64(i.After.Resident-i.Before.Resident) / float64(i.Clients)
}

// measureIdle starts each proxy anew, so that nothing of a load is in its
// memory.
func measureIdle(ctx context.Context, o *options, lab *lab) ([]Idle, error) {
	var all []Idle
	for _, r := range o.routes {
		if r.kind == routeStraight || o.idle == 0 {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench: memory of %d idle clients through %s\n", o.idle, r)
		t, err := lab.openTarget(ctx, r)
		if err != nil {
			return nil, err
		}
		idle, err := t.measureIdle(ctx, o.idle)
		t.close()
		if err != nil {
			return nil, err
		}
		all = append(all, idle)
	}
	return all, nil
}

// idleWorkload has each client ask one point select, so that what a session
// makes at its first statement counts.
var idleWorkload = &workload{name: "idle", title: "idle", buffer: 512, ready: pointText, run: pointText}

// warmClients come and go first: what a proxy makes once is not the clients'.
const warmClients = 32

func (t *target) measureIdle(ctx context.Context, clients int) (Idle, error) {
	warm, err := launch(ctx, t, idleWorkload, warmClients)
	if err != nil {
		return Idle{}, err
	}
	warm.close()
	before, err := t.settled(ctx)
	if err != nil {
		return Idle{}, err
	}
	fleet, err := launch(ctx, t, idleWorkload, clients)
	if err != nil {
		return Idle{}, err
	}
	defer fleet.close()
	after, err := t.settled(ctx)
	return Idle{Through: t.name, Clients: clients, Before: before, After: after}, err
}

const (
	settleStep  = 500 * time.Millisecond
	settleSteps = 10 // at most
)

// settled waits until the proxy's memory has stayed within 1 % for two steps,
// or five seconds, and returns it.
func (t *target) settled(ctx context.Context) (process.Memory, error) {
	last, err := process.MemoryOf(t.proxy.pid())
	tick := time.NewTicker(settleStep)
	defer tick.Stop()
	for calm, step := 0, 0; err == nil && calm < 2 && step < settleSteps; step++ {
		select {
		case <-ctx.Done():
			return last, context.Cause(ctx)
		case <-tick.C:
		}
		var now process.Memory
		if now, err = process.MemoryOf(t.proxy.pid()); err != nil {
			break
		}
		calm++
		if change := now.Resident - last.Resident; change > last.Resident/100 || -change > last.Resident/100 {
			calm = 0
		}
		last = now
	}
	return last, err
}
