package proxy

import (
	"bytes"
	"strings"

	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// showStatus serves SHOW BELLWETHER STATUS.
func (x *session) showStatus(o *router.Own, sql []byte) error {
	x.prev.answered(localPing)
	pattern := "%"
	if o.Like {
		pattern = likePattern(sql)
	}
	var rows [][2]string
	for _, row := range x.statusRows() {
		if like(strings.ToLower(pattern), row[0]) {
			rows = append(rows, row)
		}
	}
	return x.sendRows([2]string{"Variable_name", "Value"}, rows)
}

// statusRows are the names and values that clients see; docs/consistency.md
// explains each.
func (x *session) statusRows() [][2]string {
	t, c := x.topology(), x.server.config.Load()
	position, known := x.token(t)
	feed := "direct"
	stored, _ := x.server.logEnd()
	if stored != nil {
		feed = "relay"
	}
	level, from := x.consistency, "session"
	if level == router.ConsistencyUnset {
		level, from = c.consistencyOf(x.account.User), "configuration"
	}
	pins := ""
	if x.held != nil {
		pins = x.pins.String()
	}
	return [][2]string{
		{"connection_id", utoa(x.id)},
		{"consistency", level.String()},
		{"consistency_from", from},
		{"feed", feed},
		{"last_read_from", x.read.node},
		{"master", masterName(t)},
		{"pins", pins},
		{"position", position},
		{"position_known", map[bool]string{true: "ON", false: "OFF"}[known]},
		{"stored_position", stored.String()},
		{"write_delay", x.server.WriteDelay().String()},
		{"writes", t.Writes.String()},
	}
}

// likePattern returns the pattern of SHOW ... LIKE 'pattern', of which sql is
// the text; the last quoted piece is it.
func likePattern(sql []byte) string {
	end := bytes.LastIndexAny(sql, `'"`)
	if end <= 0 {
		return "%"
	}
	start := bytes.LastIndexByte(sql[:end], sql[end])
	return string(sql[start+1 : end])
}

// like reports whether text matches a pattern of SQL: % for anything, _ for one
// character, a backslash before what stands for itself.
func like(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '%':
		return like(pattern[1:], text) || text != "" && like(pattern, text[1:])
	case text == "":
		return false
	case pattern[0] == '\\' && len(pattern) > 1:
		pattern = pattern[1:]
	case pattern[0] == '_':
		return like(pattern[1:], text[1:])
	}
	return pattern[0] == text[0] && like(pattern[1:], text[1:])
}

// sendRows answers with a result set of the proxy's own, of two columns.
func (x *session) sendRows(names [2]string, rows [][2]string) error {
	x.client.ExpectAnswer()
	write := func(p []byte) error { return x.client.WritePacket(p) }
	err := write([]byte{byte(len(names))})
	for _, name := range names {
		if err == nil {
			err = write(wire.AppendColumn(nil, &wire.Column{
				Table: "BELLWETHER STATUS", Name: name, Collation: wire.CollationUTF8MB4, Length: 4 << 10, Type: wire.TypeVarString,
			}))
		}
	}
	if err == nil && !x.capabilities.Has(wire.ClientDeprecateEOF) {
		err = write(wire.AppendEOF(nil, wire.EOF{Status: x.ownStatus()}))
	}
	for _, row := range rows {
		if err == nil {
			err = write(wire.AppendTextRow(nil, []byte(row[0]), []byte(row[1])))
		}
	}
	if err == nil {
		err = write(x.endOfRows())
	}
	if err == nil {
		err = x.client.Flush()
	}
	if err != nil {
		return &wire.SideError{Side: wire.SideClient, Err: err}
	}
	return nil
}

func (x *session) endOfRows() []byte {
	if x.capabilities.Has(wire.ClientDeprecateEOF) {
		return wire.AppendOK(nil, wire.HeaderEOF, x.capabilities, &wire.OK{Status: x.ownStatus()})
	}
	return wire.AppendEOF(nil, wire.EOF{Status: x.ownStatus()})
}

// ownStatus is the status word of an answer of the proxy's own.
func (x *session) ownStatus() uint16 { return x.status &^ wire.StatusMoreResults }
