package proxy

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/wire"
)

// real is a proxy in front of one real server, whose connections can be lost.
type real struct {
	*testing.T
	*fleet
	node *playground.Node
	user playground.Account
}

func TestLosses(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			servers := playground.ForTest(t, playground.Options{Flavour: flavour, Relaxed: true})
			r := &real{T: t, node: servers.Nodes[0], user: servers.Account}
			unlock := []string{"SET GLOBAL read_only = 0"}
			if flavour == playground.MySQL {
				unlock = []string{"SET GLOBAL super_read_only = 0", "SET GLOBAL read_only = 0"}
			}
			r.order(append(unlock, "CREATE DATABASE shop",
				"CREATE TABLE shop.item (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20), n INT NOT NULL DEFAULT 0)",
				"INSERT INTO shop.item (name) VALUES ('first')")...)
			r.fleet = &fleet{house: newHouse(t, func(c *Config, _ *backend.Config) { c.HoldTimeout = 10 * time.Second })}
			r.server.ResolveBy(r)
			r.enlist(flavour)
			r.checkRebuilt()
			r.checkReplayed()
			r.checkPreparedReplayed()
			r.checkDiffers()
		})
	}
}

// enlist makes the server the master of the house.
func (r *real) enlist(flavour playground.Flavour) {
	family := cluster.FlavourMySQL
	if flavour == playground.MariaDB {
		family = cluster.FlavourMariaDB
	}
	register(r.T, r.store, "node1", r.node.Addr())
	r.store.Report(func(d *cluster.ReportDraft) {
		d.SetCondition("node1", r.node.Addr(), cluster.Condition{Health: cluster.HealthUp, Flavour: family, Version: "real"})
	})
	r.setMaster(r.T, "node1")
}

func (r *real) order(statements ...string) {
	r.Helper()
	if err := r.node.Exec(r.Context(), statements...); err != nil {
		r.Fatal(err)
	}
}

func (r *real) value(sql string) string {
	r.Helper()
	v, err := r.node.Query(r.Context(), sql)
	if err != nil {
		r.Fatal(err)
	}
	return v
}

// connect is a client with the servers' own account.
func (r *real) connect() *client {
	conn, hello, err := wire.Dial(context.Background(), &wire.DialConfig{
		Addr: r.server.Addr().String(), User: r.user.User, Secret: wire.PasswordSecret(r.user.Password), Database: "shop",
		Capabilities: wire.ClientDeprecateEOF | wire.ClientMultiResults, Collation: 45, Timeout: 10 * time.Second,
	})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { conn.Close() })
	return &client{t: r.T, conn: conn, hello: hello}
}

// loseAll ends every connection of the account on the server.
func (r *real) loseAll() {
	r.node.ResetConnections()
	until(r.T, func() bool {
		return r.value("SELECT COUNT(*) FROM information_schema.processlist WHERE user = '"+r.user.User+"'") == "0"
	})
}

// checkRebuilt: a write that was committed, and whose answer did not come.
func (r *real) checkRebuilt() {
	c := r.connect()
	c.say([2]string{"SET sql_mode = 'STRICT_ALL_TABLES'", "ok"}, [2]string{"UPDATE item SET n = 1", "ok"})
	row := []any{int64(2), "lost", int64(0)}
	r.ended(OutcomeCommitted, Changed{Schema: "shop", Table: "item", Inserted: 1, FirstRow: row})
	r.node.CutFromNode()
	answer := make(chan *wire.OK)
	go func() { answer <- c.ok("INSERT INTO item (name) VALUES ('lost')") }()
	until(r.T, func() bool { return r.value("SELECT COUNT(*) FROM shop.item WHERE name = 'lost'") == "1" })
	r.node.ResetConnections()
	r.node.Mend()
	if ok := <-answer; ok == nil || ok.AffectedRows != 1 || ok.InsertID != 2 || ok.Status != wire.StatusAutocommit || len(ok.Info) != 0 {
		r.Errorf("rebuilt %+v", ok)
	}
	c.say([2]string{"SELECT LAST_INSERT_ID()", "2"}, [2]string{"SELECT COUNT(*) FROM item", "2"})
	w := r.asked[0]
	if after := w.After.String(); w.Identity != "server of node1" || w.Thread == 0 || after == "" {
		r.Errorf("asked for %+v after %q", w, after)
	}
	if w.Mark != "" && !r.logged("/*bw:"+w.Mark+"*/INSERT") {
		r.Errorf("mark %q is not in the binary log", w.Mark)
	}
}

