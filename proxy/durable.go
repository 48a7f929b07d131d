package proxy

import (
	"context"

	"github.com/bellwether-db/bellwether/cluster"
)

// Journal is what tells whether a write is durable on more machines than the
// master. Any number of goroutines use it. A nil Journal keeps no promise.
type Journal interface {
	// Await returns once every transaction of set is stored durably, at once
	// where it is already, and with ctx's error once ctx has ended.
	Await(ctx context.Context, set *cluster.GTIDSet) error
}

// secure holds back the OK of a write until the write is stored. A client that
// hears nothing cannot believe that it was: so where that cannot be waited for
// the session ends without an answer.
func (x *session) secure() {
	journal := x.server.journal
	if journal == nil || x.position.set == nil {
		return
	}
	if err := journal.Await(x.ctx, x.position.set); err != nil {
		_ = x.client.Close() // what the relay sends now goes nowhere
	}
}
