package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// patience bounds every wait of these tests.
const patience = 20 * time.Second

// live are three real servers without replication, and node1 the master.
type live struct {
	*testing.T
	nodes  *playground.Cluster
	config cluster.Config
}

func TestLive(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			nodes := playground.ForTest(t, playground.Options{Flavour: flavour, Slaves: 2, Relaxed: true, GeneralLog: true})
			l := &live{T: t, nodes: nodes, config: cluster.Default()}
			l.config.Operator = cluster.Account{User: "least", Password: "least"}
			l.step("grant", (*live).grant)
			l.step("prepare", (*live).prepare)
			l.step("prepare again", (*live).prepareAgain)
			l.step("semi-sync", (*live).semiSync)
			l.step("attach", (*live).attach)
			l.step("prepare a slave that runs", (*live).prepareRunning)
			l.step("filters", (*live).filters)
			l.step("keep", (*live).keep)
			l.step("drain", (*live).drain)
			l.step("turn", (*live).turn)
		})
	}
}

// step runs a chapter; the later ones build on it.
func (l *live) step(name string, chapter func(*live)) {
	l.Helper()
	outer := l.T
	if !outer.Run(name, func(t *testing.T) { l.T = t; chapter(l) }) {
		outer.FailNow()
	}
	l.T = outer
}

func (l *live) ok(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *live) soon() context.Context {
	ctx, cancel := context.WithTimeout(l.Context(), patience)
	l.Cleanup(cancel)
	return ctx
}

func (l *live) maria() bool { return l.nodes.Flavour == playground.MariaDB }

// either is the one of two texts for the flavour.
func (l *live) either(mysql, mariadb string) string {
	if l.maria() {
		return mariadb
	}
	return mysql
}

func (l *live) node(name string) Node {
	return Node{Name: name, Addr: l.nodes.Node(name).Addr()}
}

func (l *live) connect(name string) *Conn {
	l.Helper()
	c, err := Connect(l.soon(), l.node(name), l.config)
	l.ok(err)
	l.Cleanup(func() { _ = c.Close() })
	return c
}

func (l *live) exec(node string, statements ...string) {
	l.Helper()
	l.ok(l.nodes.Node(node).Exec(l.soon(), statements...))
}

func (l *live) query(node, text string) string {
	l.Helper()
	value, err := l.nodes.Node(node).Query(l.soon(), text)
	l.ok(err)
	return value
}

func (l *live) account() cluster.Account {
	return cluster.Account{User: l.nodes.Replication.User, Password: l.nodes.Replication.Password}
}

// source is a node as the source of others.
func (l *live) source(name string) Source {
	host, text, err := net.SplitHostPort(l.nodes.Node(name).Addr())
	l.ok(err)
	port, err := strconv.Atoi(text)
	l.ok(err)
	src := Source{Host: host, Port: port, User: l.account().User, Password: l.account().Password, TLS: TLSAny, Workers: 3}
	if l.maria() {
		src.TLS = TLSOff // Debian's has no certificate by itself
	}
	return src
}

// until waits for a state, bounded.
func (l *live) until(what string, is func() (bool, string)) {
	l.Helper()
	deadline := time.Now().Add(patience)
	for {
		done, seen := is()
		if done {
			return
		}
		if time.Now().After(deadline) {
			l.Fatalf("%s: not within %v: %s", what, patience, seen)
		}
		time.Sleep(10 * time.Millisecond) // bounded by the deadline
	}
}

// sent counts the statements in a node's general log that begin with one of
// these words.
func (l *live) sent(node string, words ...string) (n int) {
	l.Helper()
	text, err := l.nodes.Node(node).GeneralLog()
	l.ok(err)
	for line := range strings.Lines(text) {
		for _, word := range words {
			if strings.Contains(line, "Query\t"+word) {
				n++
			}
		}
	}
	return n
}

func (l *live) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l.Output(), nil)) }

// grant makes an account that has what check says it must be granted, and no
// more: with it everything here has to work.
func (l *live) grant() {
	for _, n := range l.nodes.Nodes {
		open, end := l.either("SET GLOBAL super_read_only = OFF", "DO 0"), l.either("SET GLOBAL super_read_only = ON", "DO 0")
		l.exec(n.Name, open, "SET sql_log_bin = 0", "CREATE USER least@'%' IDENTIFIED BY 'least'", "GRANT SELECT ON *.* TO least@'%'", end)
		c := l.config
		c.Nodes = []cluster.NodeConfig{{Name: n.Name, Addr: n.Addr()}}
		grants := []string{open, "SET sql_log_bin = 0"}
		for _, f := range cluster.Inspect(l.soon(), c, 0).Findings {
			if strings.HasPrefix(f.SQL, "GRANT ") {
				grants = append(grants, f.SQL)
			}
		}
		if len(grants) < 7 {
			l.Errorf("check says little: %q", grants)
		}
		l.exec(n.Name, append(grants, end)...)
	}
}

// prepare: what was set wrong on purpose is set right, on nodes that are
// super_read_only, without a transaction of their own.
func (l *live) prepare() {
	spoil := []string{
		"SET GLOBAL binlog_format = 'STATEMENT'", "SET GLOBAL binlog_row_image = 'MINIMAL'", "SET GLOBAL binlog_checksum = 'NONE'",
		l.either("SET GLOBAL binlog_rows_query_log_events = OFF", "SET GLOBAL binlog_annotate_row_events = OFF"),
	}
	for _, n := range l.nodes.Nodes {
		l.exec(n.Name, spoil...)
		c := l.connect(n.Name)
		before, err := c.Check(l.soon(), l.account())
		l.ok(err)
		if !told(before, "sync_binlog") || !told(before, "binlog_checksum") {
			l.Errorf("%s: what was spoilt is not found: %v", n.Name, before)
		}
		if err := c.EnableSemiSync(l.soon()); !errors.Is(err, ErrNotPrepared) {
			l.Errorf("%s: semi-sync enabled on a node that is not prepared: %v", n.Name, err)
		}
		after, err := c.Prepare(l.soon(), l.account())
		l.ok(err)
		for _, f := range after {
			if f.Severity == cluster.SeverityMust || f.Tried != nil || !l.maria() {
				l.Errorf("left: %v", f)
			}
			if l.maria() && f.Option == "" {
				l.Errorf("no line for the option file: %v", f)
			}
		}
		l.checkPrepared(n.Name)
	}
}

