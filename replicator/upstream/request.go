package upstream

import (
	"encoding/binary"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/wire"
)

// sendAnnotateRows asks a MariaDB for ANNOTATE_ROWS events
// (BINLOG_SEND_ANNOTATE_ROWS_EVENT).
const sendAnnotateRows = 2

// firstPosition is where the first event of a file stands, behind its magic.
const firstPosition = 4

// appendRegister appends COM_REGISTER_SLAVE (page_protocol_com_register_replica).
// Host, user, password and port are only shown by SHOW REPLICAS; they stay empty.
func appendRegister(dst []byte, serverID uint32) []byte {
	dst = binary.LittleEndian.AppendUint32(append(dst, byte(wire.ComRegisterSlave)), serverID)
	dst = append(dst, 0, 0, 0)                      // host, user, password
	dst = binary.LittleEndian.AppendUint16(dst, 0)  // port
	dst = binary.LittleEndian.AppendUint32(dst, 0)  // recovery rank, unused
	return binary.LittleEndian.AppendUint32(dst, 0) // the master's id: it fills it in
}

// appendDump appends COM_BINLOG_DUMP for a MariaDB, which takes the position
// from @slave_connect_state (knowledge base: COM_BINLOG_DUMP).
func appendDump(dst []byte, serverID uint32) []byte {
	dst = binary.LittleEndian.AppendUint32(append(dst, byte(wire.ComBinlogDump)), firstPosition)
	dst = binary.LittleEndian.AppendUint16(dst, sendAnnotateRows)
	return binary.LittleEndian.AppendUint32(dst, serverID)
}

// appendDumpGTID appends COM_BINLOG_DUMP_GTID for everything that have lacks
// (page_protocol_com_binlog_dump_gtid).
func appendDumpGTID(dst []byte, serverID uint32, have *cluster.GTIDSet) []byte {
	dst = binary.LittleEndian.AppendUint16(append(dst, byte(wire.ComBinlogDumpGTID)), 0)
	dst = binary.LittleEndian.AppendUint32(dst, serverID)
	dst = binary.LittleEndian.AppendUint32(dst, 0) // length of the file's name
	dst = binary.LittleEndian.AppendUint64(dst, firstPosition)
	set := have.AppendBinary(nil)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(set)))
	return append(dst, set...)
}

// The header that a semi-synchronous master puts before each event, and the
// reply that it wants (plugin/semisync/semisync.h: kPacketMagicNum, kPacketFlagSync).
const (
	semiSyncMagic      = 0xef
	semiSyncWantsReply = 0x01
	semiSyncHeaderSize = 2
)

// appendReply appends a framed reply: everything up to p is durable here.
func appendReply(dst []byte, p position) []byte {
	n := 1 + 8 + len(p.file)
	dst = append(dst, byte(n), byte(n>>8), byte(n>>16), 0, semiSyncMagic)
	dst = binary.LittleEndian.AppendUint64(dst, p.offset)
	return append(dst, p.file...)
}
