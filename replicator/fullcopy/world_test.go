package fullcopy

import (
	"context"
	"database/sql"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// world are two real servers, of which node1 is the master.
type world struct {
	*testing.T
	nodes  *playground.Cluster
	config cluster.Config
}

// worlds runs a test on both flavours.
func worlds(t *testing.T, test func(w *world)) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			nodes := playground.ForTest(t, playground.Options{Flavour: flavour, Slaves: 1, Relaxed: true})
			w := &world{T: t, nodes: nodes, config: cluster.Default()}
			w.config.Operator = cluster.Account{User: nodes.Operator.User, Password: nodes.Operator.Password}
			w.ok(nodes.OpenMaster(w.soon(), nodes.Master))
			test(w)
		})
	}
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// soon bounds what must not take long, on a machine that may be busy.
func (w *world) soon() context.Context {
	ctx, cancel := context.WithTimeout(w.Context(), 2*time.Minute)
	w.Cleanup(cancel)
	return ctx
}

func (w *world) maria() bool { return w.nodes.Flavour == playground.MariaDB }

func (w *world) master() *playground.Node { return w.nodes.Nodes[0] }
func (w *world) slave() *playground.Node  { return w.nodes.Nodes[1] }

func (w *world) exec(n *playground.Node, statements ...string) {
	w.Helper()
	w.ok(n.Exec(w.soon(), statements...))
}

func (w *world) query(n *playground.Node, text string) string {
	w.Helper()
	value, err := n.Query(w.soon(), text)
	w.ok(err)
	return value
}

func (w *world) node(n *playground.Node) control.Node {
	return control.Node{Name: n.Name, Addr: n.Addr()}
}

// setup is the configuration of a copy from the master to the slave.
func (w *world) setup() Config {
	return Config{Source: w.node(w.master()), Target: w.node(w.slave()), Nodes: w.config, Workers: 3, RangeBytes: 64 << 10, LockTries: 20}
}

func (w *world) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(output{w.T}, nil))
}

// output writes to the test's log.
type output struct{ t *testing.T }

