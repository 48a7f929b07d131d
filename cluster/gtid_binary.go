package cluster

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// binaryTagged marks the form with tags: it stands in the highest byte of the
// number of sources, and again in the lowest one.
const binaryTagged = 1

// AppendBinary appends a MySQL set in the servers' binary form: the body of a
// PREVIOUS_GTIDS event and the set in COM_BINLOG_DUMP_GTID (MySQL:
// sql/rpl_gtid_set.cc, Gtid_set::encode). The form with tags is used only
// where a tag is present, since servers before 8.3 do not know it. A MariaDB
// or unknown set is written as the empty one.
func (s *GTIDSet) AppendBinary(dst []byte) []byte {
	var sources []gtidSource
	if s != nil {
		sources = s.sources
	}
	tagged := slices.ContainsFunc(sources, func(source gtidSource) bool { return source.tag != "" })
	count := uint64(len(sources))
	if tagged {
		count = binaryTagged<<56 | count<<8 | binaryTagged
	}
	dst = binary.LittleEndian.AppendUint64(dst, count)
	for _, source := range sources {
		dst = appendSource(dst, source, tagged)
	}
	return dst
}

// appendSource writes one uuid (and tag) with its intervals, whose ends are
// exclusive. A tag's length has the form of a variable-length integer of one
// byte: shifted by one.
func appendSource(dst []byte, source gtidSource, tagged bool) []byte {
	dst = append(dst, source.uuid[:]...)
	if tagged {
		dst = append(append(dst, byte(len(source.tag)<<1)), source.tag...)
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(source.intervals)))
	for _, interval := range source.intervals {
		dst = binary.LittleEndian.AppendUint64(dst, interval.first)
		dst = binary.LittleEndian.AppendUint64(dst, interval.last+1)
	}
	return dst
}

// ParseBinaryGTIDSet reads what AppendBinary writes, in either form; nothing
// may follow. Its errors wrap ErrGTIDSyntax.
func ParseBinaryGTIDSet(b []byte) (*GTIDSet, error) {
	in := binaryReader{rest: b}
	count, tagged := in.uint64(), false
	if format := count >> 56; format == binaryTagged {
		count, tagged = count<<8>>16, true
	} else if format != 0 {
		in.fail("an unknown format")
	}
	var sources []gtidSource
	for range count {
		if in.err != nil { // a count is not believed, so it is not allocated for
			break
		}
		sources = append(sources, in.source(tagged))
	}
	if len(in.rest) > 0 {
		in.fail("something behind the end")
	}
	if in.err != nil {
		return nil, in.err
	}
	return &GTIDSet{flavour: FlavourMySQL, sources: normaliseSources(sources)}, nil
}

// binaryReader takes values off the front of its bytes. After an error it
// yields zeros.
type binaryReader struct {
	rest []byte
	err  error
}

func (r *binaryReader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("parse binary GTID set: %s: %w", what, ErrGTIDSyntax)
	}
	r.rest = nil
}

func (r *binaryReader) bytes(n int) []byte {
	if len(r.rest) < n {
		r.fail("it ends too early")
		return make([]byte, n)
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *binaryReader) uint64() uint64 { return binary.LittleEndian.Uint64(r.bytes(8)) }

func (r *binaryReader) source(tagged bool) gtidSource {
	out := gtidSource{uuid: [16]byte(r.bytes(16))}
	if tagged {
		out.tag = r.tag()
	}
	for n := r.uint64(); n > 0 && r.err == nil; n-- {
		first, end := r.uint64(), r.uint64()
		if first < 1 || end <= first || end > gtidMax+1 {
			r.fail("an interval of no transactions")
			continue
		}
		out.intervals = append(out.intervals, gtidInterval{first, end - 1})
	}
	return out
}

func (r *binaryReader) tag() string {
	length := r.bytes(1)[0]
	if length == 0 {
		return ""
	}
	if length&1 != 0 || length>>1 > gtidTagMax {
		r.fail("a tag that is too long")
		return ""
	}
	tag, ok := parseTag(string(r.bytes(int(length >> 1))))
	if !ok {
		r.fail("a tag of other letters than a tag has")
	}
	return tag
}
