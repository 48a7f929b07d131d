package trace

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"time"
)

// Parent is what a client says of the trace that its statement belongs to. The
// zero value is none. It is a value.
type Parent struct {
	TraceID [16]byte
	SpanID  [8]byte
	Sampled bool
}

// Valid reports whether there is one.
func (p Parent) Valid() bool { return p.TraceID != [16]byte{} && p.SpanID != [8]byte{} }

const (
	// farthest is how far from the statement's ends its comment is looked for.
	farthest = 1 << 10
	// sizeOfParent is that of 00-TRACE-SPAN-FLAGS.
	sizeOfParent = 2 + 1 + 32 + 1 + 16 + 1 + 2
)

// parentKey stands before a parent, in the manner of sqlcommenter; immutable.
var parentKey = []byte("traceparent='")

// FindParent finds the W3C traceparent in a comment at the beginning or the end
// of a statement: /*traceparent='00-...-...-01'*/.
func FindParent(sql []byte) Parent {
	at := bytes.Index(sql[:min(len(sql), farthest)], parentKey)
	if at < 0 && len(sql) > farthest {
		from := len(sql) - farthest
		if at = bytes.Index(sql[from:], parentKey); at >= 0 {
			at += from
		}
	}
	if at < 0 {
		return Parent{}
	}
	return parseParent(sql[at+len(parentKey):])
}

func parseParent(text []byte) (p Parent) {
	if len(text) <= sizeOfParent || text[sizeOfParent] != '\'' || !bytes.HasPrefix(text, []byte("00-")) || text[35] != '-' || text[52] != '-' {
		return Parent{}
	}
	var flags [1]byte
	for _, part := range []struct{ into, from []byte }{{p.TraceID[:], text[3:35]}, {p.SpanID[:], text[36:52]}, {flags[:], text[53:55]}} {
		if _, err := hex.Decode(part.into, part.from); err != nil {
			return Parent{}
		}
	}
	p.Sampled = flags[0]&1 != 0
	return p
}

// Span is one statement. It belongs to who makes it until it is added.
type Span struct {
	traceID [16]byte
	spanID  [8]byte
	parent  [8]byte

	Name       string
	Begun      time.Time
	Ended      time.Time
	Failed     bool
	attributes []attribute
}

// NewSpan returns a span below parent, or one that begins a trace.
func NewSpan(name string, parent Parent, begun, ended time.Time) *Span {
	s := &Span{Name: name, Begun: begun, Ended: ended, attributes: make([]attribute, 0, 20)}
	s.traceID, s.parent = parent.TraceID, parent.SpanID
	if !parent.Valid() {
		s.parent = [8]byte{}
		fill(s.traceID[:])
	}
	fill(s.spanID[:])
	return s
}

// fill makes an id, none of which may be zero.
func fill(id []byte) {
	for i := range id {
		id[i] = byte(rand.Uint32())
	}
	id[0] |= 1
}

// Text adds an attribute, unless it is empty.
func (s *Span) Text(key, text string) {
	if text != "" {
		s.attributes = append(s.attributes, attribute{Key: key, Value: value{Text: &text}})
	}
}

// Number adds an attribute.
func (s *Span) Number(key string, number int64) {
	s.attributes = append(s.attributes, attribute{Key: key, Value: value{Number: &number}})
}
