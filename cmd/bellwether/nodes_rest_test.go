package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// ask calls a node's own address.
func (s *serving) ask(t *testing.T, node, method, target, body string) (status int, answer string) {
	t.Helper()
	status, answer, err := s.callAt(t.Context(), s.house.admin.NodeAddr(node), method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	return status, answer
}

// comesTo waits until a GET to a node's own address has an answer: on a busy
// machine a node, or the master, may be late for a moment.
func (s *serving) comesTo(t *testing.T, node, path string, wanted func(status int, body string) bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; sleep(t.Context(), 50*time.Millisecond) {
		status, body := s.ask(t, node, http.MethodGet, path, "")
		if wanted(status, body) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s%s: %d %s", node, path, status, body)
		}
	}
}

// TestNodesOwnAddresses is them against real servers of each family.
func TestNodesOwnAddresses(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			servers := playground.ForTest(t, playground.Options{Flavour: flavour, Slaves: 2, Relaxed: true})
			s := startServingAs(t, servers, demoOptions{proxy: "127.0.0.1:0", admin: "127.0.0.1:0", feed: "relay"})
			s.bePatient(t, patientHold, 10*time.Second)
			s.checkDocument(t, "document.txt")
			s.checkNodes(t)
		})
	}
}

// checkNodes is the nodes' own addresses, from the document's calls to a
// switchover.
func (s *serving) checkNodes(t *testing.T) {
	before := s.executed(t, "node2")
	s.checkDocument(t, "nodes.txt")
	if after := s.executed(t, "node2"); after != before {
		t.Errorf("the calls have left transactions: %s before, %s after", before, after)
	}
	s.checkTouched(t)
	s.checkClosed(t)
	s.checkExamined(t)
	s.checkGivenUp(t)
	s.checkRoles(t)
	s.checkCleared(t)
	s.checkAddresses(t)
}

// executed is what a node has executed, heartbeats of the master's aside: all that
// it has of others than the master.
func (s *serving) executed(t *testing.T, node string) string {
	t.Helper()
	query := "SELECT @@GLOBAL.gtid_binlog_state"
	if s.servers.Flavour == playground.MySQL {
		query = "SELECT GTID_SUBTRACT(@@GLOBAL.gtid_executed, CONCAT('" + s.uuid(t) + "', ':1-1000000000'))"
	}
	got, err := s.named(node)[0].Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	if s.servers.Flavour == playground.MySQL {
		return got
	}
	var others []string
	for gtid := range strings.SplitSeq(got, ",") {
		if parts := strings.Split(gtid, "-"); len(parts) != 3 || parts[1] != "1" {
			others = append(others, gtid)
		}
	}
	return strings.Join(others, ",")
}

func (s *serving) uuid(t *testing.T) string {
	t.Helper()
	uuid, err := s.servers.Master.Query(t.Context(), "SELECT @@server_uuid")
	if err != nil {
		t.Fatal(err)
	}
	return uuid
}

