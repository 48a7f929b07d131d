package cluster

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// nodeProber probes over one line, which it keeps.
//
// A server that is frozen lets the kernel accept connections for it, and finds
// them all when it goes on; so many logins that broke off may even have it refuse
// the whole machine. So what got no answer is not given up with the probe: it
// stays under way, a second one is begun on a new connection, for the network may
// have lost only the first, and then the prober waits.
type nodeProber struct {
	db       *sql.DB
	patience time.Duration        // how long an exchange may be under way
	idle     *line                // ready for the next exchange, nil if none is
	underway map[*exchange]func() // with what ends them
	finished chan *exchange
	children sync.WaitGroup
}

var _ prober = (*nodeProber)(nil)

const (
	// mostUnderway bounds the exchanges without an answer.
	mostUnderway = 2
	// leastPatience is how long an exchange may be under way, where a probe may not
	// take longer.
	leastPatience = 15 * time.Second
)

// exchange is one question to the node and its answer.
type exchange struct {
	reused bool  // on the line of an earlier one
	line   *line // nil once it is lost
	o      observation
}

func newNodeProber(db *sql.DB, timeout time.Duration) *nodeProber {
	return &nodeProber{db: db, patience: max(leastPatience, timeout), underway: map[*exchange]func(){}, finished: make(chan *exchange, mostUnderway)}
}

// close ends what is under way, the connections and their pool.
func (p *nodeProber) close() error {
	for _, end := range p.underway {
		end()
	}
	p.children.Wait()
	for len(p.finished) > 0 {
		p.settle(<-p.finished)
	}
	if p.idle != nil {
		p.idle.drop()
	}
	return p.db.Close()
}

// probe asks, and returns the answer that comes within the context's time. A
// connection that broke since the last probe says nothing about now: it is
// replaced within the same probe.
func (p *nodeProber) probe(ctx context.Context) observation {
	for len(p.finished) > 0 {
		p.settle(<-p.finished) // answers that came too late
	}
	broken := false
	for x := p.begin(); ; {
		select {
		case e := <-p.finished:
			p.settle(e)
			switch {
			case e != x && x != nil: // a late one while another is under way
			case e != x:
				x = p.begin()
			case e.o.outcome == OutcomeLost && e.reused && ctx.Err() == nil:
				broken, x = true, p.begin()
			default:
				return p.conclude(e, broken)
			}
		case <-ctx.Done():
			err := fmt.Errorf("no answer: %w", ctx.Err())
			return observation{outcome: outcomeOf(err), err: err, broken: broken}
		}
	}
}

// conclude is the end of a probe. Where it was answered, what is still under way
// is no use any more.
func (p *nodeProber) conclude(e *exchange, broken bool) observation {
	if e.o.outcome != OutcomeAnswered {
		e.o.broken = broken
		return e.o
	}
	for _, end := range p.underway {
		end()
	}
	return e.o
}

// settle takes a finished exchange out of the books, and keeps its line.
func (p *nodeProber) settle(e *exchange) {
	p.underway[e]()
	delete(p.underway, e)
	switch {
	case e.line == nil:
	case p.idle != nil:
		e.line.drop()
	default:
		p.idle = e.line
	}
}

// begin starts an exchange, nil where there are as many as may be.
func (p *nodeProber) begin() *exchange {
	if len(p.underway) >= mostUnderway {
		return nil
	}
	x := &exchange{line: p.idle, reused: p.idle != nil}
	p.idle = nil
	ctx, cancel := context.WithTimeout(context.Background(), p.patience)
	p.underway[x] = cancel
	p.children.Go(func() {
		x.run(ctx, p.db)
		p.finished <- x
	})
	return x
}

// run asks, and drops the line if no answer comes.
func (x *exchange) run(ctx context.Context, db *sql.DB) {
	begun := time.Now()
	var err error
	if x.line == nil {
		x.line, err = openLine(ctx, db)
	}
	if err == nil {
		x.o, err = x.line.read(ctx)
	}
	if err != nil && ctx.Err() != nil { // the driver says only that the connection broke
		err = errors.Join(ctx.Err(), err)
	}
	x.o.begun, x.o.outcome, x.o.err = begun, outcomeOf(err), err
	if err != nil && x.line != nil {
		x.line.drop()
		x.line = nil
	}
}

// waits asks on the idle line; nobody knows while there is none.
func (p *nodeProber) waits(ctx context.Context, thread uint64) (state string, busy bool, err error) {
	if p.idle == nil {
		return "", true, nil
	}
	state, busy, err = p.idle.waits(ctx, thread)
	if err != nil {
		p.idle.drop()
		p.idle = nil
	}
	return state, busy, err
}
