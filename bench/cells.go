package main

import (
	"context"
	"fmt"
	"os"
)

// cell is one workload at one number of clients.
type cell struct {
	workload *workload
	clients  int
}

// plan lists the cells of a run.
func (o *options) plan() []cell {
	var cells []cell
	for _, w := range o.workloads {
		for _, n := range o.clients {
			if !o.quick || w.points || n == o.quickClients() {
				cells = append(cells, cell{w, n})
			}
		}
	}
	return cells
}

// quickClients is the middle one of the client counts.
func (o *options) quickClients() int { return o.clients[len(o.clients)/2] }

func measureCells(ctx context.Context, o *options, lab *lab) ([]*Cell, error) {
	targets, err := lab.openTargets(ctx, o.routes)
	if err != nil {
		return nil, err
	}
	defer closeTargets(targets)
	var done []*Cell
	cells := o.plan()
	for i, c := range cells {
		fmt.Fprintf(os.Stderr, "bench: %d of %d: %s, %s\n", i+1, len(cells), c.workload.title, clientsText(c.clients))
		rounds, err := c.measure(ctx, o, targets)
		if err != nil {
			return nil, err
		}
		done = append(done, c.summarize(o.routes, rounds))
	}
	return done, nil
}

// measure logs all clients in on every way, warms each up, and then goes
// through the ways round by round, each round beginning with another one. The
// rounds are by the names of the ways.
func (c cell) measure(ctx context.Context, o *options, targets []*target) (map[string][]Round, error) {
	fleets, err := c.launchAll(ctx, targets)
	defer func() {
		for _, f := range fleets {
			f.close()
		}
	}()
	if err != nil {
		return nil, err
	}
	for _, f := range fleets {
		if _, err := f.round(ctx, o.round/2); err != nil {
			return nil, err
		}
	}
	rounds := map[string][]Round{}
	for number := range o.rounds {
		for i := range fleets {
			f := fleets[(i+number)%len(fleets)]
			r, err := f.round(ctx, o.round)
			if err != nil {
				return nil, err
			}
			rounds[f.target.name] = append(rounds[f.target.name], r)
		}
	}
	return rounds, nil
}

func (c cell) launchAll(ctx context.Context, targets []*target) (fleets []*fleet, err error) {
	for _, t := range targets {
		f, err := launch(ctx, t, c.workload, c.clients)
		if err != nil {
			return fleets, err
		}
		fleets = append(fleets, f)
	}
	return fleets, nil
}
