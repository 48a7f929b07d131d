package downstream

import (
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
)

// The flags of the dump commands. The second one means one thing to each family.
const (
	flagNonBlocking  uint16 = 1 << 0 // end where the log ends, instead of waiting
	flagAnnotate     uint16 = 1 << 1 // MariaDB: send ANNOTATE_ROWS
	flagHeartbeatV2  uint16 = 1 << 1 // MySQL, COM_BINLOG_DUMP_GTID
	beginningOfFile         = 4      // the position behind the magic number
	maxFileNameBytes        = 512
)

// dump is what a slave asks for. It is a value.
type dump struct {
	flags    uint16
	serverID uint32
	file     string
	position uint64
	// have is what the slave has, nil where it asks by file and position.
	have *cluster.GTIDSet
}

// parseDump reads the payload of COM_BINLOG_DUMP behind the command
// (page_protocol_com_binlog_dump).
func parseDump(b []byte) (dump, error) {
	r := reader{rest: b}
	d := dump{position: uint64(r.uint32()), flags: r.uint16(), serverID: r.uint32()}
	if len(r.rest) > maxFileNameBytes {
		return d, errPacket
	}
	d.file = string(r.rest)
	return d, r.err()
}

// parseDumpGTID reads the payload of COM_BINLOG_DUMP_GTID behind the command
// (page_protocol_com_binlog_dump_gtid).
func parseDumpGTID(b []byte) (dump, error) {
	r := reader{rest: b}
	d := dump{flags: r.uint16(), serverID: r.uint32()}
	size := r.uint32()
	if size > maxFileNameBytes {
		return d, errPacket
	}
	d.file = string(r.bytes(int(size)))
	d.position = r.uint64()
	size = r.uint32()
	set := r.bytes(int(size))
	if err := r.err(); err != nil {
		return d, err
	}
	have, err := cluster.ParseBinaryGTIDSet(set)
	if err != nil {
		return d, fmt.Errorf("read the slave's GTID set: %w", err)
	}
	d.have = have
	return d, nil
}
