package event

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
)

// mariaStandalone is the flag of MariaDB's GTID event that says: one statement,
// no commit behind it.
const mariaStandalone = 0x01

// parseGTID reads MySQL's GTID event: flags, uuid, number.
func parseGTID(body []byte) (cluster.GTID, error) {
	if len(body) < 25 {
		return cluster.GTID{}, malformed("parse GTID event of %d bytes", len(body))
	}
	return checkedGTID(cluster.MySQLGTID([16]byte(body[1:17]), "", binary.LittleEndian.Uint64(body[17:])))
}

// parseMariaGTID reads MariaDB's GTID event: sequence, domain, flags; the
// server stands in the header.
func parseMariaGTID(server uint32, body []byte) (g cluster.GTID, standalone bool, err error) {
	if len(body) < 13 {
		return g, false, malformed("parse MariaDB GTID event of %d bytes", len(body))
	}
	g = cluster.MariaDBGTID(binary.LittleEndian.Uint32(body[8:]), server, binary.LittleEndian.Uint64(body))
	g, err = checkedGTID(g)
	return g, body[12]&mariaStandalone != 0, err
}

func checkedGTID(g cluster.GTID) (cluster.GTID, error) {
	if g.Number == 0 || g.Flavour == cluster.FlavourMySQL && g.Number > 1<<63-2 {
		return cluster.GTID{}, malformed("parse GTID event with number %d", g.Number)
	}
	return g, nil
}

// The fields of a GTID_TAGGED event that matter here, by their number in the
// stream (MySQL: Gtid_event, define_fields). They come in this order.
const (
	taggedFlags = iota
	taggedUUID
	taggedNumber
	taggedTag
)

// parseTaggedGTID reads MySQL's GTID_TAGGED event, which is written by the
// library mysql::serialization: a version, a size and the number of the last
// field that may not be left out, then each field behind its number. Every
// integer, each byte of the uuid too, has a variable length.
func parseTaggedGTID(body []byte) (cluster.GTID, error) {
	r := varReader{rest: body}
	r.uint() // version
	r.uint() // size
	r.uint() // the last field that may not be left out
	g := cluster.GTID{Flavour: cluster.FlavourMySQL}
	for r.err == nil && len(r.rest) > 0 {
		switch field := r.uint(); field {
		case taggedFlags:
			r.uint()
			continue
		case taggedUUID:
			for i := range g.UUID {
				g.UUID[i] = byte(r.uint())
			}
			continue
		case taggedNumber:
			g.Number = uint64(r.int())
			continue
		case taggedTag:
			g.Tag = strings.ToLower(string(r.bytes(r.uint())))
		}
		break // the tag is the last that matters, and what is behind it is unknown
	}
	if r.err != nil || len(g.Tag) > 32 {
		return cluster.GTID{}, malformed("parse tagged GTID event")
	}
	return checkedGTID(g)
}

// varReader takes integers of variable length off the front of its bytes: as
// many of the lowest bits as further bytes follow are one. After an error it
// yields zeros.
type varReader struct {
	rest []byte
	err  error
}

func (r *varReader) uint() uint64 {
	if len(r.rest) == 0 {
		r.err = ErrMalformed
		return 0
	}
	more := bits.TrailingZeros8(^r.rest[0])
	var raw [16]byte
	copy(raw[:], r.bytes(uint64(more+1)))
	if more >= 8 {
		return binary.LittleEndian.Uint64(raw[1:])
	}
	return binary.LittleEndian.Uint64(raw[:]) >> (more + 1)
}

// int undoes what keeps the sign in the lowest bit.
func (r *varReader) int() int64 {
	u := r.uint()
	if u&1 != 0 {
		return -int64(u>>1) - 1
	}
	return int64(u >> 1)
}

func (r *varReader) bytes(n uint64) []byte {
	if uint64(len(r.rest)) < n {
		r.err, r.rest = ErrMalformed, nil
		return nil
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}
