package control

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/internal/golden"
	"github.com/bellwether-db/bellwether/wire"
)

// TestVersions prepares and attaches servers of versions that are not at hand.
// Each is scripted from its manual, and refuses words that it does not know.
func TestVersions(t *testing.T) {
	golden.Run(t, "testdata/versions.txt", func(t *testing.T, c golden.Case) (out [][]string) {
		var s *scripted
		for _, step := range c.Steps {
			if version, ok := strings.CutPrefix(step.Input, "server "); ok {
				s = newScripted(t, version)
				out = append(out, nil)
				continue
			}
			out = append(out, s.do(t, step.Input))
		}
		return out
	})
}

// scripted is a server that knows what its version knows.
type scripted struct {
	server    *fakemysql.Server
	version   string
	words     map[string]string // slave, SOURCE and so on, as this version says them
	mu        sync.Mutex
	variables map[string]string
	persisted map[string]string
	changed   map[string]bool
	plugins   map[string]bool
	accounts  [][]string
	status    map[string]string // nil without a source
	ignored   string            // a schema that is left out of the binary log
	sent      []string          // what changes something
}

// do runs one step and returns what was sent to the server, and what is left.
func (s *scripted) do(t *testing.T, step string) (lines []string) {
	config := cluster.Default()
	config.Operator = cluster.Account{User: fakemysql.User, Password: fakemysql.Password}
	conn, err := Connect(t.Context(), Node{Name: "node1", Addr: s.server.Addr()}, config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	var findings []Finding
	switch step {
	case "check":
		findings, err = conn.Check(t.Context(), cluster.Account{User: "repl", Password: "secret"})
	case "prepare":
		findings, err = conn.Prepare(t.Context(), cluster.Account{User: "repl", Password: "secret"})
	case "attach":
		_, err = conn.Attach(t.Context(), Source{Host: "bw", Port: 3309, User: "repl", Password: "secret", TLS: TLSOff, Workers: 4}, nil)
	case "detach":
		err = conn.Detach(t.Context())
	case "enable semi-sync":
		err = conn.EnableSemiSync(t.Context())
	case "disable semi-sync":
		err = conn.DisableSemiSync(t.Context())
	default:
		t.Fatalf("no such step: %s", step)
	}
	s.mu.Lock()
	lines, s.sent = s.sent, nil
	s.mu.Unlock()
	for _, f := range findings {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%v: %s is %q | %s | %s", f.Severity, f.What, f.Have, f.SQL, f.Option)))
	}
	if err != nil {
		lines = append(lines, "error: "+err.Error())
	}
	return lines
}

var (
	setting1     = regexp.MustCompile(`^(SET GLOBAL|SET PERSIST|SET PERSIST_ONLY) (\w+) = (.+)$`)
	installs     = regexp.MustCompile(`^INSTALL PLUGIN (\w+) SONAME '(\w+)\.so'$`)
	columnsOf    = []string{"name", "origin", "persisted"}
	variableRows = []string{"Variable_name", "Value"}
)

func (s *scripted) serve(c *fakemysql.Conn) error {
	for {
		command, content, err := c.Command()
		if err != nil {
			return err
		}
		if command != wire.ComQuery {
			err = c.OK(wire.OK{})
		} else {
			err = s.answer(c, string(content))
		}
		if err != nil {
			return err
		}
	}
}

// answer is all that the server understands.
func (s *scripted) answer(c *fakemysql.Conn, q string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case strings.Contains(q, "sql_mode"): // of the driver
		return c.OK(wire.OK{})
	case q == "SELECT @@version AS version":
		return c.Rows([]string{"version"}, []string{s.version})
	case strings.HasPrefix(q, "SHOW GLOBAL VARIABLES"):
		return c.Rows(variableRows, pairs(s.variables)...)
	case q == s.words["origins"]:
		return c.Rows(columnsOf, s.origins()...)
	case strings.Contains(q, "information_schema.PLUGINS"):
		return c.Rows([]string{"name", "status"}, s.pluginRows()...)
	case strings.Contains(q, "FROM mysql.user"):
		return c.Rows([]string{"1"}, s.accounts...)
	case strings.Contains(q, "replication_connection_configuration") && s.words["heartbeat"] != "":
		return c.Rows([]string{"heartbeat"}, []string{"1.000"})
	case q == s.words["status"]:
		return s.showStatus(c)
	case q == s.words["log status"]:
		return c.Rows([]string{"File", "Binlog_Do_DB", "Binlog_Ignore_DB"}, []string{"binlog.000001", "", s.ignored})
	}
	s.sent = append(s.sent, q)
	if s.change(q) {
		return c.OK(wire.OK{})
	}
	s.sent = append(s.sent, "  refused")
	return c.Error(1064, "42000", "You have an error in your SQL syntax")
}