func (l *live) checkPrepared(node string) {
	l.Helper()
	for text, want := range map[string]string{
		"SELECT CONCAT_WS(',', @@GLOBAL.binlog_format, @@GLOBAL.binlog_row_image, @@GLOBAL.binlog_checksum)":                      "ROW,FULL,CRC32",
		"SELECT CONCAT_WS(',', @@GLOBAL.sync_binlog, @@GLOBAL.innodb_flush_log_at_trx_commit, @@GLOBAL.read_only IN ('1', 'ON'))": "1,1,1",
		l.either("SELECT @@GLOBAL.super_read_only", "SELECT @@GLOBAL.binlog_annotate_row_events"):                                 "1",
		l.either("SELECT @@GLOBAL.rpl_semi_sync_source_wait_point", "SELECT @@GLOBAL.rpl_semi_sync_master_wait_point"):            "AFTER_SYNC",
		l.either("SELECT @@GLOBAL.rpl_semi_sync_source_timeout", "SELECT @@GLOBAL.rpl_semi_sync_master_timeout"):                  forever,
		l.either("SELECT @@GLOBAL.gtid_executed", "SELECT @@GLOBAL.gtid_current_pos"):                                             "",
	} {
		if got := l.query(node, text); got != want {
			l.Errorf("%s: %s is %q, want %q", node, text, got, want)
		}
	}
}

func told(findings []Finding, what string) bool {
	for _, f := range findings {
		if f.What == what {
			return true
		}
	}
	return false
}

// prepareAgain: a second time sets nothing, and on MySQL what was set outlives a
// restart (which cannot be had here: the playground starts with --no-defaults,
// and then MySQL does not read what was persisted).
func (l *live) prepareAgain() {
	if !l.maria() {
		kept := l.query("node2", "SELECT COUNT(*) FROM performance_schema.persisted_variables WHERE VARIABLE_NAME IN ('super_read_only', 'sync_binlog', 'rpl_semi_sync_source_timeout')")
		if kept != "3" {
			l.Errorf("%s of 3 variables were persisted", kept)
		}
	}
	for _, name := range []string{"node2", "node3"} {
		before := l.sent(name, "SET GLOBAL", "SET PERSIST", "INSTALL", "STOP")
		findings, err := l.connect(name).Prepare(l.soon(), l.account())
		l.ok(err)
		if !l.maria() && len(findings) > 0 {
			l.Errorf("%s: %v", name, findings)
		}
		if after := l.sent(name, "SET GLOBAL", "SET PERSIST", "INSTALL", "STOP"); after != before {
			l.Errorf("%s: %d statements were sent to a node that is right", name, after-before)
		}
	}
	c := l.connect("node1")
	findings, err := c.Check(l.soon(), cluster.Account{User: "nobody"})
	l.ok(err)
	if !told(findings, "replication account") {
		l.Errorf("an account that is missing is not found: %v", findings)
	}
	wrong := l.node("node1")
	wrong.Identity = "another"
	if _, err := Connect(l.soon(), wrong, l.config); !errors.Is(err, ErrAnotherServer) {
		l.Errorf("another server was taken for node1: %v", err)
	}
}

// semiSync: enabled without a replica, commits wait until it is disabled.
func (l *live) semiSync() {
	c := l.connect("node1")
	l.ok(l.nodes.OpenMaster(l.soon(), l.nodes.Node("node1")))
	follower := cluster.Account{User: "follower", Password: "it's"}
	findings, err := c.Prepare(l.soon(), follower)
	l.ok(err)
	if !told(findings, "replication account") {
		l.Errorf("an account was made without the privilege to: %v", findings)
	}
	l.exec("node1", "GRANT CREATE USER, GRANT OPTION ON *.* TO least@'%'")
	findings, err = l.connect("node1").Prepare(l.soon(), follower)
	l.ok(err)
	if told(findings, "replication account") {
		l.Errorf("the replication account was not made: %v", findings)
	}
	l.ok(c.DisableSemiSync(l.soon()))
	l.ok(c.EnableSemiSync(l.soon()))
	l.ok(c.EnableSemiSync(l.soon()))
	written := make(chan error, 1)
	go func() { written <- l.nodes.Node("node1").Exec(l.soon(), "CREATE DATABASE shop") }()
	l.until("a commit waits", func() (bool, string) {
		s, err := c.SemiSync(l.soon())
		l.ok(err)
		return s.Enabled && s.Active && s.Waiting == 1 && s.Clients == 0, fmt.Sprint(s)
	})
	select {
	case err := <-written:
		l.Fatalf("a commit went on without an acknowledgement: %v", err)
	case <-time.After(200 * time.Millisecond): // nothing may come; so long is all that can be asked
	}
	l.ok(c.DisableSemiSync(l.soon()))
	l.ok(<-written)
	if n := l.sent("node1", "SET GLOBAL rpl_semi_sync_"+l.either("source", "master")+"_enabled"); n != 2 {
		l.Errorf("semi-sync was switched %d times, want once on and once off", n)
	}
}
