package proxy

import (
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/router"
)

// After an XA transaction on MariaDB no slave is believed until all that serve
// have had the session's writes for a moment; a later write does not end that.
func TestDoubt(t *testing.T) {
	set := func(text string) *cluster.GTIDSet {
		s, err := cluster.ParseGTIDSet(cluster.FlavourMariaDB, text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	now := time.Now()
	var p position
	p.wrote("0-1-5", set("0-1-5"))
	p.doubt(now)
	p.wrote("0-1-6", set("0-1-6"))
	slave := func(applied string, asked time.Duration) *cluster.Topology {
		at := now.Add(asked)
		return &cluster.Topology{Nodes: []cluster.Node{{Applied: set(applied), Asked: at, Seen: at.Add(time.Millisecond)}}, Readable: []int{0}}
	}
	for _, c := range []struct {
		applied      string
		asked, after time.Duration
		believed     bool
	}{
		{"0-1-5", time.Second, 2 * time.Second, false},
		{"0-1-6", -time.Second, 2 * time.Second, false},
		{"0-1-6", time.Second, time.Second + doubtSpan/2, false},
		{"0-1-6", time.Second, time.Second + 2*doubtSpan, true},
	} {
		q := p
		q.believe(slave(c.applied, c.asked), now.Add(c.after))
		if q.doubted.IsZero() != c.believed {
			t.Errorf("%+v: believed %t", c, q.doubted.IsZero())
		}
	}
}

// Only what ends such a transaction unsettles, and only on MariaDB: an ordinary
// ROLLBACK has no GTID.
func TestUnsettles(t *testing.T) {
	maria := router.Dialect{Flavour: cluster.FlavourMariaDB}
	for _, c := range []struct {
		statement *router.Statement
		dialect   router.Dialect
		gtid      bool
		want      bool
	}{
		{&router.Statement{Fingerprint: "xa commit ?"}, maria, true, true},
		{&router.Statement{Fingerprint: "xa commit ?"}, router.Dialect{Flavour: cluster.FlavourMySQL}, true, false},
		{&router.Statement{Kind: router.KindRollback, Fingerprint: "rollback"}, maria, true, true},
		{&router.Statement{Kind: router.KindRollback, Fingerprint: "rollback"}, maria, false, false},
		{&router.Statement{Kind: router.KindCommit, Fingerprint: "commit"}, maria, true, false},
		{&router.Statement{Kind: router.KindRead, Flags: router.Multi, Fingerprint: "rollback ; select ?"}, maria, true, true},
		{&router.Statement{Kind: router.KindCommit, Flags: router.Multi, Fingerprint: "xa commit ? ; commit"}, maria, true, true},
		{&router.Statement{Kind: router.KindCommit, Flags: router.Multi, Fingerprint: "begin ; commit"}, maria, true, false},
	} {
		x := &session{dialect: c.dialect}
		x.seen.gtid = c.gtid
		if got := x.unsettles(c.statement); got != c.want {
			t.Errorf("%q, flavour %v, GTID %t: %t", c.statement.Fingerprint, c.dialect.Flavour, c.gtid, got)
		}
	}
}
