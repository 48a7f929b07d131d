package wire

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzOK(f *testing.F) {
	track := AppendTrackVariable(AppendTrackValue(nil, TrackSchema, "shop"), "autocommit", "ON")
	for _, ok := range []OK{{}, {Status: 0x4002, Info: []byte("i"), Track: track}, {AffectedRows: 1 << 40, InsertID: 300, Warnings: 7}} {
		for _, caps := range []Capability{0, ClientSessionTrack} {
			f.Add(AppendOK(nil, HeaderOK, caps, &ok), uint32(caps))
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte, bits uint32) {
		var ok, again OK
		caps := Capability(bits)
		if ParseOK(payload, caps, &ok) == nil {
			made := AppendOK(nil, payload[0], caps, &ok)
			if err := ParseOK(made, caps, &again); err != nil {
				t.Fatalf("% x: %v", made, err)
			}
			checkSameOK(t, &ok, &again)
		}
		out, err := FilterOK(nil, payload, caps, func(e TrackEntry) bool { return e.Type != TrackGTIDs })
		if err == nil && ParseOK(out, caps, &again) != nil {
			t.Fatalf("filtered to what cannot be read: % x", out)
		}
	})
}

func checkSameOK(t *testing.T, a, b *OK) {
	t.Helper()
	if a.AffectedRows != b.AffectedRows || a.InsertID != b.InsertID || a.Warnings != b.Warnings ||
		!bytes.Equal(a.Info, b.Info) || !bytes.Equal(a.Track, b.Track) {
		t.Fatal(cmp.Diff(*a, *b))
	}
}

func FuzzTrack(f *testing.F) {
	f.Add(AppendTrackValue(AppendTrackVariable(nil, "a", "b"), TrackGTIDs, "uuid:1"))
	f.Add([]byte{3, 0xfe, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, block []byte) {
		r := NewTrackReader(block)
		var e TrackEntry
		for r.Next(&e) {
			_, _, _ = e.Variable()
			_, _ = e.Value()
			_ = e.Type.String()
		}
		if out, err := FilterTrack(nil, block, nil); err == nil && !bytes.Equal(out, block) {
			t.Fatalf("% x became % x", block, out)
		}
	})
}

func FuzzError(f *testing.F) {
	f.Add(AppendError(nil, &ServerError{Code: 1045, State: "28000", Message: "no"}))
	f.Add([]byte("\xff\x10\x04#"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, err := ParseError(payload)
		if err != nil {
			return
		}
		_ = e.Error()
		again, err := ParseError(AppendError(nil, e))
		if err != nil || again.Code != e.Code || again.Message != e.Message {
			t.Fatalf("%v became %v, %v", e, again, err)
		}
	})
}

func FuzzLenenc(f *testing.F) {
	f.Add(AppendLenencInt(nil, 1<<30))
	f.Add(AppendLenencString(nil, "text"))
	f.Fuzz(func(t *testing.T, src []byte) {
		v, n := ReadLenencInt(src)
		if again, m := ReadLenencInt(AppendLenencInt(nil, v)); n > 0 && (again != v || m == 0) {
			t.Fatalf("%d became %d", v, again)
		}
		if s, n := ReadLenencBytes(src); n > len(src) || len(s) > n {
			t.Fatalf("%d bytes read of %d", n, len(src))
		}
	})
}

func FuzzEOF(f *testing.F) {
	f.Add(AppendEOF(nil, EOF{1, 2}))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var eof EOF
		if ParseEOF(payload, &eof) == nil && !bytes.Equal(AppendEOF(nil, eof), payload) {
			t.Fatalf("% x", payload)
		}
		_, _ = IsEOF(payload, 0), IsError(payload)
	})
}

func FuzzColumn(f *testing.F) {
	f.Add(AppendColumn(nil, &Column{Name: "a", Table: "t", Type: TypeLong}))
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := ParseColumn(payload)
		if err != nil {
			return
		}
		if again, err := ParseColumn(AppendColumn(nil, &c)); err != nil || again != c {
			t.Fatalf("%+v became %+v, %v", c, again, err)
		}
	})
}

