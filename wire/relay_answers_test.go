package wire

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// hearingConn is a deafConn that keeps what it was told.
type hearingConn struct {
	deafConn
	heard bytes.Buffer
}

func (h *hearingConn) Write(b []byte) (int, error) { return h.heard.Write(b) }

// answerFrames frames payloads as one answer, numbered from 1.
func answerFrames(payloads ...[]byte) (all []byte) {
	for i, p := range payloads {
		all = append(all, frames(byte(i+1), p)...)
	}
	return all
}

// resultPayloads are those of a result set of one column.
func resultPayloads(caps Capability, end OK, rows ...string) [][]byte {
	all := [][]byte{{1}, AppendColumn(nil, &Column{Name: "a"})}
	if !caps.Has(ClientDeprecateEOF) {
		all = append(all, AppendEOF(nil, EOF{Status: end.Status & StatusCursorExists}))
	}
	for _, r := range rows {
		all = append(all, AppendTextRow(nil, []byte(r)))
	}
	if caps.Has(ClientDeprecateEOF) {
		return append(all, AppendOK(nil, HeaderEOF, caps, &end))
	}
	return append(all, AppendEOF(nil, EOF{Status: end.Status, Warnings: end.Warnings}))
}

func preparePayloads(caps Capability, p StmtPrepareOK) [][]byte {
	all := [][]byte{AppendStmtPrepareOK(nil, p)}
	for _, n := range []uint16{p.Parameters, p.Columns} {
		for range n {
			all = append(all, AppendColumn(nil, &Column{Name: "?"}))
		}
		if n > 0 && !caps.Has(ClientDeprecateEOF) {
			all = append(all, AppendEOF(nil, EOF{Status: 2}))
		}
	}
	return all
}

// relayed is one answer through a relay.
type relayed struct {
	answer Answer
	held   []byte
	heard  []byte
	rest   []byte // of what the node said, not consumed
	err    error
}

// relayAnswer relays what a node says, cut up by cut.
func relayAnswer(x *Relay, kind AnswerKind, says []byte, cut func(io.Reader) io.Reader) relayed {
	var r relayed
	node := NewConn(&deafConn{says: cut(bytes.NewReader(says))})
	client := &hearingConn{}
	x.Client = NewConn(client)
	r.err = x.Run(node, kind, &r.answer)
	r.held = bytes.Clone(r.answer.Held)
	r.rest = node.TakeBuffered()
	_ = x.Client.Flush()
	r.heard = client.heard.Bytes()
	return r
}

var cuts = map[string]func(io.Reader) io.Reader{
	"whole":        func(r io.Reader) io.Reader { return r },
	"byte by byte": iotest.OneByteReader,
	"in halves":    iotest.HalfReader,
}