func (o output) Write(p []byte) (int, error) {
	o.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// follow has the slave replicate from the master and waits until it has all.
func (w *world) follow() {
	w.Helper()
	w.ok(w.nodes.ReplicateFrom(w.soon(), w.slave(), w.master().Addr()))
	w.ok(w.nodes.WaitCaughtUp(w.soon()))
}

// equal compares the two servers without any of the package's own code.
func (w *world) equal() {
	w.Helper()
	scheduler := w.query(w.master(), "SELECT @@GLOBAL.event_scheduler")
	w.exec(w.master(), "SET GLOBAL event_scheduler = OFF") // one of the events writes
	defer w.exec(w.master(), "SET GLOBAL event_scheduler = "+scheduler)
	w.ok(w.nodes.WaitCaughtUp(w.soon()))
	for _, n := range w.nodes.Nodes {
		w.exec(n, "SET GLOBAL group_concat_max_len = 1000000")
	}
	const user = "NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')"
	w.same("SELECT GROUP_CONCAT(SCHEMA_NAME, DEFAULT_COLLATION_NAME ORDER BY SCHEMA_NAME) FROM information_schema.SCHEMATA")
	w.same("SELECT GROUP_CONCAT(TABLE_SCHEMA, '.', TABLE_NAME ORDER BY TABLE_SCHEMA, TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_NAME <> 'broken' AND TABLE_SCHEMA " + user)
	w.same("SELECT GROUP_CONCAT(ROUTINE_NAME, SQL_MODE, CHARACTER_SET_CLIENT, COLLATION_CONNECTION, DATABASE_COLLATION, DEFINER, HEX(ROUTINE_DEFINITION) ORDER BY ROUTINE_NAME, ROUTINE_TYPE) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA " + user)
	w.same("SELECT GROUP_CONCAT(TRIGGER_NAME, ACTION_ORDER, ACTION_STATEMENT, SQL_MODE, CHARACTER_SET_CLIENT, DEFINER ORDER BY TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA " + user)
	w.same("SELECT GROUP_CONCAT(EVENT_NAME, EVENT_DEFINITION, STARTS, TIME_ZONE, SQL_MODE, ON_COMPLETION, EVENT_COMMENT, DEFINER ORDER BY EVENT_NAME) FROM information_schema.EVENTS WHERE EVENT_SCHEMA " + user)
	w.same("SELECT GROUP_CONCAT(TABLE_NAME, VIEW_DEFINITION, CHECK_OPTION, DEFINER, SECURITY_TYPE, CHARACTER_SET_CLIENT ORDER BY TABLE_NAME) FROM information_schema.VIEWS WHERE TABLE_NAME <> 'broken' AND TABLE_SCHEMA " + user)
	for _, path := range strings.Split(w.column(w.master(), "SELECT GROUP_CONCAT('`', REPLACE(TABLE_SCHEMA, '`', '``'), '`.`', REPLACE(TABLE_NAME, '`', '``'), '`' SEPARATOR '#') FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND TABLE_SCHEMA "+user, 0), "#") {
		w.sameTable(path)
	}
	w.accounts()
}

// same asks both servers one thing.
func (w *world) same(text string) {
	w.Helper()
	if a, b := w.column(w.master(), text, 0), w.column(w.slave(), text, 0); a != b {
		w.Errorf("%s:\n%s\n%s", text, a, b)
	}
}

var (
	nextNumber   = regexp.MustCompile(` AUTO_INCREMENT=\d+`)
	shownCharset = regexp.MustCompile(` CHARACTER SET \w+`)
)

// columnsOf says in which columns a table differs.
func (w *world) columnsOf(path string) {
	parts := strings.SplitN(strings.Trim(path, "`"), "`.`", 2)
	list := w.column(w.master(), "SELECT GROUP_CONCAT(COLUMN_NAME SEPARATOR '#') FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '"+parts[0]+"' AND TABLE_NAME = '"+parts[1]+"'", 0)
	first, _, _ := strings.Cut(list, "#")
	for _, name := range strings.Split(list, "#") {
		w.same("SELECT GROUP_CONCAT(IFNULL(HEX(`" + name + "`), 'N') ORDER BY `" + first + "`) FROM " + path)
	}
}

func (w *world) sameTable(path string) {
	w.Helper()
	if path == "`shop`.`arr`" {
		// An index over an array has a hidden column, with which CHECKSUM TABLE
		// comes out differently each time.
		w.same("SELECT GROUP_CONCAT(id, j ORDER BY id) FROM " + path)
	} else if a, b := w.column(w.master(), "CHECKSUM TABLE "+path+" EXTENDED", 1), w.column(w.slave(), "CHECKSUM TABLE "+path+" EXTENDED", 1); a != b || a == "" {
		w.Errorf("checksums of %s: %s and %s", path, a, b)
		w.columnsOf(path)
	}
	show := func(n *playground.Node) string {
		return shownCharset.ReplaceAllString(nextNumber.ReplaceAllString(w.column(n, "SHOW CREATE TABLE "+path, 1), ""), "")
	}
	if a, b := show(w.master()), show(w.slave()); a != b {
		w.Errorf("%s:\n%s\n%s", path, a, b)
	}
}

// accounts compares accounts and their privileges.
func (w *world) accounts() {
	w.Helper()
	if w.maria() {
		w.same("SELECT GROUP_CONCAT(User, '@', Host, Priv ORDER BY User, Host) FROM mysql.global_priv WHERE User <> '" + w.config.Operator.User + "'")
		w.same("SELECT GROUP_CONCAT(User, '@', Host, Role, Admin_option ORDER BY User, Host, Role) FROM mysql.roles_mapping WHERE User <> '" + w.config.Operator.User + "'")
	} else {
		w.same("SELECT GROUP_CONCAT(User, '@', Host, HEX(authentication_string), IFNULL(User_attributes, ''), password_last_changed, ssl_type ORDER BY User, Host) FROM mysql.user WHERE User <> '" + w.config.Operator.User + "'")
		w.same("SELECT GROUP_CONCAT(FROM_USER, TO_USER, WITH_ADMIN_OPTION) FROM mysql.role_edges")
	}
	w.same("SHOW GRANTS FOR 'al`ice'@'10.%'")
	w.same("SHOW GRANTS FOR reader")
}

// column reads a column of the first row.
func (w *world) column(n *playground.Node, text string, i int) string {
	w.Helper()
	account := w.nodes.Account
	db, err := sql.Open("mysql", n.DSN(account.User, account.Password, ""))
	w.ok(err)
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(w.soon(), text)
	w.ok(err)
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	w.ok(err)
	values := make([]sql.NullString, len(names))
	targets := make([]any, len(names))
	for k := range values {
		targets[k] = &values[k]
	}
	if rows.Next() {
		w.ok(rows.Scan(targets...))
	}
	w.ok(rows.Err())
	return values[i].String
}
