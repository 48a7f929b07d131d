package proxy

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/proxy/trace"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// traced is what the span of a statement must know beside its tally; nil where
// it has none.
type traced struct {
	parent trace.Parent
	text   string
	// What the last attempt decided, and when it was sent.
	sent   time.Time
	reason router.Reason
	node   string
}

// beginTrace decides whether a request has a span.
func (x *session) beginTrace(r *request) {
	command := wire.Command(r.payload[0])
	if r.statement.Fingerprint == "" || command != wire.ComQuery && command != wire.ComStmtExecute {
		return
	}
	sql := r.payload[1:]
	if r.prepared != nil {
		sql = []byte(r.prepared.sql)
	}
	parent := trace.FindParent(sql)
	if !x.server.tracer.Samples(parent) {
		return
	}
	t := &traced{parent: parent}
	if d := x.tally.digest; d != nil && d.text != "" {
		t.text = d.text
	} else {
		t.text = router.Normalise(sql, x.dialect, mostDigestText)
	}
	x.tally.traced = t
}

// sends notes where an attempt of the statement goes.
func (t *traced) sends(d router.Decision, node string, now time.Time) {
	if t != nil {
		t.sent, t.reason, t.node = now, d.Reason, node
	}
}

// endTrace makes the span of a request that has ended, by the semantic
// conventions for databases. It has no literal: the text has none, and an error's
// message, which may quote one, is left out.
func (x *session) endTrace(r *request, err error) {
	y := &x.tally
	t := y.traced
	y.traced = nil
	operation := operationOf(r.statement)
	schema := x.schemaOf(r)
	s := trace.NewSpan(strings.TrimSpace(operation+" "+schema), t.parent, y.begun, y.ended)
	s.Text("db.system.name", x.dialect.Flavour.String())
	s.Text("db.namespace", schema)
	s.Text("db.operation.name", operation)
	s.Text("db.query.text", t.text)
	x.traceNode(s, t)
	if client, ok := x.socket.RemoteAddr().(*net.TCPAddr); ok {
		s.Text("client.address", client.IP.String())
		s.Number("client.port", int64(client.Port))
	}
	s.Text("bellwether.class", r.statement.Kind.String())
	s.Text("bellwether.reason", t.reason.String())
	s.Text("bellwether.consistency", x.demand.level.String())
	s.Number("bellwether.session", int64(x.id))
	if x.answer.HasRows {
		s.Number("db.response.returned_rows", int64(x.answer.Rows))
	}
	code := x.answer.Code
	if code == 0 {
		code = y.refused
	}
	if s.Failed = x.failedWith(err); s.Failed {
		s.Text("error.type", errorType(code))
	}
	if code != 0 {
		s.Text("db.response.status_code", strconv.Itoa(int(code)))
	}
	x.server.tracer.Add(s)
}

// traceNode adds where the statement ran, and how long it waited before.
func (x *session) traceNode(s *trace.Span, t *traced) {
	if t.node == "" {
		return
	}
	s.Text("bellwether.node", t.node)
	s.Text("bellwether.target", x.tally.ran.String())
	s.Number("bellwether.wait_us", t.sent.Sub(x.tally.begun).Microseconds())
	topology := x.topology()
	i := topology.Find(t.node)
	if i < 0 {
		return
	}
	host, port, err := net.SplitHostPort(topology.Nodes[i].Addr)
	if err != nil {
		return
	}
	s.Text("server.address", host)
	if number, err := strconv.Atoi(port); err == nil {
		s.Number("server.port", int64(number))
	}
}

// operationOf is the first word of a statement, in upper case.
func operationOf(s *router.Statement) string {
	word := s.Fingerprint
	if _, behind, ok := strings.Cut(word, "*/ "); ok && strings.HasPrefix(word, "/*") {
		word = behind // a hint
	}
	if end := strings.IndexFunc(word, func(c rune) bool { return c < 'a' || c > 'z' }); end >= 0 {
		word = word[:end]
	}
	return strings.ToUpper(word)
}

func errorType(code uint16) string {
	if code == 0 {
		return "connection_lost"
	}
	return fmt.Sprint(code)
}
