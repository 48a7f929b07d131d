package rawclient

import (
	"bytes"
	"slices"
)

const sessionStateChanged = 0x4000

// SortTracked returns a copy of an OK packet whose session-track entries are
// in order, and without the flag that announces entries where there are none;
// of any other packet, a plain copy.
func (p Packet) SortTracked() Packet {
	p.Payload = slices.Clone(p.Payload)
	at := p.StatusOffset()
	if at < 0 || p.Status()&sessionStateChanged == 0 || at+4 > len(p.Payload) {
		return p
	}
	_, block := lenencBytes(p.Payload[at+4:]) // the text before it
	head := len(p.Payload) - len(block)
	if len(block) == 1 && block[0] == 0 {
		p.Payload = p.Payload[:len(p.Payload)-1]
		if p.Payload[at+4] == 0 && head == len(p.Payload) {
			p.Payload = p.Payload[:at+4] // the empty text before it goes too
		}
		p.Payload[at+1] &^= sessionStateChanged >> 8
		return p
	}
	entries, rest := lenencBytes(block)
	if len(rest) > 0 || entries == nil {
		return p
	}
	sorted := slices.Concat(sortEntries(entries)...)
	p.Payload = append(appendLenenc(p.Payload[:head:head], uint64(len(sorted))), sorted...)
	return p
}

// sortEntries splits a block of entries (a type, and a string) and sorts them.
func sortEntries(b []byte) [][]byte {
	var entries [][]byte
	for len(b) > 1 {
		_, rest := lenencBytes(b[1:])
		size := len(b) - len(rest)
		entries, b = append(entries, b[:size]), rest
	}
	slices.SortStableFunc(entries, bytes.Compare)
	return entries
}
