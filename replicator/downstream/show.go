package downstream

import (
	"strconv"
	"strings"

	"github.com/bellwether-db/bellwether/wire"
)

// nothing are the questions whose answer has columns and never a row.
var nothing = map[string][]string{
	"status":         {"Variable_name", "Value"},
	"warnings":       {"Level", "Code", "Message"},
	"errors":         {"Level", "Code", "Message"},
	"slave status":   {"Slave_IO_State"},
	"replica status": {"Replica_IO_State"},
}

// show answers a SHOW.
func (k *knowledge) show(q question) (table, *wire.ServerError) {
	switch q.shown {
	case "variables":
		return k.showVariables(q.like), nil
	case "binary logs", "master logs":
		return k.showFiles(), nil
	case "master status", "binary log status", "binlog status":
		return k.showPosition(), nil
	case "slave hosts", "replicas", "replica hosts":
		return k.showSlaves(), nil
	}
	if columns, ok := nothing[q.shown]; ok {
		return table{columns: columns}, nil
	}
	return table{}, notServed
}

// showVariables finds the variables that fit a pattern; "" fits all. MariaDB asks
// so for semi-synchronous replication: an error would make it come again for
// ever, and a row would make it expect headers.
func (k *knowledge) showVariables(pattern string) table {
	t := table{columns: []string{"Variable_name", "Value"}}
	for name := range systemVariables {
		value, known := k.system(name)
		if known && (pattern == "" || like(name, pattern)) {
			t.rows = append(t.rows, []string{name, value})
		}
	}
	return t
}

// like is SQL's LIKE for names: % is anything, _ is any one character.
func like(name, pattern string) bool {
	n, p, star, resume := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '%':
			star, resume = p, n
			p++
		case p < len(pattern) && (pattern[p] == '_' || pattern[p] == name[n]):
			n, p = n+1, p+1
		case star >= 0: // the last % takes one character more
			resume++
			n, p = resume, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "%") == ""
}

func (k *knowledge) showFiles() table {
	t := table{columns: []string{"Log_name", "File_size"}}
	if !k.config.mariaDB() {
		t.columns = append(t.columns, "Encrypted")
	}
	for _, f := range k.log.Files() {
		row := []string{f.Name, strconv.FormatInt(f.Size, 10), "No"}
		t.rows = append(t.rows, row[:len(t.columns)])
	}
	return t
}

func (k *knowledge) showPosition() table {
	t := table{columns: []string{"File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB"}}
	if !k.config.mariaDB() {
		t.columns = append(t.columns, "Executed_Gtid_Set")
	}
	if files := k.log.Files(); len(files) > 0 {
		last := files[len(files)-1]
		row := []string{last.Name, strconv.FormatInt(last.Size, 10), "", "", k.log.Executed().String()}
		t.rows = append(t.rows, row[:len(t.columns)])
	}
	return t
}

func (k *knowledge) showSlaves() table {
	t := table{columns: []string{"Server_Id", "Host", "Port", "Source_Id", "Replica_UUID"}}
	if k.config.mariaDB() {
		t.columns = []string{"Server_id", "Host", "Port", "Master_id"}
	}
	own := strconv.FormatUint(uint64(k.config.ServerID), 10)
	for _, s := range k.slaves() {
		row := []string{strconv.FormatUint(uint64(s.ServerID), 10), s.Host, strconv.Itoa(int(s.Port)), own, strings.ToLower(s.UUID)}
		t.rows = append(t.rows, row[:len(t.columns)])
	}
	return t
}
