package cluster

import "time"

// Settings are the variables of a server that replication rests on, and whether
// its disk is full. It is a value.
type Settings struct {
	// Read is when the server was last asked for them, which is every few seconds;
	// zero before the first time, when the rest says nothing.
	Read time.Time
	// GTIDMode is gtid_mode of MySQL: ON, OFF, ON_PERMISSIVE or OFF_PERMISSIVE; ""
	// on MariaDB, which always has GTIDs. GTIDStrict is its gtid_strict_mode, and
	// enforce_gtid_consistency of MySQL.
	GTIDMode   string
	GTIDStrict bool
	// BinlogFormat is ROW, MIXED or STATEMENT; "" where the server has ROW only.
	// RowImage is FULL, MINIMAL, NOBLOB or FULL_NODUP.
	BinlogFormat, RowImage string
	// LogBin says whether there is a binary log, and LogUpdates whether what a
	// slave applies is in it.
	LogBin, LogUpdates bool
	// DiskFull is set while the server says, in the state of a thread or in the
	// error of one, that it has no room to write.
	DiskFull bool
}
