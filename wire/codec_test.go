package wire

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLenencInt(t *testing.T) {
	for _, tc := range []struct {
		v    uint64
		want []byte
	}{
		{0, []byte{0}}, {250, []byte{250}}, {251, []byte{0xfc, 251, 0}}, {65535, []byte{0xfc, 0xff, 0xff}},
		{65536, []byte{0xfd, 0, 0, 1}}, {1<<24 - 1, []byte{0xfd, 0xff, 0xff, 0xff}},
		{1 << 24, []byte{0xfe, 0, 0, 0, 1, 0, 0, 0, 0}},
		{math.MaxUint64, []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
	} {
		got := AppendLenencInt(nil, tc.v)
		if !bytes.Equal(got, tc.want) {
			t.Errorf("%d: % x, want % x", tc.v, got, tc.want)
		}
		if v, n := ReadLenencInt(got); v != tc.v || n != len(got) {
			t.Errorf("%d read as %d in %d bytes", tc.v, v, n)
		}
		if _, n := ReadLenencInt(got[:len(got)-1]); n != 0 {
			t.Errorf("%d: cut short and still read", tc.v)
		}
	}
}

func TestOK(t *testing.T) {
	track := AppendTrackVariable(AppendTrackValue(nil, TrackSchema, "shop"), "autocommit", "ON")
	for _, tc := range []struct {
		name   string
		header byte
		caps   Capability
		ok     OK
		want   string
	}{
		{"bare", HeaderOK, ClientSessionTrack, OK{Status: 2}, "\x00\x00\x00\x02\x00\x00\x00"},
		{"end of rows", HeaderEOF, ClientDeprecateEOF, OK{Status: 0x22, Warnings: 3}, "\xfe\x00\x00\x22\x00\x03\x00"},
		{"info", HeaderOK, ClientSessionTrack, OK{AffectedRows: 300, InsertID: 1, Info: []byte("hi")}, "\x00\xfc\x2c\x01\x01\x00\x00\x00\x00\x02hi"},
		{"info, no tracking", HeaderOK, 0, OK{Info: []byte("hi")}, "\x00\x00\x00\x00\x00\x00\x00\x02hi"},
		{"tracked", HeaderOK, ClientSessionTrack, OK{Status: 0x4002, Track: track},
			"\x00\x00\x00\x02\x40\x00\x00\x00\x17\x01\x05\x04shop\x00\x0e\x0aautocommit\x02ON"},
	} {
		payload := AppendOK(nil, tc.header, tc.caps, &tc.ok)
		if string(payload) != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, payload, tc.want)
		}
		var got OK
		if err := ParseOK(payload, tc.caps, &got); err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if len(got.Info) == 0 {
			got.Info = nil
		}
		if diff := cmp.Diff(tc.ok, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestParseOKRefuses(t *testing.T) {
	for _, payload := range []string{
		"", "\x01", "\x00", "\x00\x00", "\x00\x00\x00\x00\x00\x00", "\x00\xfc\x00", "\x00\xfb\x00\x00\x00\x00\x00",
		"\x00\x00\x00\x00\x00\x00\x00\x05hi", "\x00\x00\x00\x00\x40\x00\x00\x00\x09\x00",
	} {
		var ok OK
		if err := ParseOK([]byte(payload), ClientSessionTrack, &ok); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", payload, err)
		}
	}
}

func TestParseOKDocumentedInfo(t *testing.T) {
	var ok OK // string<EOF>, as the documentation has it
	if err := ParseOK([]byte("\x00\x00\x00\x00\x00\x00\x00hello"), 0, &ok); err != nil || string(ok.Info) != "hello" {
		t.Errorf("%q, %v", ok.Info, err)
	}
}

func TestFilterOK(t *testing.T) {
	schema := AppendTrackValue(nil, TrackSchema, "shop")
	gtid := AppendTrackValue(nil, TrackGTIDs, "uuid:7")
	node := OK{AffectedRows: 1, Status: StatusAutocommit | StatusSessionStateChanged, Info: []byte("info"),
		Track: append(bytes.Clone(schema), gtid...)}
	payload := AppendOK(nil, HeaderOK, ClientSessionTrack, &node)
	noGTID := func(e TrackEntry) bool { return e.Type != TrackGTIDs }
	none := func(TrackEntry) bool { return false }
	for _, tc := range []struct {
		name   string
		caps   Capability
		keep   func(TrackEntry) bool
		track  []byte
		status uint16
	}{
		{"all", ClientSessionTrack, nil, node.Track, node.Status},
		{"not asked for", 0, nil, nil, StatusAutocommit},
		{"some", ClientSessionTrack, noGTID, schema, node.Status},
		{"none wanted", ClientSessionTrack, none, nil, StatusAutocommit},
	} {
		out, err := FilterOK([]byte("before"), payload, tc.caps, tc.keep)
		if err != nil {
			t.Fatal(err)
		}
		out = bytes.TrimPrefix(out, []byte("before"))
		var got OK
		if err := ParseOK(out, tc.caps, &got); err != nil {
			t.Fatal(err)
		}
		want := node
		want.Track, want.Status = tc.track, tc.status
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
	if out, _ := FilterOK(nil, payload, ClientSessionTrack, nil); &out[0] != &payload[0] {
		t.Error("a packet that stays as it is was copied")
	}
}

func TestTrackEntries(t *testing.T) {
	block := AppendTrackVariable(nil, "time_zone", "SYSTEM")
	for typ := TrackSchema; typ <= TrackTransactionState; typ++ {
		block = AppendTrackValue(block, typ, typ.String())
	}
	r := NewTrackReader(block)
	var e TrackEntry
	if !r.Next(&e) {
		t.Fatal(r.Err())
	}
	if name, value, err := e.Variable(); err != nil || string(name) != "time_zone" || string(value) != "SYSTEM" {
		t.Errorf("%q %q %v", name, value, err)
	}
	if _, err := e.Value(); err == nil {
		t.Error("a variable has a value of its own")
	}
	for r.Next(&e) {
		if value, err := e.Value(); err != nil || string(value) != e.Type.String() {
			t.Errorf("%s: %q, %v", e.Type, value, err)
		}
	}
	if r.Err() != nil {
		t.Error(r.Err())
	}
	cut := NewTrackReader(block[:len(block)-1])
	for cut.Next(&e) {
	}
	if !errors.Is(cut.Err(), ErrMalformed) {
		t.Errorf("cut block: %v", cut.Err())
	}
}

func TestServerErrors(t *testing.T) {
	e := &ServerError{Code: 1045, State: "28000", Message: "Access denied"}
	got, err := ParseError(AppendError(nil, e))
	if err != nil || *got != *e {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = ParseError([]byte("\xff\x10\x04Too many connections"))
	if err != nil || *got != (ServerError{Code: 1040, Message: "Too many connections"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := ParseError([]byte("\xff\x10")); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func TestEOF(t *testing.T) {
	var got EOF
	if err := ParseEOF(AppendEOF(nil, EOF{Warnings: 1, Status: 2}), &got); err != nil || got != (EOF{1, 2}) {
		t.Errorf("%+v, %v", got, err)
	}
	if IsEOF(append([]byte{0xfe}, make([]byte, 20)...), 0) || !IsEOF([]byte{0xfe, 0, 0, 2, 0}, 0) {
		t.Error("rows and EOF mixed up")
	}
}

func TestColumnsAndRows(t *testing.T) {
	c := Column{Schema: "s", Table: "t", OrgTable: "o", Name: "n", OrgName: "on", Collation: 45, Length: 99,
		Type: TypeLongLong, Flags: ColumnUnsigned, Decimals: 3}
	if got, err := ParseColumn(AppendColumn(nil, &c)); err != nil || got != c {
		t.Errorf("%+v, %v", got, err)
	}
	row := AppendTextRow(nil, []byte("a"), nil, []byte{})
	got, err := ParseTextRow(nil, row)
	if diff := cmp.Diff([][]byte{[]byte("a"), nil, {}}, got); diff != "" || err != nil {
		t.Errorf("%s, %v", diff, err)
	}
}

func TestStatements(t *testing.T) {
	want := StmtPrepareOK{ID: 7, Columns: 2, Parameters: 3, Warnings: 1}
	var prepared StmtPrepareOK
	if err := ParseStmtPrepareOK(AppendStmtPrepareOK(nil, want), &prepared); err != nil || prepared != want {
		t.Errorf("%+v, %v", prepared, err)
	}
	payload := []byte{byte(ComStmtExecute), 7, 0, 0, 0, CursorReadOnly, 1, 0, 0, 0, 42}
	PutStmtID(payload, 0x01020304)
	var s StmtExecute
	if err := ParseStmtExecute(payload, &s); err != nil || s.ID != 0x01020304 || s.Flags != CursorReadOnly || s.Rest[0] != 42 {
		t.Errorf("%+v, %v", s, err)
	}
	if id, err := StmtID(payload); err != nil || id != s.ID {
		t.Errorf("%d, %v", id, err)
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		(ClientProtocol41 | ClientSSL).String(): "PROTOCOL_41|SSL", Capability(0).String(): "0",
		ComQuery.String(): "query", ComSubscribeGroup.String(): "subscribe-group-replication-stream", Command(99).String(): "command-99",
		TrackGTIDs.String(): "gtids", TrackType(9).String(): "track-9", TLSVerify.String(): "verify", TLSMode(77).String(): "verify",
		loginStage(9).String(): "answered", TypeNull.String(): "null", ColumnType(1).String(): "tiny",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestCodecAllocatesNothing(t *testing.T) {
	track := AppendTrackVariable(AppendTrackValue(nil, TrackSchema, "shop"), "autocommit", "ON")
	payload := AppendOK(nil, HeaderOK, ClientSessionTrack, &OK{Status: 2, Info: []byte("i"), Track: track})
	buf := make([]byte, 0, 256)
	var ok OK
	keep := func(e TrackEntry) bool { return e.Type == TrackSchema }
	for name, run := range map[string]func(){
		"ParseOK":  func() { _ = ParseOK(payload, ClientSessionTrack, &ok) },
		"AppendOK": func() { buf = AppendOK(buf[:0], HeaderOK, ClientSessionTrack, &ok) },
		"FilterOK": func() { _, _ = FilterOK(buf[:0], payload, ClientSessionTrack, keep) },
		"dropped":  func() { _, _ = FilterOK(buf[:0], payload, 0, nil) },
		"track": func() {
			r := NewTrackReader(ok.Track)
			for e := (TrackEntry{}); r.Next(&e); {
				_, _ = e.Value()
			}
		},
	} {
		run()
		if n := testing.AllocsPerRun(100, run); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
