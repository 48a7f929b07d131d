package event

import "github.com/bellwether-db/bellwether/cluster"

// Stamp is what goes into the header of an event of our own. It is a value.
type Stamp struct {
	// ServerID is ours.
	ServerID  uint32
	LogPos    uint32
	Timestamp uint32
	Flags     uint16
	// Checksum says whether a CRC32 is to follow.
	Checksum bool
}

// AppendRotate appends a ROTATE event: the next event is at pos of the file
// name. A fake one, which opens a stream, has LogPos 0 and FlagArtificial.
func AppendRotate(dst []byte, name string, pos uint64, h Stamp) []byte { panic("not yet") }

// AppendPreviousGTIDs appends MySQL's PREVIOUS_GTIDS event.
func AppendPreviousGTIDs(dst []byte, set *cluster.GTIDSet, h Stamp) []byte { panic("not yet") }

// AppendGTIDList appends MariaDB's GTID_LIST event.
func AppendGTIDList(dst []byte, set *cluster.GTIDSet, h Stamp) []byte { panic("not yet") }

// AppendHeartbeat appends a HEARTBEAT event: there is nothing behind pos of
// file. The second version (v2), which a MySQL slave asks for by a flag of its
// dump command, carries pos in 64 bits.
func AppendHeartbeat(dst []byte, v2 bool, file string, pos uint64, h Stamp) []byte { panic("not yet") }