// checkTouched: what a touched node answers, and what is refused where.
func (s *serving) checkTouched(t *testing.T) {
	const row = `{"dbname":"testdb","table":"users","row":{"Id":1000,"name":"by hand"}}`
	for _, c := range []struct {
		node, path, body string
		status           int
		want             string
	}{
		{"node2", "/replicate/insert", row, 200, `"node":"node2"`},
		{"node2", "/replicate/insert", row, 409, `"code":1062`},
		{"node2", "/replicate/insert", `{"dbname":"testdb","table":"users","row":{"nope":1}}`, 400, `"code":1054`},
		{"node3", "/replicate/insert", `{"dbname":"testdb","table":"users","row":{"nope":1}}`, 400, `"code":1054`},
		{"node3", "/replicate/insert", `{"dbname":"testdb","table":"users","values":"1, (SELECT 1)"}`, 400, "subquery"},
		{"node3", "/replicate/dropdb", `{"name":"mysql"}`, 400, "out of reach"},
		{"node1", "/replicate/insert", row, 409, "node1 is the master"},
		{"node2", "/insert", row, 409, "the master is node1"},
		{"node2", "/createdb", `{"name":"x"}`, 409, s.house.admin.NodeAddr("node1")},
		{"node2", "/sync", "", 409, "the master is node1"},
		{"node2", "/select", `{"dbname":"testdb","table":"users","columns":"name"}`, 200, `[{"name":"by hand"}]`},
		{"node3", "/select", `{"dbname":"testdb","table":"users","columns":"name"}`, 200, `[]`},
		{"node1", "/insert", `{"dbname":"testdb","table":"users","row":{"Id":7,"name":"all"}}`, 200, `"affectedRows":1`},
		{"node1", "/delete", `{"dbname":"testdb","table":"users","where":{"Id":7}}`, 200, `"affectedRows":1`},
	} {
		status, body := s.ask(t, c.node, http.MethodPost, c.path, c.body)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s%s %s: %d %s, want %d with %s", c.node, c.path, c.body, status, body, c.status, c.want)
		}
	}
	for _, c := range []struct {
		node, path string
		status     int
	}{
		{"node1", "/readyz", 200}, {"node1", "/master", 200}, {"node1", "/slave", 503}, {"node1", "/livez", 200},
		{"node2", "/readyz", 503}, {"node2", "/master", 503}, {"node2", "/slave", 503}, {"node2", "/livez", 200},
		{"node3", "/readyz", 200}, {"node3", "/master", 503}, {"node3", "/slave?max_lag=20s", 200}, {"node3", "/slave?max_lag=x", 400},
	} {
		s.comesTo(t, c.node, c.path, func(status int, _ string) bool { return status == c.status })
	}
	topology := s.house.store.Load()
	if n := topology.Nodes[1]; n.Readable() || !strings.Contains(n.Touched, "insert into testdb.users") || topology.Nodes[2].Touched != "" {
		t.Errorf("touched: %q and %q", n.Touched, topology.Nodes[2].Touched)
	}
	audit, err := os.ReadFile(filepath.Join(s.house.config.StateDir, "audit.log"))
	if err != nil || !strings.Contains(string(audit), `"call":"replicate/insert","database":"testdb","table":"users","node":"node2"`) {
		t.Errorf("audit: %v\n%s", err, audit)
	}
}

// checkExamined: a verification that finds a difference leaves the mark, and one
// that finds none takes it away.
func (s *serving) checkExamined(t *testing.T) {
	for _, c := range []struct{ path, body, found string }{
		{"/replicate/db", `{"name":"onlyhere"}`, `"equal":false`},
		{"/replicate/dropdb", `{"name":"onlyhere"}`, `"equal":false`}, // there is the row yet
		{"/replicate/delete", `{"dbname":"testdb","table":"users","where":{"Id":1000}}`, `"equal":true`},
	} {
		status, body := s.ask(t, "node2", http.MethodPost, c.path, c.body)
		want200(t, status, body)
		status, body = s.post(t, "/v1/operations", `{"kind":"verify","node":"node2"}`)
		if status != http.StatusAccepted {
			t.Fatalf("verify: %d %s", status, body)
		}
		for deadline := time.Now().Add(2 * time.Minute); !s.copied(t.Context()); sleep(t.Context(), 50*time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the verification does not end")
			}
		}
		_, body = s.get(t, "/v1/operations")
		if last := body[strings.LastIndex(body, `"kind":"verify"`):]; !strings.Contains(last, c.found) {
			t.Errorf("behind %s: %s", c.path, last)
		}
		if touched := s.house.store.Load().Nodes[1].Touched; (touched == "") != strings.Contains(c.found, "true") {
			t.Errorf("behind %s: %q", c.path, touched)
		}
	}
	s.waitServing(t, "node2")
}

// checkClosed: the slave is as closed afterwards as it was before.
func (s *serving) checkClosed(t *testing.T) {
	query := "SELECT CONCAT(@@GLOBAL.read_only, @@GLOBAL.super_read_only)"
	want := "11"
	if s.servers.Flavour == playground.MariaDB {
		query, want = "SELECT @@GLOBAL.read_only", "1"
	}
	s.waitOn(t, s.servers.Slaves(), query, want)
}