func TestRelayedAnswers(t *testing.T) {
	const both = ClientSessionTrack | ClientDeprecateEOF
	failure := AppendError(nil, &ServerError{Code: 1064, State: "42000", Message: "no"})
	ok := OK{Status: 2, AffectedRows: 3, InsertID: 9}
	okPayload := AppendOK(nil, HeaderOK, both, &ok)
	more := resultPayloads(both, OK{Status: 2 | StatusMoreResults}, "one", "two")
	prepared := StmtPrepareOK{ID: 5, Columns: 2, Parameters: 3, Warnings: 1}
	for _, tc := range []struct {
		name     string
		kind     AnswerKind
		caps     Capability
		payloads [][]byte
		check    func(a *Answer) bool
	}{
		{"ok", AnswerQuery, both, [][]byte{okPayload}, func(a *Answer) bool {
			return a.Status == 2 && a.AffectedRows == 3 && a.InsertID == 9 && !a.HasRows && a.Code == 0
		}},
		{"rows", AnswerQuery, both, resultPayloads(both, OK{Status: 34, Warnings: 4}, "x", "", "y"), func(a *Answer) bool {
			return a.HasRows && a.Rows == 3 && a.Status == 34 && a.Warnings == 4
		}},
		{"rows with EOF", AnswerQuery, ClientSessionTrack, resultPayloads(0, OK{Status: 34, Warnings: 4}, "x"), func(a *Answer) bool {
			return a.HasRows && a.Rows == 1 && a.Status == 34 && a.Warnings == 4
		}},
		{"no rows", AnswerQuery, ClientSessionTrack, resultPayloads(0, OK{Status: 2}), func(a *Answer) bool { return a.HasRows && a.Rows == 0 }},
		{"many results", AnswerQuery, both, append(append(more[:len(more):len(more)], more...), okPayload), func(a *Answer) bool {
			return !a.HasRows && a.AffectedRows == 3
		}},
		{"an error behind a result", AnswerQuery, both, append(more[:len(more):len(more)], failure), func(a *Answer) bool {
			return a.Code == 1064
		}},
		{"an error among the rows", AnswerQuery, both, append(more[:len(more)-1:len(more)-1], failure), func(a *Answer) bool {
			return a.Code == 1064 && a.Rows == 2
		}},
		{"a file request", AnswerQuery, both, [][]byte{append([]byte{HeaderLocalFile}, "name"...)}, func(a *Answer) bool { return a.File }},
		{"a cursor", AnswerQuery, ClientSessionTrack, resultPayloads(0, OK{Status: StatusCursorExists})[:3], func(a *Answer) bool {
			return a.HasRows && a.Status == StatusCursorExists
		}},
		{"a cursor, no EOF", AnswerQuery, both, resultPayloads(both, OK{Status: StatusCursorExists}), func(a *Answer) bool {
			return a.HasRows && a.Status == StatusCursorExists
		}},
		{"fetched", AnswerRows, ClientSessionTrack, resultPayloads(0, OK{Status: StatusLastRowSent}, "a", "b")[3:], func(a *Answer) bool {
			return a.Rows == 2 && a.Status == StatusLastRowSent
		}},
		{"prepared", AnswerPrepare, both, preparePayloads(both, prepared), func(a *Answer) bool { return a.Prepared == prepared }},
		{"prepared with EOF", AnswerPrepare, 0, preparePayloads(0, prepared), func(a *Answer) bool { return a.Prepared == prepared }},
		{"prepared, columns only", AnswerPrepare, 0, preparePayloads(0, StmtPrepareOK{ID: 5, Columns: 1}), func(a *Answer) bool { return a.Prepared.Columns == 1 }},
		{"prepared, bare", AnswerPrepare, both, preparePayloads(both, StmtPrepareOK{ID: 5}), func(a *Answer) bool { return a.Prepared.ID == 5 }},
		{"statistics", AnswerText, both, [][]byte{[]byte("Uptime: 1")}, func(a *Answer) bool { return !a.HasStatus }},
	} {
		for how, cut := range cuts {
			x := &Relay{ClientCapabilities: tc.caps, NodeCapabilities: tc.caps, StatementID: 5}
			says := answerFrames(tc.payloads...)
			r := relayAnswer(x, tc.kind, append(says, "rest"...), cut)
			if r.err != nil || !tc.check(&r.answer) {
				t.Errorf("%s, %s: %+v, %v", tc.name, how, r.answer, r.err)
			}
			if !bytes.Equal(r.heard, says) || !bytes.HasPrefix([]byte("rest"), r.rest) {
				t.Errorf("%s, %s: heard\n% x of\n% x, left %q", tc.name, how, r.heard, says, r.rest)
			}
		}
	}
}

// TestRelayHoldsFirstError: an error before any byte of the answer is kept back.
func TestRelayHoldsFirstError(t *testing.T) {
	says := answerFrames(AppendError(nil, &ServerError{Code: 1290, State: "HY000", Message: "read only"}))
	for how, cut := range cuts {
		r := relayAnswer(&Relay{}, AnswerQuery, says, cut)
		if r.err != nil || r.answer.Code != 1290 || !bytes.Equal(r.held, says) || len(r.heard) > 0 || r.answer.Sent {
			t.Errorf("%s: %+v, %v, heard % x", how, r.answer, r.err, r.heard)
		}
	}
}

// TestRelayFiltersTracking: a client that did not ask for session tracking sees
// the packets of a server without it, and the results behind them whole.
func TestRelayFiltersTracking(t *testing.T) {
	const node = ClientSessionTrack | ClientDeprecateEOF
	track := AppendTrackVariable(nil, "autocommit", "OFF")
	changed := OK{Status: StatusMoreResults | StatusSessionStateChanged, Info: []byte("info"), Track: track}
	last := OK{Status: 2 | StatusSessionStateChanged, Track: track}
	says := append([][]byte{AppendOK(nil, HeaderOK, node, &changed)}, resultPayloads(node, last, "row")...)
	clientSees := append([][]byte{AppendOK(nil, HeaderOK, ClientDeprecateEOF, &changed)}, resultPayloads(ClientDeprecateEOF, last, "row")...)
	for how, cut := range cuts {
		watched := 0
		x := &Relay{ClientCapabilities: ClientDeprecateEOF, NodeCapabilities: node, Watch: func(ok *OK) {
			if bytes.Equal(ok.Track, track) {
				watched++
			}
		}}
		r := relayAnswer(x, AnswerQuery, answerFrames(says...), cut)
		if r.err != nil || watched != 2 || !bytes.Equal(r.heard, answerFrames(clientSees...)) {
			t.Errorf("%s: %v, watched %d, heard\n%q, want\n%q", how, r.err, watched, r.heard, answerFrames(clientSees...))
		}
	}
}

