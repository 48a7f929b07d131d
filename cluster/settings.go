package cluster

import (
	"strconv"
	"strings"
	"time"
)

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

// parseSettings reads SHOW GLOBAL VARIABLES.
func parseSettings(rows []row, at time.Time) Settings {
	v := make(map[string]string, len(rows))
	for _, r := range rows {
		v[strings.ToLower(r["Variable_name"])] = strings.ToUpper(r["Value"])
	}
	return Settings{
		Read: at, GTIDMode: v["gtid_mode"], GTIDStrict: isOn(v["gtid_strict_mode"]) || isOn(v["enforce_gtid_consistency"]),
		BinlogFormat: v["binlog_format"], RowImage: v["binlog_row_image"],
		LogBin: isOn(v["log_bin"]), LogUpdates: isOn(v["log_slave_updates"]) || isOn(v["log_replica_updates"]),
	}
}

// The errors of a server that has no room to write. Others quote the operating
// system in their text.
const (
	errDiskFull  = 1021
	errTableFull = 1114 // of InnoDB: the tablespace cannot grow
)

// saysDiskFull says whether an error is of a full disk.
func saysDiskFull(code, text string) bool {
	number, _ := strconv.Atoi(code) // 0 where there is none
	text = strings.ToLower(text)
	return number == errDiskFull || number == errTableFull || strings.Contains(text, "no space left") || strings.Contains(text, "errcode: 28")
}

// waitsForDisk says whether a thread's state is the wait for room on the disk.
func waitsForDisk(state string) bool { return strings.Contains(strings.ToLower(state), "disk space") }
