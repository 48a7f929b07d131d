package wire

import (
	"hash/maphash"
	"io"
	"testing"
)

// digestOf relays an answer and returns its digest.
func digestOf(t *testing.T, seed maphash.Seed, caps Capability, cut func(io.Reader) io.Reader, payloads ...[]byte) uint64 {
	t.Helper()
	var h maphash.Hash
	h.SetSeed(seed)
	x := &Relay{ClientCapabilities: caps &^ ClientSessionTrack, NodeCapabilities: caps, Digest: &h}
	if r := relayAnswer(x, AnswerQuery, answerFrames(payloads...), cut); r.err != nil {
		t.Fatal(r.err)
	}
	return h.Sum64()
}

// TestDigestSaysWhatTheClientSaw: however the bytes come, and whatever flags the
// server's optimizer or session tracking set, the same answer has one digest, and
// every other answer another one.
func TestDigestSaysWhatTheClientSaw(t *testing.T) {
	seed := maphash.MakeSeed()
	for _, caps := range []Capability{ClientSessionTrack, ClientSessionTrack | ClientDeprecateEOF} {
		track := AppendTrackVariable(nil, "last_gtid", "0-1-5")
		ok := func(o OK) [][]byte { return [][]byte{AppendOK(nil, HeaderOK, caps, &o)} }
		rows := func(o OK, rows ...string) [][]byte { return resultPayloads(caps, o, rows...) }
		same := [][][][]byte{
			{rows(OK{Status: 2}, "a", "b"), rows(OK{Status: 2 | StatusNoIndexUsed | StatusQueryWasSlow}, "a", "b")},
			{ok(OK{Status: 2, AffectedRows: 1, InsertID: 7, Info: []byte("i")}),
				ok(OK{Status: 2 | StatusSessionStateChanged, AffectedRows: 1, InsertID: 7, Info: []byte("i"), Track: track})},
			{ok(OK{Status: 2, AffectedRows: 2, InsertID: 7, Info: []byte("i")})},
			{ok(OK{Status: 2, AffectedRows: 1, InsertID: 8, Info: []byte("i")})},
			{ok(OK{Status: 3, AffectedRows: 1, InsertID: 7, Info: []byte("i")})},
			{ok(OK{Status: 2, AffectedRows: 1, InsertID: 7})},
			{rows(OK{Status: 2}, "a", "c")}, {rows(OK{Status: 2}, "ab")}, {rows(OK{Status: 2})},
			{rows(OK{Status: 2, Warnings: 1}, "a", "b")},
			{[][]byte{AppendError(nil, &ServerError{Code: 1062, State: "23000", Message: "dup"})}},
			{[][]byte{AppendError(nil, &ServerError{Code: 1062, State: "23000", Message: "dup2"})}},
		}
		seen := map[uint64]int{}
		for i, answers := range same {
			first := digestOf(t, seed, caps, cuts["whole"], answers[0]...)
			if before, there := seen[first]; there {
				t.Errorf("answers %d and %d have one digest", before, i)
			}
			seen[first] = i
			for _, a := range answers {
				for how, cut := range cuts {
					if got := digestOf(t, seed, caps, cut, a...); got != first {
						t.Errorf("answer %d, %s: another digest", i, how)
					}
				}
			}
		}
	}
}
