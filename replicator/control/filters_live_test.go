package control

import (
	"slices"

	"github.com/bellwether-db/bellwether/cluster"
)

// filters: what a slave leaves out is named, and nothing else is found.
func (l *live) filters() {
	set := func(schemas string) {
		l.exec("node2", l.either("STOP REPLICA", "STOP SLAVE"), l.either("CHANGE REPLICATION FILTER REPLICATE_IGNORE_DB = ("+schemas+")", "SET GLOBAL replicate_ignore_db = '"+schemas+"'"),
			l.either("START REPLICA", "START SLAVE"))
	}
	found := func() (have []string) {
		findings, err := l.connect("node2").Check(l.soon(), cluster.Account{})
		l.ok(err)
		for _, f := range findings {
			if f.Severity == cluster.SeverityMust {
				have = append(have, f.What+" "+f.Have)
			}
		}
		return have
	}
	set("scratch")
	if got := found(); !slices.Equal(got, []string{"replication filters replicate_ignore_db=scratch"}) {
		l.Errorf("found %q", got)
	}
	set("")
	if got := found(); len(got) > 0 {
		l.Errorf("found %q without a filter", got)
	}
	l.follows("node2", "node1")
}
