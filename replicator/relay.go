package replicator

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/downstream"
	"github.com/bellwether-db/bellwether/replicator/outcome"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
	"github.com/bellwether-db/bellwether/replicator/upstream"
	"github.com/bellwether-db/bellwether/wire"
)

// relay is the stream of writes through this process: master, stored log,
// slaves.
type relay struct {
	*Replicator
	id     identity
	stored *storedlog.Log
	server *downstream.Server
	sink   *watchedSink
	begun  atomic.Pointer[reading] // of the present master, or the last one
	// reading is who is read from, or is about to be; nil: nobody.
	reading atomic.Pointer[source]
	left    atomic.Pointer[leftServer] // the last one that was read

	protection protection
	held       atomic.Bool // commits were seen to wait since this process began
	// orders is held while the master is told whether commits are to wait;
	// released, under it, says that they are not to any more.
	orders    sync.Mutex
	excluding chan struct{} // has an element for each Outcome that ends a connection
	released  bool
	found     told // findings

	lastRefusal     string          // of follow alone
	lastUnprotected string          // of acknowledge alone
	near            map[string]bool // of retain alone: slaves that were warned of
	seen            lastSeen        // of retain alone
	had             masterHad       // of forgets alone
}

func newRelay(r *Replicator, id identity, stored *storedlog.Log, server *downstream.Server) *relay {
	return &relay{Replicator: r, id: id, stored: stored, server: server, sink: &watchedSink{Log: stored, index: outcome.NewIndex(r.watched)}, excluding: make(chan struct{}, excluders)}
}

// reading is an upstream, and when it was begun. It is immutable.
type reading struct {
	client *upstream.Client
	since  time.Time
}

// leftServer is a server that was read, and all that was stored when that ended.
// It is immutable.
type leftServer struct {
	identity string
	end      *cluster.GTIDSet
}

// accounts are what slaves may log in with.
func (id identity) accounts() []downstream.Account {
	return []downstream.Account{{Name: id.User, Secret: wire.PasswordSecret(id.Password)}}
}

// guest is who may read the stored log besides: replicas that nobody has
// configured, and mysqlbinlog.
func (r *Replicator) guest() downstream.Account {
	account := r.settings().Direct
	return downstream.Account{Name: account.User, Secret: wire.PasswordSecret(account.Password)}
}

// told remembers what was said, so that nothing is said twice; any number of
// goroutines. The zero value is empty.
type told struct {
	mu    sync.Mutex
	texts map[string]bool
}

// first reports whether the text is new.
func (t *told) first(text string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.texts[text] {
		return false
	}
	if t.texts == nil {
		t.texts = map[string]bool{}
	}
	t.texts[text] = true
	return true
}
