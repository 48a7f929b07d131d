package proxy

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/wire"
)

// login greets the client and lets a node judge what it shows. It reports
// whether the session may begin.
func (x *session) login() bool {
	c := x.server.config.Load()
	x.awaitSpeaker()
	_ = x.client.SetDeadline(time.Now().Add(c.HandshakeTimeout))
	l, err := wire.Accept(x.client, x.greeting(c))
	if err != nil {
		x.server.metrics.logins.refused.Add(1)
		x.server.log.Debug("client not let in", "session", x.id, "error", err)
		return false
	}
	if !x.admit(l) {
		return false
	}
	x.client.Release()
	return x.client.SetDeadline(time.Time{}) == nil
}

// awaitSpeaker holds the greeting while no node has told what it is: it would
// be about another server than the one that answers.
func (x *session) awaitSpeaker() {
	var r request
	defer x.over(&r)
	for t := x.topology(); speaker(t) == nil && x.hold(&r, t, 0) == holdGoesOn; t = x.topology() {
	}
}

// greeting is what a client is told first: what the master is.
func (x *session) greeting(c *Config) *wire.Greeting {
	g := &wire.Greeting{
		Version: "8.4.0-bellwether", ConnectionID: x.id, Capabilities: wire.Offered, Collation: 45,
		Status: wire.StatusAutocommit, TLS: c.TLS, RSA: c.RSA, Accounts: accounts{x.server, c},
	}
	t := x.topology()
	if n := speaker(t); n != nil {
		g.Version = n.Version
		x.dialect.Flavour = n.Flavour
		if n.Flavour == cluster.FlavourMariaDB {
			g.Version = "5.5.5-" + n.Version
		} else {
			g.Collation = 255
		}
	}
	return g
}

// speaker is the node that clients are told of: the master, else any that is known.
func speaker(t *cluster.Topology) *cluster.Node {
	if m := t.MasterNode(); m != nil && m.Version != "" {
		return m
	}
	for i := range t.Nodes {
		if t.Nodes[i].Version != "" {
			return &t.Nodes[i]
		}
	}
	return nil
}

// accounts tells the handshake what is remembered of users.
type accounts struct {
	server *Server
	config *Config
}

// Account implements wire.AccountLookup.
func (a accounts) Account(user string) (wire.Account, bool) {
	var found wire.Account
	ok := false
	if known := a.server.pools.Known(user); known != nil {
		secret := known.Secret()
		verifier := secret.Verifier()
		found, ok = wire.Account{Verifier: verifier[:], Known: secret}, true
	}
	for i := range a.config.Users {
		u := &a.config.Users[i]
		if u.Name != user {
			continue
		}
		found.NativeHash, found.SHA2Hash, ok = u.NativeHash, u.SHA2Hash, true
		found.Known = found.Known.Join(u.Secret)
		if found.Verifier == nil && hasSHA2(u.Secret) {
			verifier := u.Secret.Verifier()
			found.Verifier = verifier[:]
		}
	}
	return found, ok
}

func hasSHA2(s wire.Secret) bool {
	_, ok := s.SHA256()
	return ok
}

// admit lets a client in whose node accepts it, and answers it either way.
func (x *session) admit(l *wire.Login) bool {
	if err := x.judge(l); err != nil {
		x.server.metrics.logins.refused.Add(1)
		_ = l.Fail(loginError(l, err))
		return false
	}
	x.server.metrics.logins.accepted.Add(1)
	x.account.Enter()
	ok := wire.OK{Status: x.status}
	if x.schema != "" { // servers with session tracking tell it here
		ok.Track = wire.AppendTrackValue(nil, wire.TrackSchema, x.schema)
	}
	return l.Succeed(ok) == nil
}

func loginError(l *wire.Login, err error) *wire.ServerError {
	var refused *wire.ServerError
	switch {
	case errors.As(err, &refused) && refused.Code == wire.CodeAccessDenied:
		return l.AccessDenied() // the node's names the proxy's address
	case errors.As(err, &refused):
		return refused
	}
	return &wire.ServerError{Code: 1042, State: "08S01", // ER_BAD_HOST_ERROR
		Message: "Bellwether cannot reach a node to log in: " + err.Error()}
}

