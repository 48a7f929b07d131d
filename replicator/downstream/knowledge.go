package downstream

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/wire"
)

// knowledge is what questions of one session are answered from.
type knowledge struct {
	config    *Config
	log       Log
	slaves    func() []SlaveInfo
	variables variables
	id        uint32
	user      string
}

// variable is a system variable that somebody might ask for.
type variable struct {
	flavour cluster.Flavour // unknown: both
	value   func(k *knowledge) string
}

func always(value string) variable {
	return variable{value: func(*knowledge) string { return value }}
}

func only(flavour cluster.Flavour, value func(k *knowledge) string) variable {
	return variable{flavour, value}
}

// systemVariables are all there are. What is not here is unknown (error 1193),
// as on a server of before: a slave falls back to what it did then. So
// semi-synchronous replication is on purpose not here.
var systemVariables = map[string]variable{
	"server_id":                {value: func(k *knowledge) string { return strconv.FormatUint(uint64(k.config.ServerID), 10) }},
	"version":                  {value: func(k *knowledge) string { return k.config.Version }},
	"version_comment":          always("Bellwether, source of the slaves"),
	"binlog_checksum":          always("CRC32"),
	"binlog_format":            always("ROW"),
	"binlog_row_image":         always("FULL"),
	"log_bin":                  always("1"),
	"read_only":                always("1"),
	"autocommit":               always("1"),
	"sql_mode":                 always(""),
	"max_allowed_packet":       always("1073741824"),
	"time_zone":                always("SYSTEM"),
	"system_time_zone":         always("UTC"),
	"character_set_server":     always("utf8mb4"),
	"collation_server":         always("utf8mb4_general_ci"),
	"character_set_client":     always("utf8mb4"),
	"character_set_connection": always("utf8mb4"),
	"character_set_results":    always("utf8mb4"),
	"collation_connection":     always("utf8mb4_general_ci"),
	"auto_increment_increment": always("1"),
	"init_connect":             always(""),
	"license":                  always("MIT"),
	"performance_schema":       always("0"),
	"lower_case_table_names":   always("0"),
	"protocol_version":         always("10"),
	"tx_isolation":             always("REPEATABLE-READ"),
	"transaction_isolation":    always("REPEATABLE-READ"),
	"wait_timeout":             {value: func(k *knowledge) string { return strconv.Itoa(int(k.config.IdleTimeout.Seconds())) }},
	"interactive_timeout":      {value: func(k *knowledge) string { return strconv.Itoa(int(k.config.IdleTimeout.Seconds())) }},
	"net_write_timeout":        {value: func(k *knowledge) string { return strconv.Itoa(int(k.config.WriteTimeout.Seconds())) }},

	"server_uuid":              only(cluster.FlavourMySQL, func(k *knowledge) string { return k.config.UUID }),
	"super_read_only":          only(cluster.FlavourMySQL, func(*knowledge) string { return "1" }),
	"gtid_mode":                only(cluster.FlavourMySQL, func(*knowledge) string { return "ON" }),
	"enforce_gtid_consistency": only(cluster.FlavourMySQL, func(*knowledge) string { return "ON" }),
	"gtid_executed":            only(cluster.FlavourMySQL, executed),
	"gtid_purged":              only(cluster.FlavourMySQL, func(k *knowledge) string { return k.log.Oldest().String() }),

	"gtid_domain_id":   only(cluster.FlavourMariaDB, func(*knowledge) string { return "0" }),
	"gtid_strict_mode": only(cluster.FlavourMariaDB, func(*knowledge) string { return "1" }),
	"gtid_binlog_pos":  only(cluster.FlavourMariaDB, executed),
	"gtid_current_pos": only(cluster.FlavourMariaDB, executed),
}

func executed(k *knowledge) string { return k.log.Executed().String() }

// system returns a system variable's value.
func (k *knowledge) system(name string) (string, bool) {
	v, ok := systemVariables[name]
	if !ok || v.flavour != cluster.FlavourUnknown && v.flavour != k.config.Flavour {
		return "", false
	}
	return v.value(k), true
}

// value works a term out.
func (k *knowledge) value(t term) (value string, null bool, err *wire.ServerError) {
	switch t.kind {
	case tokenUserVariable:
		value, known := k.variables.get(t.text)
		return value, !known, nil
	case tokenSystemVariable:
		value, known := k.system(t.text)
		if !known {
			return "", false, unknownVariable(t.text)
		}
		return value, false, nil
	case tokenWord:
		return k.function(t.text)
	}
	return t.text, false, nil
}

func unknownVariable(name string) *wire.ServerError {
	return &wire.ServerError{Code: 1193, State: "HY000", // ER_UNKNOWN_SYSTEM_VARIABLE
		Message: fmt.Sprintf("Unknown system variable '%.64s'", name)}
}

// function is the value of a function, or of a word such as ON.
func (k *knowledge) function(name string) (value string, null bool, err *wire.ServerError) {
	switch name {
	case "unix_timestamp":
		return strconv.FormatInt(time.Now().Unix(), 10), false, nil
	case "now", "current_timestamp", "sysdate":
		return time.Now().UTC().Format(time.DateTime), false, nil
	case "version":
		return k.config.Version, false, nil
	case "connection_id":
		return strconv.FormatUint(uint64(k.id), 10), false, nil
	case "user", "current_user", "session_user", "system_user":
		return k.user + "@%", false, nil
	case "database", "schema", "null":
		return "", true, nil
	case "on", "off", "true", "false", "default", "none":
		return strings.ToUpper(name), false, nil
	}
	return "", false, notServed
}

var (
	// notServed is the answer to what nobody needs to ask here.
	notServed = &wire.ServerError{Code: 1235, State: "42000", // ER_NOT_SUPPORTED_YET
		Message: "Bellwether's source of the slaves answers only what slaves and mysqlbinlog ask; clients use Bellwether's own address"}
	// notWritten is the answer to every write.
	notWritten = &wire.ServerError{Code: 1290, State: "HY000", // ER_OPTION_PREVENTS_STATEMENT
		Message: "Bellwether's source of the slaves only hands out the binary log and changes nothing: write through Bellwether's address for clients"}
)

// selected answers a SELECT.
func (k *knowledge) selected(q question) (table, *wire.ServerError) {
	t := table{}
	row := make([]string, 0, len(q.items))
	for _, i := range q.items {
		value, null, err := k.value(i.value)
		if err != nil {
			return table{}, err
		}
		t.columns = append(t.columns, i.name)
		row = append(row, value)
		t.null = append(t.null, null)
	}
	t.rows = [][]string{row}
	return t, nil
}

// assign does a SET. Variables of the session that servers have are accepted
// and mean nothing here.
func (k *knowledge) assign(q question) *wire.ServerError {
	for _, a := range q.sets {
		if a.global {
			return notWritten
		}
		if a.variable.kind != tokenUserVariable {
			continue
		}
		value, null, err := k.value(a.value)
		if err != nil {
			return err
		}
		if !k.variables.set(a.variable.text, value, null) {
			return &wire.ServerError{Code: wire.CodeUnknown, Message: "too many user variables for a slave"}
		}
	}
	return nil
}
