package terminal

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/admin"
)

// What people read at a glance stands where they look for it.
func TestLiveTables(t *testing.T) {
	master, lag := "node1", 0.25
	begun := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		write func(*strings.Builder) error
		want  string
	}{
		"state": {func(b *strings.Builder) error {
			family, feed, clients := "mysql", "relay", 3
			writeState(b, &admin.ClusterView{Version: "0.1.0", Family: &family, UptimeSeconds: 90, Generation: 7, Master: &master, Ready: true, Feed: &feed, Consistency: "session", Clients: &clients})
			return nil
		}, "READY: writes are served by node1\nmysql, feed relay, consistency session, generation 7; 3 clients, 0 held; bellwether 0.1.0, up 1m30s\n\n"},
		"not ready": {func(b *strings.Builder) error {
			writeState(b, &admin.ClusterView{NotReady: "there is no master", Degraded: "the disk is full"})
			return nil
		}, "NOT READY: there is no master\n, feed , consistency , generation 0; 0 clients, 0 held; bellwether , up 0s\n\n"},
		"nodes": {func(b *strings.Builder) error {
			return writeNodes(b, []admin.NodeView{
				{Name: "node1", Address: "127.0.0.1:3310", Role: "master", Health: "up", Weight: 1, Version: "9.7.4"},
				{Name: "node2", Address: "127.0.0.1:3312", Role: "slave", Health: "up", Weight: 5, ServesReads: true, LagSeconds: &lag, Replication: "running", Drain: true, Touched: "insert at noon"},
			})
		}, `NODE   ADDRESS         ROLE    HEALTH  READS  LAG   REPLICATION  BUSY/IDLE  VERSION  NOTES
node1  127.0.0.1:3310  master  up      -      -     -            0/0        9.7.4    
node2  127.0.0.1:3312  slave   up      yes    0.2s  running      0/0        -        drained; weight 5; touched by hand: insert at noon
`},
		"top": {func(b *strings.Builder) error {
			return writeTop(b, &admin.DigestReport{Since: begun, Dropped: 2, Digests: []admin.Digest{
				{Text: "SELECT c FROM t\nWHERE id = ?", Database: "shop", Count: 5, TotalMS: 12345, P50MS: 0.25, P99MS: 3.5, MaxMS: 40, ToMaster: 1, ToSlaves: 4},
			}}, begun.Add(time.Minute))
		}, `Statements by shape, of the last 1m0s

TOTAL  COUNT  ERRORS  P50    P99    MAX   MASTER  SLAVES  DATABASE  STATEMENT
12s    5      0       250µs  3.5ms  40ms  1       4       shop      SELECT c FROM t WHERE id = ?

2 statements of other shapes, for which there was no room (proxy.digests)
`},
		"sessions": {func(b *strings.Builder) error {
			return writeSessions(b, &admin.SessionsView{Total: 2, Sessions: []admin.Session{
				{ID: 4, User: "app", Client: "10.0.0.7:5000", State: "running", SinceSeconds: 1.5, Node: &master, Pins: []string{"temporary table"}, Statement: "SELECT ?"},
			}})
		}, `ID  USER  CLIENT         DATABASE  STATE    FOR   NODE   PINNED BY        STATEMENT
4   app   10.0.0.7:5000  -         running  1.5s  node1  temporary table  SELECT ?

1 of 2
`},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := c.write(&b); err != nil {
				t.Fatal(err)
			}
			if b.String() != c.want {
				t.Errorf("got\n%s\nwant\n%s", b.String(), c.want)
			}
		})
	}
}
