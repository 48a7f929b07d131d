package event

import (
	"encoding/binary"

	"github.com/bellwether-db/bellwether/cluster"
)

// ParseSet reads the set of a PREVIOUS_GTIDS or GTID_LIST event: what came
// before a file. Its errors wrap ErrMalformed or cluster.ErrGTIDSyntax.
func ParseSet(e Event, checksum bool) (*cluster.GTIDSet, error) {
	body := e.body(checksum)
	switch e.Type() {
	case PreviousGTIDs:
		return cluster.ParseBinaryGTIDSet(body)
	case MariaGTIDList:
		return parseGTIDList(body)
	}
	return nil, malformed("parse set of a %s event", e.Type())
}

// gtidListFlags are MariaDB's flags in the highest bits of the count.
const gtidListFlags = 0xf0000000

func parseGTIDList(body []byte) (*cluster.GTIDSet, error) {
	if len(body) < 4 {
		return nil, malformed("parse GTID list of %d bytes", len(body))
	}
	count := int64(binary.LittleEndian.Uint32(body) &^ gtidListFlags)
	if body = body[4:]; count*16 > int64(len(body)) {
		return nil, malformed("parse GTID list of %d that has %d bytes", count, len(body))
	}
	set := cluster.EmptyGTIDSet(cluster.FlavourMariaDB)
	for ; count > 0; count, body = count-1, body[16:] {
		domain, server := binary.LittleEndian.Uint32(body), binary.LittleEndian.Uint32(body[4:])
		set = set.With(cluster.MariaDBGTID(domain, server, binary.LittleEndian.Uint64(body[8:])))
	}
	return set, nil
}