// TestRelayTellsWhatIsOwed: a schema that the client is owed stands behind the
// variables, in an OK that had a block and in one that had none.
func TestRelayTellsWhatIsOwed(t *testing.T) {
	const caps = ClientSessionTrack | ClientDeprecateEOF
	variable := AppendTrackVariable(nil, "autocommit", "ON")
	state := AppendTrackValue(nil, TrackTransactionState, "T_______")
	schema := AppendTrackValue(nil, TrackSchema, "shop")
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, tc := range []struct{ node, client []byte }{
		{nil, schema},
		{join(variable, state), join(variable, schema, state)},
		{state, join(schema, state)},
		{variable, join(variable, schema)},
	} {
		ok := OK{Status: 2, Track: tc.node}
		want := OK{Status: 2, Track: tc.client}
		told := 0
		x := &Relay{ClientCapabilities: caps, NodeCapabilities: caps, Owed: func(track []byte) []byte {
			if told++; !bytes.Equal(track, tc.node) {
				t.Errorf("% x: asked about % x", tc.node, track)
			}
			return InsertSchema(track, []byte("shop"))
		}}
		r := relayAnswer(x, AnswerQuery, answerFrames(AppendOK(nil, HeaderOK, caps, &ok)), cuts["whole"])
		if r.err != nil || told != 1 || !bytes.Equal(r.heard, answerFrames(AppendOK(nil, HeaderOK, caps, &want))) {
			t.Errorf("% x: %v, told %d, heard % x", tc.node, r.err, told, r.heard)
		}
	}
}

// TestRelayLargeRow: a row of several frames whose later frames look like ends.
func TestRelayLargeRow(t *testing.T) {
	const caps = ClientSessionTrack | ClientDeprecateEOF
	payloads := resultPayloads(caps, OK{Status: 2})
	row := AppendLenencInt(nil, 2*MaxPiece)
	row = append(row, bytes.Repeat([]byte{HeaderEOF}, 2*MaxPiece)...)
	says := answerFrames(payloads[0], payloads[1], row[:MaxPiece], row[MaxPiece:2*MaxPiece], row[2*MaxPiece:], payloads[2])
	r := relayAnswer(&Relay{ClientCapabilities: caps, NodeCapabilities: caps}, AnswerQuery, says, cuts["whole"])
	if r.err != nil || r.answer.Rows != 1 || !bytes.Equal(r.heard, says) {
		t.Errorf("%+v, %v, %d bytes heard of %d", r.answer, r.err, len(r.heard), len(says))
	}
}

// TestRelayBreaksOff: an answer that ends too early is the node's fault, and
// what was there has reached the client.
func TestRelayBreaksOff(t *testing.T) {
	const caps = ClientSessionTrack | ClientDeprecateEOF
	says := answerFrames(resultPayloads(caps, OK{Status: 2}, "row")...)
	for n := range says {
		r := relayAnswer(&Relay{ClientCapabilities: caps, NodeCapabilities: caps}, AnswerQuery, says[:n], cuts["whole"])
		var side *SideError
		if !errors.As(r.err, &side) || side.Side != SideNode {
			t.Fatalf("after %d bytes: %v", n, r.err)
		}
		if !bytes.HasPrefix(says, r.heard) {
			t.Fatalf("after %d bytes heard % x", n, r.heard)
		}
	}
}

// FuzzRelay: whatever a node says, relaying ends and the client hears no more
// than was said.
func FuzzRelay(f *testing.F) {
	const caps = ClientSessionTrack | ClientDeprecateEOF
	f.Add(answerFrames(resultPayloads(caps, OK{Status: 2}, "row")...), byte(AnswerQuery), uint32(caps))
	f.Add(answerFrames(resultPayloads(0, OK{Status: 2}, "row")...), byte(AnswerQuery), uint32(0))
	f.Add(answerFrames(preparePayloads(0, StmtPrepareOK{ID: 1, Columns: 1, Parameters: 1})...), byte(AnswerPrepare), uint32(0))
	f.Add(answerFrames(AppendOK(nil, HeaderOK, caps, &OK{Status: StatusSessionStateChanged, Track: []byte{1, 2, 1, 'a'}})), byte(AnswerQuery), uint32(caps))
	f.Fuzz(func(t *testing.T, says []byte, kind byte, client uint32) {
		x := &Relay{ClientCapabilities: Capability(client), NodeCapabilities: Capability(client) | ClientSessionTrack}
		r := relayAnswer(x, AnswerKind(kind), says, cuts["whole"])
		if len(r.heard) > len(says) {
			t.Fatalf("heard %d bytes of %d", len(r.heard), len(says))
		}
	})
}
