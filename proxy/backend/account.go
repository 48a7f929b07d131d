package backend

import (
	"sync/atomic"
	"time"

	"github.com/bellwether-db/bellwether/wire"
)

// Account is what a client logs in with, and what its connections to the
// nodes log in with. Clients of the same user and password share one. Any
// goroutine may use it.
type Account struct {
	User string
	// Loopback is set when the nodes know the account by a loopback host only:
	// clients from elsewhere are not let in by it.
	Loopback atomic.Bool

	secret   atomic.Pointer[wire.Secret]
	revoked  atomic.Pointer[wire.ServerError]
	grants   atomic.Pointer[string] // what SHOW GRANTS said last
	sessions atomic.Int64
	used     atomic.Int64 // when somebody last logged in or out
}

// AccountKey tells accounts apart: a user and the verifier of its password.
type AccountKey struct {
	User     string
	Verifier [32]byte
}

// Secret returns what is known of the password.
func (a *Account) Secret() wire.Secret { return *a.secret.Load() }

// Revoked returns the node's error once it has refused the account, else nil.
func (a *Account) Revoked() *wire.ServerError { return a.revoked.Load() }

// Grants returns what SHOW GRANTS said last, "" before it was asked.
func (a *Account) Grants() string {
	if g := a.grants.Load(); g != nil {
		return *g
	}
	return ""
}

func (a *Account) key() AccountKey { return AccountKey{a.User, a.Secret().Verifier()} }

// Enter counts a session of the account in.
func (a *Account) Enter() { a.sessions.Add(1) }

// Leave counts a session of the account out.
func (a *Account) Leave() {
	a.used.Store(time.Now().UnixNano())
	a.sessions.Add(-1)
}

// hasPassword reports whether the password itself is known, with which a node
// can be given a full authentication.
func hasPassword(s wire.Secret) bool {
	_, ok := s.Password()
	return ok
}
