package proxy

import (
	"strings"

	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
)

// followUnresolved notes what the server told only in part and has to be asked
// before the next statement: the collation behind a character set, and what
// session tracking the client has set itself, which changes what is told.
func (x *session) followUnresolved(r *request) {
	if x.seen.charset && !x.seen.collated {
		x.unresolved |= unresolvedCollation
		if containsFold(r.payload, "collate") {
			x.unresolved |= unresolvedNames
		}
	}
	if r.statement.Kind == router.KindSet && x.answer.Code == 0 && setsTracking(r.statement) {
		x.unresolved |= unresolvedTracking
		x.track(r.statement)
	}
}

// track notes which session tracking the client itself has set.
func (x *session) track(s *router.Statement) {
	if x.things == nil {
		x.things = &things{}
	}
	if x.things.tracks == nil {
		x.things.tracks = map[string]string{}
	}
	for _, v := range s.Variables {
		if strings.HasPrefix(v, "session_track_") {
			x.things.tracks[v] = ""
		}
	}
}

func setsTracking(s *router.Statement) bool {
	for _, v := range s.Variables {
		if strings.HasPrefix(v, "session_track_") {
			return true
		}
	}
	return false
}

func containsFold(s []byte, word string) bool {
	return strings.Contains(strings.ToLower(string(s)), word)
}

// resolve asks what is unresolved, on the connection that knows.
func (x *session) resolve(c *backend.Conn) error {
	what := x.unresolved
	x.unresolved = 0
	x.seen.conn = c
	if what&unresolvedCollation != 0 {
		// Setting it to itself tells it, and leaves FOUND_ROWS() alone.
		collation, err := c.Query("SET collation_connection=@@collation_connection")
		if err != nil {
			return err
		}
		x.resolveCollation(c, collation, what&unresolvedNames != 0)
	}
	if what&unresolvedTracking == 0 {
		return nil
	}
	if x.prev.found.kind == foundAt && x.prev.found.conn == c {
		x.askFound(c)
	}
	for name := range x.things.tracks {
		value, err := c.Query("SELECT @@" + name)
		if err != nil {
			return err
		}
		x.things.tracks[name] = value
	}
	return nil
}

func (x *session) resolveCollation(c *backend.Conn, collation string, all bool) {
	if !all {
		x.setState("collation_connection", collation)
		return
	}
	x.state = x.state.WithNames(x.state.CharacterSetClient(), collation)
	c.State = x.state
}