// logged reports whether the binary log holds a text.
func (r *real) logged(text string) bool {
	log, err := os.ReadFile(filepath.Join(r.node.DataDir(), "binlog.000001"))
	return err == nil && bytes.Contains(log, []byte(text))
}

// checkReplayed: the same ids, although the next ones were to be others.
func (r *real) checkReplayed() {
	c := r.connect()
	c.say([2]string{"SET @mine = 5", "ok"}, [2]string{"BEGIN", "ok"}, [2]string{"INSERT INTO item (name, n) VALUES ('a', @mine), ('b', 6)", "ok"},
		[2]string{"UPDATE item SET n = n + 1 WHERE name = 'b'", "ok"}, [2]string{"SELECT id, name, n FROM item WHERE id > 2", "3,a,5;4,b,7"},
		[2]string{"INSERT INTO item VALUES (3, 'again', 0)", "1062"}, [2]string{"USE mysql", "ok"}, [2]string{"SAVEPOINT s", "ok"})
	r.loseAll()
	r.ended(OutcomeNotCommitted)
	c.say([2]string{"INSERT INTO shop.item (name) VALUES (CONCAT('child of ', LAST_INSERT_ID()))", "ok"}, [2]string{"SELECT LAST_INSERT_ID()", "5"},
		[2]string{"ROLLBACK TO s", "ok"}, [2]string{"SELECT DATABASE(), @mine", "mysql,5"}, [2]string{"COMMIT", "ok"}, [2]string{"USE shop", "ok"})
	c.say([2]string{"SELECT id, name, n FROM item WHERE id > 2", "3,a,5;4,b,7"})
	if r.server.metrics.losses.replays[replayDone].Load() != 1 {
		r.Error("nothing was replayed")
	}
}

// checkPreparedReplayed: executions of a prepared statement, the second without
// the types of its parameters.
func (r *real) checkPreparedReplayed() {
	c := r.connect()
	id := c.prepare("INSERT INTO item (name) VALUES (?)")
	c.say([2]string{"SET autocommit = 0", "ok"})
	c.execute(id, "p1", true)
	c.execute(id, "p2", false)
	r.loseAll()
	c.execute(id, "p3", false)
	c.say([2]string{"COMMIT", "ok"}, [2]string{"SELECT COUNT(*) FROM item WHERE name LIKE 'p_'", "3"})
	if n := r.server.metrics.losses.replays[replayDone].Load(); n != 2 {
		r.Errorf("%d replays, want 2", n)
	}
}

// checkDiffers: what the transaction has seen is no more.
func (r *real) checkDiffers() {
	c := r.connect()
	c.say([2]string{"BEGIN", "ok"}, [2]string{"SELECT name FROM item WHERE id = 1", "first"})
	r.order("UPDATE shop.item SET name = 'other' WHERE id = 1")
	r.loseAll()
	c.say([2]string{"SELECT COUNT(*) FROM item", "1213"}, [2]string{"SELECT name FROM item WHERE id = 1", "other"})
}

// prepare prepares a statement of one parameter and returns its id.
func (c *client) prepare(sql string) uint32 {
	c.conn.ResetSequence()
	_ = c.conn.WritePacket(append([]byte{byte(wire.ComStmtPrepare)}, sql...))
	if err := c.conn.Flush(); err != nil {
		c.t.Fatal(err)
	}
	p, err := c.conn.ReadPacket()
	if err != nil || p[0] != wire.HeaderOK {
		c.t.Fatalf("prepare %s: %q, %v", sql, p, err)
	}
	id := binary.LittleEndian.Uint32(p[1:])
	if _, err := c.conn.ReadPacket(); err != nil { // the parameter
		c.t.Fatal(err)
	}
	return id
}

// execute executes a statement of one string, with its type or without.
func (c *client) execute(id uint32, value string, typed bool) {
	c.t.Helper()
	b := binary.LittleEndian.AppendUint32([]byte{byte(wire.ComStmtExecute)}, id)
	b = append(b, 0, 1, 0, 0, 0, 0)
	if typed {
		b = append(b, 1, byte(wire.TypeVarString), 0)
	} else {
		b = append(b, 0)
	}
	c.conn.ResetSequence()
	_ = c.conn.WritePacket(wire.AppendLenencString(b, value))
	if err := c.conn.Flush(); err != nil {
		c.t.Fatal(err)
	}
	if got := c.answer(); got != "ok" {
		c.t.Errorf("execute %s: %s", strconv.Quote(value), got)
	}
}
