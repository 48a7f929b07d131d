package proxy

import (
	"bytes"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// watchOK follows what the server says in an OK of the running statement,
// before the client sees it.
func (x *session) watchOK(ok *wire.OK) {
	x.seen.last = false
	if len(ok.Track) == 0 {
		return
	}
	entries := wire.NewTrackReader(ok.Track)
	var e wire.TrackEntry
	for entries.Next(&e) {
		switch e.Type {
		case wire.TrackSchema:
			if name, err := e.Value(); err == nil {
				x.toldSchema(string(name))
			}
		case wire.TrackSystemVariable:
			if name, value, err := e.Variable(); err == nil {
				x.restores(name, value)
				x.variable(name, value)
			}
		case wire.TrackGTIDs:
			if gtid, err := e.Value(); err == nil && len(gtid) > 0 {
				x.wrote(gtid)
			}
		case wire.TrackStateChange:
			x.seen.changed = true
		}
	}
}

func (x *session) wrote(gtid []byte) {
	set, err := cluster.ParseGTIDSet(x.dialect.Flavour, string(gtid))
	owed, w := x.seen.conn.OwesGTID, &x.seen.conn.Writes
	x.seen.conn.OwesGTID = false
	w.Told, w.Missed = set, owed || err != nil
	switch {
	case err != nil:
		x.position.lose(time.Now())
		return
	case owed: // it may be an older one, even another session's
		x.position.heard(set)
		x.secure(set)
		return
	}
	x.seen.gtid, x.seen.last = true, true
	x.position.wrote(string(gtid), set)
	x.overtake(set)
	x.secure(set)
}

// variable follows a session variable. The names compared are constants, so
// that nothing is allocated for MariaDB's last_gtid but the position itself.
func (x *session) variable(name, value []byte) {
	if x.seen.lent && string(name) != "last_gtid" {
		return
	}
	switch string(name) {
	case "last_gtid":
		if len(value) > 0 {
			x.wrote(value)
		}
		return
	case "character_set_connection": // collation_connection says it all
		x.seen.charset, x.seen.stateSet = true, true
		return
	case "collation_connection":
		x.seen.collated = true
	case "session_track_gtids", "session_track_schema", "session_track_state_change",
		"session_track_system_variables", "session_track_transaction_info":
		x.seen.stateSet = true
		return // resolved before the next statement
	case "timestamp", "insert_id", "last_insert_id", "rand_seed1", "rand_seed2", "identity":
		x.seen.stateSet = true
		return // the router pins the session
	}
	x.seen.stateSet = true
	x.setState(string(name), string(value))
	x.understand(string(name), string(value))
}

func (x *session) setState(name, value string) {
	c := x.seen.conn
	same := c.State == x.state
	x.state = x.state.With(name, value)
	if same {
		c.State = x.state
	} else if c.State != nil {
		c.State = c.State.With(name, value)
	}
}

// understand follows the variables that decide how statements are read and
// where they go.
func (x *session) understand(name, value string) {
	switch name {
	case "transaction_isolation", "tx_isolation":
		x.serializable = value == "SERIALIZABLE"
	case "sql_auto_is_null":
		x.autoIsNull = isOn(value)
	case "sql_mode":
		x.dialect.ANSIQuotes = hasMode(value, "ANSI_QUOTES")
		x.dialect.NoBackslashEscapes = hasMode(value, "NO_BACKSLASH_ESCAPES")
		x.dialect.IgnoreSpace = hasMode(value, "IGNORE_SPACE") || x.capabilities.Has(wire.ClientIgnoreSpace)
	case "character_set_client":
		x.dialect.UnsafeCharset = unsafeCharset(value)
	}
}

func hasMode(modes, mode string) bool {
	for m := range strings.SplitSeq(modes, ",") {
		if m == mode {
			return true
		}
	}
	return false
}

// unsafeCharset reports whether bytes of statements in this character set may
// not be what they look like.
func unsafeCharset(name string) bool {
	switch name {
	case "utf8mb4", "utf8mb3", "utf8", "latin1", "ascii", "binary":
		return false
	}
	return true
}

// keepEntry says which entries of a session-track block a client with session
// tracking sees: those that it would see without a proxy.
func (x *session) keepEntry(e wire.TrackEntry) bool {
	switch e.Type {
	case wire.TrackSystemVariable:
		name, _, err := e.Variable()
		return err == nil && x.tracksVariable(name) && !x.heldBack(name)
	case wire.TrackStateChange:
		return isOn(x.tracking("session_track_state_change"))
	case wire.TrackGTIDs:
		v := x.tracking("session_track_gtids")
		return v != "" && v != "OFF"
	case wire.TrackSchema:
		return !x.seen.stale && x.tracksSchema()
	}
	return true
}

// tracking is what the client itself has set of session tracking, "" for nothing.
func (x *session) tracking(name string) string {
	if x.things == nil {
		return ""
	}
	return x.things.tracks[name]
}

// tracksVariable reports whether the client is told of changes of a variable.
func (x *session) tracksVariable(name []byte) bool {
	if x.things != nil {
		if list, asked := x.things.tracks["session_track_system_variables"]; asked {
			return list == "*" || bytes.Contains([]byte(","+list+","), []byte(","+string(name)+","))
		}
	}
	return tracked(name)
}

// tracksSchema reports whether the client is told of changes of its schema.
func (x *session) tracksSchema() bool {
	if x.things == nil {
		return true
	}
	v, asked := x.things.tracks["session_track_schema"]
	return !asked || isOn(v)
}

func isOn(v string) bool { return v == "1" || v == "ON" }

// tracked reports whether servers track a variable unless told otherwise.
func tracked(name []byte) bool {
	switch string(name) {
	case "autocommit", "character_set_client", "character_set_connection", "character_set_results", "time_zone":
		return true
	}
	return false
}

// follow brings the session up to date after an answer, and keeps or parks the
// connection.
func (x *session) follow(r *request, c *backend.Conn) {
	x.prev.asked(c)
	if r.aside {
		x.followDiagnostics(r, c)
		x.park(c)
		return
	}
	x.wasReadOnly = x.status&wire.StatusInReadOnly != 0
	if x.answer.HasStatus {
		x.status = x.answer.Status &^ (wire.StatusMoreResults | wire.StatusSessionStateChanged | wire.StatusLastRowSent |
			wire.StatusNoGoodIndexUsed | wire.StatusNoIndexUsed | wire.StatusQueryWasSlow | wire.StatusOutParameters |
			wire.StatusCursorExists | wire.StatusDatabaseDropped | wire.StatusMetadataChanged)
		c.Status = x.status
	}
	countTransactions(c, x.status, r.statement.Kind)
	x.followDiagnostics(r, c)
	x.owe(r, c)
	if r.statement.Flags.Has(router.ReadOnlyTransaction) {
		x.readOnlyBegin = "START TRANSACTION READ ONLY"
		if r.answer == wire.AnswerQuery && r.prepared == nil {
			x.readOnlyBegin = string(r.payload[1:])
		}
	}
	x.remember(r, c)
	x.followUnresolved(r)
	x.lend(r.statement)
	if strings.HasPrefix(r.statement.Fingerprint, "alter database") || strings.HasPrefix(r.statement.Fingerprint, "alter schema") {
		x.dropParked(c) // they would keep the schema's old collation
	}
	if r.answer == wire.AnswerPrepare {
		if x.answer.Code == 0 {
			x.prepareDone(r.prepared, c)
		}
	} else {
		x.followInsertID(r.statement, c)
		x.followWrite(r.statement, c)
	}
	x.pins = x.pinsAfter(r, c)
	x.keep(c)
}

// followDiagnostics notes what may be asked about the statement afterwards.
func (x *session) followDiagnostics(r *request, c *backend.Conn) {
	s, effect := r.statement, foundLeaves
	if r.answer == wire.AnswerPrepare && x.answer.Code == 0 && x.dialect.Flavour == cluster.FlavourMySQL {
		c.Warned = x.answer.Warnings > 0
		x.prev.prepared(c, c.Warned)
		x.warnings, x.erred = x.answer.Warnings, false
		return
	}
	if s == changeSchema && x.answer.Code == 0 && x.prev.changedSchema(c) {
		return
	}
	if r.answer == wire.AnswerQuery {
		effect = effectOnFound(x.dialect.Flavour, s, &x.answer)
	}
	clears := x.clearsList(s, c)
	x.prev.list(c, clears)
	x.prev.ran(c, &x.answer, effect)
	x.prev.listLost = x.prev.listLost || r.apart
	x.warnings = x.answer.Warnings
	// Of what the server could not even parse nothing has run.
	unknown := s.Kind == router.KindUnknown && x.answer.Code != wire.CodeParse
	x.erred = x.answer.Code != 0 && (x.erred || s.Kind == router.KindCall || unknown || s.Flags.Has(router.Multi))
	if x.answer.Code != 0 && x.dialect.Flavour == cluster.FlavourMySQL {
		x.warnings = 1
	}
	warned := x.answer.Warnings > 0 || x.answer.Code != 0 || x.mayHaveWarned(s)
	if s.Flags.Has(router.NeedsDiagnostics) && !s.Flags.Has(router.Multi) && x.answer.Code == 0 {
		return // it leaves them as they were
	}
	c.Warned = warned || c.Warned && !clears
	x.prev.warned = warned || x.prev.warned && !clears
}

// clearsList reports whether no warnings of earlier statements are to be asked
// for any more.
func (x *session) clearsList(s *router.Statement, c *backend.Conn) bool {
	none := !c.Warned && !x.prev.warned && x.prev.warnedAt == nil && !x.prev.listLost
	return none || x.dialect.Flavour != cluster.FlavourMariaDB || x.answer.Warnings > 0 || x.answer.Code != 0 ||
		clearsWarnings(s) || x.wroteByItself(s)
}

// wroteByItself reports whether what a statement called has written, which clears
// the list; a function that reads tables leaves it.
func (x *session) wroteByItself(s *router.Statement) bool {
	return x.seen.gtid && !x.seen.begun && !s.Flags.Has(router.Multi) &&
		(x.seen.reason == router.ReasonStoredFunction || x.seen.reason == router.ReasonProcedure)
}

// mayHaveWarned reports whether the list may hold warnings that the last answer
// does not count: those of a statement before it in the packet.
func (x *session) mayHaveWarned(s *router.Statement) bool {
	return s.Flags.Has(router.Multi) && x.dialect.Flavour == cluster.FlavourMariaDB
}

// keep holds the connection while there is a pin, and parks it otherwise.
func (x *session) keep(c *backend.Conn) {
	if x.pins == 0 {
		x.held = nil
		x.park(c)
		return
	}
	if x.held == nil {
		x.server.metrics.pinned(x.pins.First())
	}
	x.held = c
}

// carried reports whether every variable of a SET can be given to another
// connection: the server reports all of them on MariaDB, on MySQL those that
// were asked for.
func (x *session) carried(s *router.Statement) bool {
	if x.dialect.Flavour != cluster.FlavourMySQL {
		return true
	}
	for _, v := range s.Variables {
		if !backend.Carried(v) {
			return false
		}
	}
	return true
}

// leaveDiagnostics gives up a connection that was kept only for questions
// about the previous statement, unless this is one.
func (x *session) leaveDiagnostics(s *router.Statement) {
	if x.held == nil || !x.pins.Has(router.PinDiagnostics) || s.Flags.Has(router.NeedsDiagnostics) {
		return
	}
	if x.erred {
		return // what it answers next says whether a transaction is open
	}
	c := x.held
	if x.unresolved != 0 {
		if err := x.resolve(c); err != nil {
			x.dropHeld()
			return
		}
	}
	x.pins = x.pins.Without(router.PinDiagnostics)
	if x.pins == 0 {
		x.held = nil
		x.park(c)
	}
}

// dropHeld closes the held connection, and with it what it held.
func (x *session) dropHeld() {
	c, pins := x.held, x.pins
	c.Discard()
	x.prev.gone(c)
	x.held, x.pins = nil, 0
	x.bereave(pins, &lostError{node: c.Node()})
}