// change does what a statement says, if the version knows it.
func (s *scripted) change(q string) bool {
	if m := setting1.FindStringSubmatch(q); m != nil {
		return s.set(m[1], m[2], m[3])
	}
	if m := installs.FindStringSubmatch(q); m != nil {
		return s.install(m[1], m[2])
	}
	slave := s.words["slave"]
	switch {
	case q == "START "+slave, q == "STOP "+slave, q == "START "+slave+" SQL_THREAD", q == "STOP "+slave+" SQL_THREAD":
		if s.status != nil && strings.HasPrefix(q, "START") {
			s.status[s.words["Slave"]+"_IO_Running"], s.status[s.words["Slave"]+"_SQL_Running"] = "Yes", "Yes"
		}
	case q == "RESET "+slave+" ALL":
		s.status = nil
	case strings.HasPrefix(q, "CREATE USER IF NOT EXISTS 'repl'@'%' IDENTIFIED "+s.words["identified"]):
		s.accounts = [][]string{{"1"}}
	case strings.HasPrefix(q, s.words["change"]):
		return s.takeSource(q)
	default:
		return false
	}
	return true
}

func (s *scripted) set(how, name, value string) bool {
	_, known := s.variables[name]
	if !known || how != "SET GLOBAL" && s.words["persist"] == "" {
		return false
	}
	if value == "@@GLOBAL.read_only" {
		value = s.variables["read_only"]
	}
	value = strings.Trim(value, "'")
	if how != "SET PERSIST_ONLY" {
		s.variables[name], s.changed[name] = value, true
	}
	if how != "SET GLOBAL" {
		s.persisted[name] = value
	}
	return true
}

// install adds a plugin and what it brings.
func (s *scripted) install(plugin, library string) bool {
	source, replica := "rpl_semi_sync_"+s.words["source"], "rpl_semi_sync_"+s.words["replica"]
	switch {
	case s.variables["super_read_only"] == "ON":
		return false
	case plugin == source && library == "semisync_"+s.words["source"]:
		addSemiSync(s.variables, s.words["source"], s.words["replica"])
		s.variables[source+"_wait_for_"+s.words["replica"]+"_count"] = "1"
	case plugin == replica && library == "semisync_"+s.words["replica"]:
		s.variables[replica+"_enabled"] = "OFF"
	default:
		return false
	}
	s.plugins[plugin] = true
	return true
}

func addSemiSync(variables map[string]string, source, replica string) {
	name := "rpl_semi_sync_" + source
	maps.Copy(variables, map[string]string{
		name + "_enabled": "OFF", name + "_timeout": "10000", name + "_wait_point": "AFTER_COMMIT", name + "_wait_no_" + replica: "ON",
	})
}

// takeSource accepts only options that the version has, all of them at once.
func (s *scripted) takeSource(q string) bool {
	prefix, slave := s.words["option"], s.words["Slave"]
	master := s.words["Master"]
	for option := range strings.SplitSeq(strings.TrimPrefix(q, s.words["change"]+" "), ", ") {
		name, _, _ := strings.Cut(option, " = ")
		if !strings.HasPrefix(name, prefix+"_") && !(name == "GET_"+prefix+"_PUBLIC_KEY" && s.words["public key"] != "") {
			return false
		}
	}
	s.status = map[string]string{
		master + "_Host": "bw", master + "_Port": "3309", master + "_User": "repl", slave + "_IO_Running": "No", slave + "_SQL_Running": "No",
		"Connect_Retry": "1", master + "_Retry_Count": "4294967295", "Auto_Position": "1", "Using_Gtid": "Slave_Pos", "Slave_heartbeat_period": "1.000",
		master + "_SSL_Allowed": "No", "Gtid_IO_Pos": "", "Retrieved_Gtid_Set": "",
	}
	return true
}

func (s *scripted) origins() (rows [][]string) {
	for _, name := range slices.Sorted(maps.Keys(s.variables)) {
		origin := "COMPILED"
		if s.changed[name] {
			origin = "DYNAMIC"
		}
		rows = append(rows, []string{name, origin, s.persisted[name]})
	}
	return rows
}

func (s *scripted) pluginRows() (rows [][]string) {
	for name := range s.plugins {
		rows = append(rows, []string{name, "ACTIVE"})
	}
	return rows
}

func pairs(m map[string]string) (rows [][]string) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		rows = append(rows, []string{name, m[name]})
	}
	return rows
}

func (s *scripted) showStatus(c *fakemysql.Conn) error {
	if s.status == nil {
		return c.Rows([]string{"Connect_Retry"})
	}
	var columns, row []string
	for _, pair := range pairs(s.status) {
		columns, row = append(columns, pair[0]), append(row, pair[1])
	}
	return c.Rows(columns, row)
}
