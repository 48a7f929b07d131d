package event

import (
	"bytes"
	"encoding/binary"
)

// queryFixed is the part of a Query event's body that has a fixed length:
// thread id, time, length of the database's name, error code, length of the
// status variables.
const queryFixed = 13

// query is what a Query event says, as far as it matters here.
type query struct {
	threadID uint32
	text     []byte // borrowed
}

// parseQuery reads the body of a Query event.
func parseQuery(body []byte) (query, error) {
	if len(body) >= queryFixed {
		database, variables := int(body[8]), int(binary.LittleEndian.Uint16(body[11:]))
		if text := queryFixed + variables + database + 1; text <= len(body) {
			return query{binary.LittleEndian.Uint32(body), body[text:]}, nil
		}
	}
	return query{}, malformed("parse query event of %d bytes", len(body))
}

// begins says whether the server wrote the text to open a transaction. Texts
// are compared as they are, since the server writes these itself and a
// client's own spelling never stands there.
func (q query) begins() bool {
	return string(q.text) == "BEGIN" || bytes.HasPrefix(q.text, []byte("XA START"))
}

// commits says whether the server wrote the text to end a transaction.
func (q query) commits() bool {
	return string(q.text) == "COMMIT" || string(q.text) == "ROLLBACK"
}

// endsXA says whether the text ends an XA transaction that was never prepared.
func (q query) endsXA() bool {
	return bytes.HasPrefix(q.text, []byte("XA COMMIT")) || bytes.HasPrefix(q.text, []byte("XA ROLLBACK"))
}

// QueryText is what a Query event says. It is a value.
type QueryText struct {
	Thread uint32
	Schema string
	Text   string
	// Frame says that the server wrote it to begin or end a transaction.
	Frame bool
}

// ParseQuery reads a Query event that is not compressed. Its errors wrap
// ErrMalformed.
func ParseQuery(e Event, checksum bool) (QueryText, error) {
	body := e.body(checksum)
	q, err := parseQuery(body)
	if err != nil {
		return QueryText{}, err
	}
	schema := body[len(body)-len(q.text)-1-int(body[8]) : len(body)-len(q.text)-1]
	return QueryText{q.threadID, string(schema), string(q.text), q.begins() || q.commits()}, nil
}
