package event

import "fmt"

// Type is the kind of an event. The zero value is Unknown.
type Type uint8

// The types that matter here; others pass through by their number. MySQL: enum
// Log_event_type; MariaDB's own begin at 160.
const (
	Unknown            Type = 0
	Query              Type = 2
	Stop               Type = 3
	Rotate             Type = 4
	Intvar             Type = 5
	AppendBlock        Type = 9
	DeleteFile         Type = 11
	Rand               Type = 13
	UserVar            Type = 14
	FormatDescription  Type = 15
	XID                Type = 16
	BeginLoadQuery     Type = 17
	ExecuteLoadQuery   Type = 18
	TableMap           Type = 19
	Incident           Type = 26
	Heartbeat          Type = 27
	Ignorable          Type = 28
	RowsQuery          Type = 29
	WriteRows          Type = 30
	UpdateRows         Type = 31
	DeleteRows         Type = 32
	GTID               Type = 33
	AnonymousGTID      Type = 34
	PreviousGTIDs      Type = 35
	XAPrepare          Type = 38
	PartialUpdateRows  Type = 39
	TransactionPayload Type = 40
	HeartbeatV2        Type = 41
	TaggedGTID         Type = 42

	MariaAnnotateRows     Type = 160
	MariaBinlogCheckpoint Type = 161
	MariaGTID             Type = 162
	MariaGTIDList         Type = 163
	MariaStartEncryption  Type = 164
	MariaQueryCompressed  Type = 165
)

// Flags of the header.
const (
	// FlagInUse is set in the format description of a file that its server has
	// not closed.
	FlagInUse uint16 = 0x1
	// FlagArtificial marks events that are in no file (LOG_EVENT_ARTIFICIAL_F).
	FlagArtificial uint16 = 0x20
	// FlagIgnorable marks events that a reader who does not know them may skip.
	FlagIgnorable uint16 = 0x80
)

// String is the servers' name of the type.
func (t Type) String() string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// typeNames are the names that SHOW BINLOG EVENTS prints.
var typeNames = map[Type]string{
	Unknown: "Unknown", Query: "Query", Stop: "Stop", Rotate: "Rotate", Intvar: "Intvar", AppendBlock: "Append_block",
	DeleteFile: "Delete_file", Rand: "RAND", UserVar: "User var", FormatDescription: "Format_desc", XID: "Xid",
	BeginLoadQuery: "Begin_load_query", ExecuteLoadQuery: "Execute_load_query", TableMap: "Table_map",
	Incident: "Incident", Heartbeat: "Heartbeat", Ignorable: "Ignorable", RowsQuery: "Rows_query",
	WriteRows: "Write_rows", UpdateRows: "Update_rows", DeleteRows: "Delete_rows", GTID: "Gtid",
	AnonymousGTID: "Anonymous_Gtid", PreviousGTIDs: "Previous_gtids", XAPrepare: "XA_prepare",
	PartialUpdateRows: "Update_rows_partial", TransactionPayload: "Transaction_payload", HeartbeatV2: "Heartbeat_v2",
	TaggedGTID: "Gtid_tagged", MariaAnnotateRows: "Annotate_rows", MariaBinlogCheckpoint: "Binlog_checkpoint",
	MariaGTID: "Gtid", MariaGTIDList: "Gtid_list", MariaStartEncryption: "Start_encryption",
	MariaQueryCompressed: "Query_compressed",
	23:                   "Write_rows_v1", 24: "Update_rows_v1", 25: "Delete_rows_v1",
	166: "Write_rows_compressed_v1", 167: "Update_rows_compressed_v1", 168: "Delete_rows_compressed_v1",
	169: "Write_rows_compressed", 170: "Update_rows_compressed", 171: "Delete_rows_compressed",
}

// BeginsTransaction says whether a transaction begins with such an event: one
// that gives it its GTID, or none.
func (t Type) BeginsTransaction() bool {
	return t == GTID || t == TaggedGTID || t == AnonymousGTID || t == MariaGTID
}

// rows says whether events of the type hold rows: the versions 1 and 2 of
// both servers, and MariaDB's compressed ones.
func (t Type) rows() bool {
	return t >= 23 && t <= 25 || t >= WriteRows && t <= DeleteRows || t == PartialUpdateRows || t >= 166 && t <= 171
}
