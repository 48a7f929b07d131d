package downstream

import (
	"strconv"
	"time"
)

// maxVariableBytes bounds what a session can leave in user variables.
const maxVariableBytes = 1 << 20

// variables are a session's user variables, by name in lower case. They are how
// a slave says what it wants.
type variables struct {
	values map[string]string
	bytes  int
}

func (v *variables) get(name string) (string, bool) {
	value, ok := v.values[name]
	return value, ok
}

// set sets or (null) forgets a variable; false where there is no room.
func (v *variables) set(name, value string, null bool) bool {
	old, had := v.values[name]
	if had {
		v.bytes -= len(name) + len(old)
		delete(v.values, name)
	}
	if null {
		return true
	}
	if v.bytes+len(name)+len(value) > maxVariableBytes {
		return false
	}
	if v.values == nil {
		v.values = map[string]string{}
	}
	v.values[name] = value
	v.bytes += len(name) + len(value)
	return true
}

// either returns a variable by its name of today or of before.
func (v *variables) either(names ...string) (string, bool) {
	for _, name := range names {
		if value, ok := v.get(name); ok {
			return value, true
		}
	}
	return "", false
}

// uuid is the slave's server_uuid, "" where it has not said.
func (v *variables) uuid() string {
	value, _ := v.either("replica_uuid", "slave_uuid")
	return value
}

// checksum says whether the slave knows of checksums, and whether the stream is
// to begin with one.
func (v *variables) checksum() (aware, first bool) {
	value, ok := v.either("source_binlog_checksum", "master_binlog_checksum")
	return ok, value == "CRC32"
}

// leastHeartbeat keeps a slave from asking for nothing but heartbeats.
const leastHeartbeat = 10 * time.Millisecond

// heartbeat is the period that the slave asks for, given in nanoseconds; 0: none.
func (v *variables) heartbeat() time.Duration {
	value, _ := v.either("source_heartbeat_period", "master_heartbeat_period")
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil || n == 0 {
		return 0
	}
	return max(time.Duration(n), leastHeartbeat) //nolint:gosec // 63 bits
}

// mariaCapability is what a MariaDB slave can take (4: it knows GTIDs).
func (v *variables) mariaCapability() int {
	value, _ := v.get("mariadb_slave_capability")
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0
	}
	return n
}
