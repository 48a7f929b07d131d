package downstream

import (
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/wire"
)

// accounts are those that may log in. They are immutable, for any number of
// goroutines.
type accounts struct {
	fixed map[string]wire.Secret
	guest func() Account
}

func newAccounts(list []Account, guest func() Account) accounts {
	out := accounts{fixed: make(map[string]wire.Secret, len(list)), guest: guest}
	for _, a := range list {
		out.fixed[a.Name] = a.Secret
	}
	return out
}

// secret is the password of an account.
func (a accounts) secret(user string) (wire.Secret, bool) {
	if secret, ok := a.fixed[user]; ok || a.guest == nil || user == "" {
		return secret, ok
	}
	guest := a.guest()
	return guest.Secret, guest.Name == user
}

// Account implements wire.AccountLookup.
func (a accounts) Account(user string) (wire.Account, bool) {
	secret, ok := a.secret(user)
	if !ok {
		return wire.Account{}, false
	}
	var out wire.Account
	if _, known := secret.SHA256(); known {
		verifier := secret.Verifier()
		out.Verifier = verifier[:]
	}
	if _, known := secret.SHA1(); known {
		hash := secret.NativeHash()
		out.NativeHash = hash[:]
	}
	return out, true
}

// admits reports whether a client has shown the password of its account.
func (a accounts) admits(user string, shown wire.Secret) bool {
	secret, ok := a.secret(user)
	return ok && secret.Same(shown)
}

// offered is what is agreed on with slaves: no files, no statements in one.
const offered = wire.Offered &^ (wire.ClientLocalFiles | wire.ClientMultiStatements)

// defaultCollations are those of the servers: MySQL's utf8mb4_0900_ai_ci, of
// which one byte is sent, and utf8mb4_general_ci.
const collationMySQL, collationMariaDB = 255, 45

func (s *Server) greeting(id uint32) *wire.Greeting {
	g := &wire.Greeting{
		Version: s.config.Version, ConnectionID: id, Capabilities: offered, Collation: collationMySQL,
		Status: wire.StatusAutocommit, TLS: s.config.TLS, RSA: s.config.RSA, Accounts: s.accounts,
	}
	if s.config.mariaDB() {
		// MariaDB's slaves of old want it, and servers of today still say it.
		g.Version, g.Collation = "5.5.5-"+s.config.Version, collationMariaDB
	}
	return g
}

// identity is who has logged in. It is a value.
type identity struct {
	user   string
	secure bool
}

// letIn greets a client and lets it in, or not; either way it has been told.
func (x *session) letIn() error {
	if err := x.socket.SetDeadline(time.Now().Add(x.server.config.HandshakeTimeout)); err != nil {
		return fmt.Errorf("greet slave: %w", err)
	}
	l, err := wire.Accept(x.conn, x.server.greeting(x.id))
	if err != nil {
		return fmt.Errorf("log slave in: %w", err)
	}
	if refusal := x.server.judge(l); refusal != nil {
		_ = l.Fail(refusal)
		return fmt.Errorf("log slave in as %q: %w", l.User, refusal)
	}
	x.capabilities = l.Capabilities
	x.server.mu.Lock()
	x.login = identity{user: l.User, secure: l.Secure} // kill reads it
	x.server.mu.Unlock()
	return l.Succeed(wire.OK{Status: wire.StatusAutocommit})
}

// judge says why a client is not let in, nil if it is.
func (s *Server) judge(l *wire.Login) *wire.ServerError {
	switch {
	case s.config.RequireTLS && !l.Secure:
		return &wire.ServerError{Code: wire.CodeSecureTransportOnly, State: "HY000",
			Message: "Connections using insecure transport are prohibited: Bellwether requires TLS of slaves"}
	case !s.accounts.admits(l.User, l.Secret):
		return l.AccessDenied()
	}
	return nil
}

// refuseFull tells a client that there are too many.
func (x *session) refuseFull() {
	_ = x.socket.SetDeadline(time.Now().Add(farewell))
	_ = x.sendError(&wire.ServerError{Code: wire.CodeTooManyConnections, State: "08004", Message: "Too many connections"})
}