// checkGivenUp: while a change waits, its mark is on disk and clients cannot
// write; who gives it up ends it, and the slave is closed again.
func (s *serving) checkGivenUp(t *testing.T) {
	node := s.named("node3")[0]
	release := s.lockRow(t, node)
	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	ended := s.updateHeld(ctx)
	s.waitHeld(t, node, 1)
	marks, err := os.ReadFile(filepath.Join(s.house.config.StateDir, "touched.json"))
	if err != nil || !strings.Contains(string(marks), `"what": "update testdb.held"`) {
		t.Errorf("while it waits: %s, %v", marks, err)
	}
	if err := s.insertAs(t, node, "plain", "plain", 3); err == nil || !strings.Contains(err.Error(), "read") {
		t.Errorf("a client could write there meanwhile: %v", err)
	}
	giveUp()
	if said := <-ended; !strings.Contains(said, "context canceled") {
		t.Errorf("given up: %s", said)
	}
	s.waitHeld(t, node, 0)
	s.checkClosed(t)
	if s.servers.Flavour == playground.MySQL { // MariaDB lets such an account write at any time
		ended = s.updateHeld(t.Context())
		s.waitHeld(t, node, 1)
		if err := s.insertAs(t, node, s.servers.Account.User, s.servers.Account.Password, 4); err != nil {
			t.Errorf("who may write through read_only: %v", err)
		}
		release()
		if said := <-ended; !strings.Contains(said, "somebody else who may write") || !strings.Contains(said, `"affectedRows":1`) {
			t.Errorf("nobody is told of another's write: %s", said)
		}
		s.checkClosed(t)
	}
	release()
}

// updateHeld changes the row that lockRow locks on node3, and there alone.
func (s *serving) updateHeld(ctx context.Context) <-chan string {
	ended := make(chan string, 1)
	go func() {
		status, body, err := s.callAt(ctx, s.house.admin.NodeAddr("node3"), http.MethodPost, "/replicate/update",
			`{"dbname":"testdb","table":"held","set":{"v":2},"where":{"k":1}}`)
		ended <- fmt.Sprint(status, body, err)
	}()
	return ended
}

// waitHeld waits until so many of these changes run on a node; one that is only
// prepared is shown there, too.
func (s *serving) waitHeld(t *testing.T, node *playground.Node, n int) {
	t.Helper()
	s.waitOn(t, []*playground.Node{node}, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND = 'Execute' AND INFO LIKE 'UPDATE `testdb`.`held`%'", fmt.Sprint(n))
}

// insertAs tries to write on a node, past Bellwether.
func (s *serving) insertAs(t *testing.T, node *playground.Node, user, password string, key int) error {
	t.Helper()
	db, err := sql.Open("mysql", node.DSN(user, password, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(t.Context(), "INSERT INTO testdb.held VALUES (?, 0)", key)
	return err
}

// lockRow locks the row of testdb.held on one node until it is released.
func (s *serving) lockRow(t *testing.T, node *playground.Node) (release func()) {
	t.Helper()
	status, body := s.post(t, "/createtable", `{"dbname":"testdb","table":"held","columns":["k INT PRIMARY KEY","v INT"]}`)
	want200(t, status, body)
	status, body = s.post(t, "/insert", `{"dbname":"testdb","table":"held","row":{"k":1,"v":1}}`)
	want200(t, status, body)
	if err := s.servers.Master.Exec(t.Context(), "CREATE USER plain@'%' IDENTIFIED BY 'plain'", "GRANT INSERT, SELECT ON testdb.* TO plain@'%'"); err != nil {
		t.Fatal(err)
	}
	s.waitEverywhere(t, "SELECT COUNT(*) + (SELECT v FROM testdb.held) FROM mysql.user WHERE user = 'plain'", "2")
	db, err := sql.Open("mysql", node.DSN(s.servers.Account.User, s.servers.Account.Password, ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var v int
	if err := tx.QueryRowContext(t.Context(), "SELECT v FROM testdb.held WHERE k = 1 LOCK IN SHARE MODE").Scan(&v); err != nil {
		t.Fatal(err)
	}
	return func() { _ = tx.Rollback() } // a second time it says so, and that is all
}

// copied says that nothing is copied any more.
func (s *serving) copied(ctx context.Context) bool {
	status, body, err := s.call(ctx, http.MethodGet, "/v1/operations", "")
	return err == nil && status == http.StatusOK && !strings.Contains(body, `"state":"running"`)
}

// waitServing waits until a node serves reads, and nothing is copied any more.
func (s *serving) waitServing(t *testing.T, node string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; sleep(t.Context(), 20*time.Millisecond) {
		topology := s.house.store.Load()
		if i := topology.Find(node); topology.Nodes[i].Readable() && s.copied(t.Context()) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not serve: %+v", node, topology.Nodes)
		}
	}
}
