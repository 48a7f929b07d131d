package cluster

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// inked is a pen on a real server.
type inked struct {
	*testing.T
	flavour Flavour
	pen     *pen
}

func newInked(t *testing.T, flavour playground.Flavour) *inked {
	nodes := playground.ForTest(t, playground.Options{Flavour: flavour, Relaxed: true})
	n := nodes.Node("node1")
	if err := nodes.OpenMaster(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.Operator = Account{User: nodes.Operator.User, Password: nodes.Operator.Password}
	c.ProbeTimeout = 10 * time.Second // no fault is looked at here
	db, err := OpenNode(n.Addr(), c)
	if err != nil {
		t.Fatal(err)
	}
	family, identity, err := ReadIdentity(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	p := &pen{db: db, place: place{name: "node1", addr: n.Addr(), identity: identity, config: &c}}
	t.Cleanup(p.close)
	return &inked{t, family, p}
}

func (k *inked) write() error { return k.pen.write(k.Context(), 7, func(uint64) {}) }

// logged is how many transactions are in the binary log.
func (k *inked) logged() uint64 {
	k.Helper()
	text := "SELECT @@global.gtid_executed AS at"
	if k.flavour == FlavourMariaDB {
		text = "SELECT @@global.gtid_binlog_pos AS at"
	}
	r, err := queryOne(k.Context(), k.pen.db, text)
	if err != nil {
		k.Fatal(err)
	}
	set, err := ParseGTIDSet(k.flavour, r["at"])
	if err != nil {
		k.Fatal(err)
	}
	none, err := ParseGTIDSet(k.flavour, "")
	if err != nil {
		k.Fatal(err)
	}
	return none.Lacks(set)
}

func TestPen(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			k := newInked(t, flavour)
			k.checkTable()
			k.checkLocked()
			k.checkTooLate()
			k.checkAnother()
		})
	}
}

// checkLocked: a client that has locked the row is the server's error, and soon.
func (k *inked) checkLocked() {
	tx, err := k.pen.db.BeginTx(k.Context(), nil)
	if err != nil {
		k.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.Exec("SELECT * FROM bellwether.heartbeat WHERE id = 1 FOR UPDATE"); err != nil {
		k.Fatal(err)
	}
	begun := time.Now()
	var refused *mysql.MySQLError
	if err := k.write(); !errors.As(err, &refused) || refused.Number != 1205 {
		k.Errorf("a locked row: %v", err)
	}
	if took := time.Since(begun); took > 10*time.Second {
		k.Errorf("a locked row was waited for for %v", took)
	}
}

// checkTable: it is made where it is missing, and not asked for again.
func (k *inked) checkTable() {
	before := k.logged()
	for i, want := range []uint64{3, 1, 1} {
		if err := k.write(); err != nil {
			k.Fatal(err)
		}
		if n := k.logged(); n-before != want {
			k.Errorf("write %d: %d transactions, want %d", i, n-before, want)
		} else {
			before = n
		}
	}
	r, err := queryOne(k.Context(), k.pen.db, "SELECT COUNT(*) AS n, MAX(generation) AS generation, ABS(TIMESTAMPDIFF(SECOND, MAX(at), UTC_TIMESTAMP())) < 60 AS recent FROM bellwether.heartbeat")
	if err != nil || r["n"] != "1" || r["generation"] != "7" || r["recent"] != "1" {
		k.Errorf("the row is %v, %v", r, err)
	}
}

// checkTooLate: a server that begins with it too late does not write it.
func (k *inked) checkTooLate() {
	before := k.logged()
	k.pen.theirs = k.pen.theirs.Add(-inTime)
	if err := k.write(); !errors.Is(err, errTooLate) {
		k.Errorf("a second late: %v", err)
	}
	if n := k.logged(); n != before {
		k.Errorf("%d transactions of a write that is not done", n-before)
	}
	if err := k.write(); err != nil {
		k.Errorf("the next one: %v", err)
	}
}

// checkAnother: nothing is written on another server.
func (k *inked) checkAnother() {
	before := k.logged()
	k.pen.drop()
	k.pen.place.identity = "another"
	if err := k.write(); !errors.Is(err, errAnother) || k.logged() != before {
		k.Errorf("on another server: %v", err)
	}
	ctx, cancel := context.WithCancel(k.Context())
	cancel()
	if err := k.pen.write(ctx, 1, func(uint64) {}); err == nil {
		k.Error("written after the end")
	}
}
