package replicator

import (
	"sync/atomic"

	"github.com/bellwether-db/bellwether/replicator/downstream"
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
	client atomic.Pointer[upstream.Client] // of the present master

	protection protection

	lastRefusal     string          // of follow alone
	lastUnprotected string          // of acknowledge alone
	found           map[string]bool // of prepare, which one goroutine calls at a time: findings that were told
	near            map[string]bool // of retain alone: slaves that were warned of
}

func newRelay(r *Replicator, id identity, stored *storedlog.Log, server *downstream.Server) *relay {
	return &relay{Replicator: r, id: id, stored: stored, server: server, found: map[string]bool{}}
}

// accounts are what slaves may log in with.
func (id identity) accounts() []downstream.Account {
	return []downstream.Account{{Name: id.User, Secret: wire.PasswordSecret(id.Password)}}
}