func FuzzTextRow(f *testing.F) {
	f.Add(AppendTextRow(nil, []byte("a"), nil, []byte{}))
	f.Fuzz(func(t *testing.T, payload []byte) {
		row, err := ParseTextRow(nil, payload)
		if err != nil {
			return
		}
		again, err := ParseTextRow(nil, AppendTextRow(nil, row...))
		if diff := cmp.Diff(row, again); diff != "" || err != nil {
			t.Fatal(diff, err)
		}
	})
}

func FuzzStatement(f *testing.F) {
	f.Add(AppendStmtPrepareOK(nil, StmtPrepareOK{ID: 1, Columns: 2}))
	f.Add([]byte{byte(ComStmtExecute), 1, 0, 0, 0, 0, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, payload []byte) {
		var p StmtPrepareOK
		_ = ParseStmtPrepareOK(payload, &p)
		var s StmtExecute
		_ = ParseStmtExecute(payload, &s)
		if id, err := StmtID(payload); err == nil {
			PutStmtID(payload, id+1)
			if got, _ := StmtID(payload); got != id+1 {
				t.Fatalf("id %d, want %d", got, id+1)
			}
		}
		PutStmtID(payload, 0)
	})
}

func FuzzHello(f *testing.F) {
	hello := &helloV10{version: "9.7.0", threadID: 1, capabilities: Offered, nonce: newNonce(), plugin: pluginSHA2}
	f.Add(appendHello(nil, hello))
	f.Add([]byte("\x0a5.5.5-10.11\x00"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if h, err := parseHello(payload); err == nil && len(h.nonce) == nonceSize {
			if again, err := parseHello(appendHello(nil, h)); err != nil || again.threadID != h.threadID || again.version != h.version {
				t.Fatalf("%+v became %+v, %v", h, again, err)
			}
		}
	})
}

func FuzzResponse(f *testing.F) {
	r := &response41{capabilities: Offered, user: "u", auth: []byte("auth"), database: "d", plugin: pluginSHA2,
		attributes: map[string]string{"a": "b"}}
	f.Add(appendResponse(nil, r))
	r.capabilities &^= ClientPluginAuthLenencData | ClientConnectAttrs
	f.Add(appendResponse(nil, r))
	f.Fuzz(func(t *testing.T, payload []byte) {
		_ = isSSLRequest(payload)
		resp, err := parseResponse(payload)
		if err != nil {
			return
		}
		kept := 0
		for name, value := range resp.attributes {
			kept += len(name) + len(value)
		}
		if kept > maxAttributeBytes {
			t.Fatalf("%d bytes of attributes kept", kept)
		}
	})
}

func FuzzChangeUser(f *testing.F) {
	f.Add([]byte("\x11user\x00\x04authdb\x00\x2d\x00caching_sha2_password\x00\x06\x01a\x03bcd"), uint32(Offered))
	f.Add([]byte("\x11user\x00\xff"), uint32(Offered))
	f.Fuzz(func(t *testing.T, payload []byte, caps uint32) {
		if u, err := parseChangeUser(payload, Capability(caps)); err == nil && len(u.user) > len(payload) {
			t.Fatal("more came out than went in")
		}
	})
}

func FuzzAuthSwitch(f *testing.F) {
	f.Add(appendAuthSwitch(nil, pluginNative, newNonce()))
	f.Add([]byte{HeaderEOF})
	f.Fuzz(func(t *testing.T, payload []byte) {
		if s, err := parseAuthSwitch(payload); err == nil && payload[0] != HeaderEOF {
			t.Fatalf("%+v", s)
		}
	})
}

func FuzzPassword(f *testing.F) {
	key := testIdentity().RSA
	text, err := publicKeyPEM(key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7")
	f.Add(text, sha2HashOf("pw"))
	f.Fuzz(func(t *testing.T, message []byte, hash string) {
		_, _ = parsePublicKey(message)
		_, _ = decryptPassword(message, message, key)
		_, _ = terminated(message)
		_, _ = unscrambleSHA2(message, message, message)
		_, _ = unscrambleNative(message, message, message)
		_, _ = ParseVerifier(hash)
		if h, err := ParseSHA2Hash(hash); (err == nil) != h.Known() {
			t.Fatalf("known %t, %v", h.Known(), err)
		}
		if h, err := ParseNativeHash(hash); err == nil && len(h) != 20 {
			t.Fatalf("%d bytes", len(h))
		}
	})
}