// judge finds the account and has a node judge it, unless one has done so
// lately. It fills in the session.
func (x *session) judge(l *wire.Login) error {
	if x.server.config.Load().RequireTLS && !l.Secure {
		return &wire.ServerError{Code: wire.CodeSecureTransportOnly, State: "HY000",
			Message: "Connections using insecure transport are prohibited: Bellwether requires TLS"}
	}
	x.capabilities, x.collation = l.Capabilities, l.Collation
	x.state = backend.StateOf(x.topology().Catalogue, l.Collation)
	strange := x.state == nil
	if strange {
		x.state = backend.EmptyState()
	}
	x.initial, x.schema, x.status = x.state, "", wire.StatusAutocommit
	x.understandAll()
	a := x.server.pools.Account(l.User, l.Secret)
	if !l.Fast() || a.Revoked() != nil || x.server.pools.Known(l.User) != a || l.Database != "" || strange {
		if err := x.ask(l, &a); err != nil {
			return err
		}
	}
	if a.Loopback.Load() && !loopback(x.remote()) {
		return l.AccessDenied()
	}
	if first := x.server.pools.Remember(a); first != a {
		x.dropParked(nil) // they belong to the other
		a = first
	}
	x.account = a
	x.shown.secure.Store(l.Secure)
	x.user.Store(a)
	return nil
}

func (x *session) understandAll() {
	if charset := x.state.CharacterSetClient(); charset != "" {
		x.understand("character_set_client", charset)
	}
	x.dialect.IgnoreSpace = x.capabilities.Has(wire.ClientIgnoreSpace)
}

func loopback(ip net.IP) bool { return ip == nil || ip.IsLoopback() }

// ask logs in on a node as the client, which judges it, and makes the
// database that it asked for the session's.
func (x *session) ask(l *wire.Login, a **backend.Account) error {
	x.account = *a
	c, err := x.patientLoginConn(l.Database)
	if errors.Is(err, wire.ErrNeedPassword) {
		if err := l.AskPassword(); err != nil {
			return l.AccessDenied()
		}
		*a = x.server.pools.Account(l.User, l.Secret)
		x.account = *a
		c, err = x.patientLoginConn(l.Database)
	}
	if err != nil {
		x.account = nil
		return err
	}
	for losses := 1; ; losses++ {
		if err = x.begin(c, l.Database); err == nil {
			break
		}
		c.Discard()
		if !isRefusal(err) && losses < mostLosses { // the node went away meanwhile
			if c, err = x.patientLoginConn(l.Database); err == nil {
				continue
			}
		}
		x.account = nil
		return err
	}
	x.prev.last = nil
	x.park(c)
	x.before = c
	return nil
}

// begin reads what a session must know of its account, and changes to its
// first database.
func (x *session) begin(c *backend.Conn, database string) error {
	if _, err := x.lookAt(c); err != nil {
		return err
	}
	if x.state == backend.EmptyState() {
		if err := x.beginStrange(c); err != nil {
			return err
		}
	}
	need := backend.Need{State: x.state, Schema: database, Foreign: true, MariaDB: x.dialect.Flavour == cluster.FlavourMariaDB}
	if err := adaptNow(c, &need); err != nil {
		return err
	}
	x.schema, x.status = database, c.Status&^wire.StatusSessionStateChanged
	return nil
}

// beginStrange gives a session whose client asked for a collation that the node
// does not know what the node itself gives it: its own defaults.
func (x *session) beginStrange(c *backend.Conn) error {
	defaults, err := c.Query("SELECT CONCAT(@@global.character_set_client, ',', @@global.collation_connection)")
	if err != nil {
		return err
	}
	charset, collation, _ := strings.Cut(defaults, ",")
	x.state = backend.Charset(charset, collation)
	x.initial = x.state
	x.understandAll()
	return nil
}

// lookAt finds out whether the account is one of the node's own host only.
func (x *session) lookAt(c *backend.Conn) (current string, err error) {
	current, err = c.Query("SELECT CURRENT_USER()")
	if err != nil {
		return "", err
	}
	host := current[strings.LastIndexByte(current, '@')+1:]
	ip := net.ParseIP(host)
	x.account.Loopback.Store(host == "localhost" || ip != nil && ip.IsLoopback() || strings.HasPrefix(host, "127."))
	return current, nil
}

