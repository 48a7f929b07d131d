package cluster_test

import (
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// checkInspect: servers as the playground sets them up need no change, and what
// is made wrong on purpose is found, with the SQL that mends it.
func (l *live) checkInspect() {
	c := configOf(l.nodes)
	c.Nodes[0].Master = true
	if r := cluster.Inspect(l.Context(), c, 100); r.MustChange() {
		l.Errorf("something must change on fresh servers:\n%v", r)
	}
	l.exec("node1", "CREATE USER weak@'%' IDENTIFIED BY 'weak'", "CREATE USER least@'%' IDENTIFIED BY 'least'")
	grants := "REPLICATION CLIENT, SELECT, SHOW VIEW, SYSTEM_VARIABLES_ADMIN"
	if l.nodes.Flavour == playground.MariaDB {
		grants = "SLAVE MONITOR, SELECT, SHOW VIEW, READ_ONLY ADMIN"
	}
	l.exec("node1", "GRANT "+grants+" ON *.* TO least@'%'")
	stop, start := "STOP SLAVE", "START SLAVE"
	if l.nodes.Flavour == playground.MySQL {
		stop, start = "STOP REPLICA", "START REPLICA"
	}
	l.untilReplicated()
	l.exec("node3", stop)
	r := cluster.Inspect(l.Context(), c, 100)
	if !strings.Contains(r.String(), start+";  -- must: replication") || !r.MustChange() {
		l.Errorf("stopped replication is not found:\n%v", r)
	}
	l.exec("node3", start)
	l.untilReplicated()
	c.Operator = cluster.Account{User: "weak", Password: "weak"}
	if r := cluster.Inspect(l.Context(), c, 100); !r.MustChange() {
		l.Errorf("an account without privileges does:\n%v", r)
	}
	c.Operator.Password = "wrong"
	if r := cluster.Inspect(l.Context(), c, 100); !r.MustChange() || r.Findings[0].Name != "connection" {
		l.Errorf("a wrong password does:\n%v", r)
	}
}

// untilReplicated waits until both slaves run, and have all that the master has
// now.
func (l *live) untilReplicated() {
	l.Helper()
	begun := time.Now().Add(cluster.Default().ProbeTimeout) // a probe that ends later began later
	l.until("replicated", func(t *cluster.Topology) bool {
		for _, n := range t.Nodes[1:] {
			if n.Replication != cluster.ReplicationRunning || n.Seen.Before(begun) || !n.Applied.ContainsSet(t.Nodes[0].Applied) {
				return false
			}
		}
		return t.Nodes[0].Seen.After(begun)
	})
}

// checkLeastPrivileges: what Inspect says must be granted is enough to probe
// and to read the schemas, and a reload that changes the account leaves every
// node up.
func (l *live) checkLeastPrivileges() {
	c := configOf(l.nodes)
	c.Nodes[0].Master = true
	c.Operator = cluster.Account{User: "least", Password: "least"}
	if r := cluster.Inspect(l.Context(), c, 0); r.MustChange() {
		l.Errorf("the account has what it must:\n%v", r)
	}
	before := l.store.Load()
	l.monitor.Apply(c)
	l.until("all up by the other account", func(t *cluster.Topology) bool {
		for i, n := range t.Nodes {
			if n.Health != cluster.HealthUp || !n.Since.After(before.Nodes[i].Since) {
				return false
			}
		}
		return t.Catalogue.Known && len(t.Readable) == 2
	})
	if now := l.store.Load().Catalogue; now.Version != before.Catalogue.Version {
		l.Errorf("the account sees other schemas: version %d after %d", now.Version, before.Catalogue.Version)
	}
}
