package proxy

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
)

// storedOnly is a Journal that cannot tell what slaves may show: one has just come
// back, and was not seen to be fed from the log yet.
type storedOnly struct{ *endOf }

func (storedOnly) End() (*cluster.GTIDSet, bool) { return nil, false }

// A client may have been told from the stored log that its write is there, while
// the master still waits for the acknowledgement of it, and shows what was before.
// So a read at global waits for that on the master, too, whatever the slaves do.
func TestGlobalWaitsOnTheMasterForWhatIsStored(t *testing.T) {
	master, slave := &node{name: "node1"}, &node{name: "node2"}
	h := newStoringHouse(t, storedOnly{newEnd(gtids(t, uuid+":1-7"))}, func(c *Config, _ *backend.Config) { c.Consistency = router.ConsistencyGlobal },
		master.handler(), slave.handler())
	c := h.client(t)
	if got := c.query("SELECT name FROM t"); got != "node1" {
		t.Errorf("%s served, want the master", got)
	}
	master.mu.Lock()
	asked := strings.Join(master.asked, "\n")
	master.mu.Unlock()
	if !strings.Contains(asked, "WAIT_FOR_EXECUTED_GTID_SET('"+uuid+":1-7'") {
		t.Errorf("the master was not asked to wait:\n%s", asked)
	}
	master.isBehind(300 * time.Millisecond)
	if got := c.query("SELECT name FROM t"); got != "node1" {
		t.Errorf("%s, want the answer of the master once it shows what is stored", got)
	}
	master.isBehind(time.Minute)
	if got := c.query("SELECT name FROM t"); !strings.Contains(got, "1205") {
		t.Errorf("%s, want an error and no stale read", got)
	}
}

// However a read names its table, it is one.
func TestReadsAreKnownByTheirTables(t *testing.T) {
	master := &node{name: "node1"}
	h := newStoringHouse(t, storedOnly{newEnd(gtids(t, uuid+":1-7"))}, func(c *Config, _ *backend.Config) {
		c.Consistency, c.HoldTimeout = router.ConsistencyGlobal, 50*time.Millisecond
	}, master.handler())
	c := h.client(t)
	master.isBehind(time.Minute)
	for _, sql := range []string{
		"SELECT name FROM t", "SELECT name FROM(t)", "SELECT name FROM(t JOIN u)", "SELECT name FROM{OJ t LEFT JOIN u ON t.a = u.a}", "SELECT(1)FROM`t`",
		"TABLE t", "(TABLE t)", "WITH x AS (TABLE t) TABLE x", "SELECT EXISTS(TABLE t)", "VALUES ROW((SELECT name FROM(t)))",
	} {
		if got := c.query(sql); !strings.Contains(got, "1205") {
			t.Errorf("%s: %q, want an error and no stale read", sql, got)
		}
		if s := classed(cluster.FlavourMySQL, sql); !shows(s) {
			t.Errorf("%s is not remembered as a read", sql)
		}
	}
	if got := c.query("SELECT name"); got != "node1" {
		t.Errorf("what reads no table waits: %q", got)
	}
}