// patientLoginConn holds a login while no node can be reached, as a statement is
// held: Bellwether has just started, or all is lost for a moment.
func (x *session) patientLoginConn(database string) (*backend.Conn, error) {
	config := x.server.config.Load()
	var r request
	defer x.over(&r)
	for {
		t := x.topology()
		ctx, cancel := x.within(config.HandshakeTimeout)
		c, err := x.loginConn(ctx, t, database)
		cancel()
		var refused *wire.ServerError
		if err == nil || errors.As(err, &refused) || errors.Is(err, wire.ErrNeedPassword) || x.hold(&r, t, 0) != holdGoesOn {
			_ = x.client.SetDeadline(time.Now().Add(config.HandshakeTimeout))
			return c, err
		}
	}
}

// loginConn logs in on the master, or while it cannot be reached on any other
// node that is up. A connection that is in the database already will do.
func (x *session) loginConn(ctx context.Context, t *cluster.Topology, database string) (*backend.Conn, error) {
	want := backend.Want{
		Account: x.account, Capabilities: x.capabilities, Owner: x.owner, State: x.state, Schema: database,
		Collation: x.collation,
	}
	err := error(errNoNode)
	if m := t.MasterNode(); m != nil && m.Health != cluster.HealthDown {
		var c *backend.Conn
		if c, err = x.server.pools.Lease(ctx, m, &want); err == nil {
			x.server.pools.Warm(want)
			return c, nil
		}
		var refused *wire.ServerError
		if errors.As(err, &refused) || errors.Is(err, wire.ErrNeedPassword) {
			return nil, err
		}
	}
	for i := range t.Nodes {
		if n := &t.Nodes[i]; i != t.Master && n.Health == cluster.HealthUp {
			if c, err2 := x.server.pools.Lease(ctx, n, &want); err2 == nil {
				return c, nil
			}
		}
	}
	return nil, err
}

// changeUser serves COM_CHANGE_USER: a new session on the same connection.
func (x *session) changeUser(payload []byte) error {
	x.bringFound()
	x.before = nil
	x.dropConnections()
	x.prev = previous{found: x.prev.found}
	x.forgetSession()
	x.schemaReset = false
	x.account.Leave()
	x.account = nil
	c := x.server.config.Load()
	_ = x.client.SetDeadline(time.Now().Add(c.HandshakeTimeout))
	g := x.greeting(c)
	g.Capabilities = x.capabilities
	collation := x.collation
	l, err := wire.AcceptChangeUser(x.client, g, payload)
	if err != nil {
		return errQuit
	}
	if l.Collation == 0 {
		l.Collation = collation
	}
	if !x.admit(l) {
		return errQuit
	}
	return x.client.SetDeadline(time.Time{})
}

// resetSession serves COM_RESET_CONNECTION: as a new session, but for the user
// and the current database, with the servers' own variables.
func (x *session) resetSession() error {
	x.askSchema()
	x.keepFound()
	x.dropConnections()
	x.prev.reset()
	x.forgetSession()
	x.schemaReset = x.schema != "" && x.dialect.Flavour == cluster.FlavourMySQL
	if x.dialect.Flavour == cluster.FlavourMariaDB {
		x.state = x.initial // it keeps the handshake's character set
	} else {
		x.state = backend.EmptyState()
	}
	x.status = x.status&^(wire.StatusInTransaction|wire.StatusInReadOnly|wire.StatusNoBackslashEscapes|wire.StatusANSIQuotes) | wire.StatusAutocommit
	x.understandAll()
	return x.sendOK()
}

// askSchema asks for the schema of a session whose client has turned off that it
// is told.
func (x *session) askSchema() {
	c := x.held
	if c == nil || x.tracksSchema() {
		return
	}
	if x.prev.found.kind == foundAt && x.prev.found.conn == c {
		if x.askFound(c); x.prev.found.kind != foundValue {
			x.held, x.pins = nil, 0 // it is gone
			return
		}
	}
	schema, err := c.Query("SELECT DATABASE()")
	if err != nil {
		x.dropHeld()
		return
	}
	x.schema, c.Schema, c.Asked = schema, schema, false
}

// forgetSession drops all that a reset takes from a session; its last own
// write stays, so that it goes on to see it.
func (x *session) forgetSession() {
	x.statements, x.things, x.insertID, x.warnings = nil, nil, nil, 0
	x.serializable, x.autoIsNull, x.unresolved, x.owed = false, false, 0, false
	x.dialect.ANSIQuotes, x.dialect.NoBackslashEscapes, x.dialect.UnsafeCharset = false, false, false
	x.understandAll()
}
