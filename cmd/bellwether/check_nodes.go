package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/terminal"
	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/replicator"
	"github.com/bellwether-db/bellwether/replicator/control"
)

// need is one thing that a node lacks. It is a value.
type need struct {
	cluster.Finding
	// settable says that Bellwether sets it by itself once it serves, if the
	// operator account may.
	settable bool
}

// needsOf looks at what the nodes lack to be master or slave under the configured
// feed. A node that cannot be reached is left out: check has said so already.
func needsOf(ctx context.Context, c *config.File, nodes cluster.Config) []need {
	all := make([][]need, len(nodes.Nodes))
	var looks sync.WaitGroup
	for i, n := range nodes.Nodes {
		looks.Go(func() { all[i] = needsOfNode(ctx, c.ReplicatorConfig(), n, nodes) })
	}
	looks.Wait()
	return slices.Concat(all...)
}

func needsOfNode(ctx context.Context, r replicator.Config, n cluster.NodeConfig, nodes cluster.Config) (out []need) {
	conn, err := control.Connect(ctx, control.Node{Name: n.Name, Addr: n.Addr}, nodes)
	if err != nil {
		return nil
	}
	defer conn.Close() //nolint:errcheck // everything was said on it
	account := r.Direct
	if r.Feed == replicator.FeedRelay {
		account = cluster.Account{} // the operator account follows the binary log
	}
	if r.Policy == replicator.PolicyDegrade {
		conn.AckWithin(r.DegradeAfter)
	}
	findings, err := conn.Check(ctx, account)
	if err != nil {
		return []need{{Finding: cluster.Finding{
			Node: n.Name, Name: "replication settings", Severity: cluster.SeverityMust, Have: terminal.OneLine(err.Error()), Want: "the operator account may look",
		}}}
	}
	for _, f := range findings {
		if lacks, ok := needOf(f, r.Feed); ok {
			out = append(out, lacks)
		}
	}
	if status, err := conn.Status(ctx); err == nil {
		out = append(out, early(n.Name, status.Dialect.MariaDB(), status.Workers(), r)...)
	}
	return out
}

// early warns of a MariaDB that says too early what it has applied, because it does
// so in parallel, and what the master itself feeds it: see docs/consistency.md. Where
// Bellwether may set its slaves up it has them do that.
func early(node string, mariaDB bool, workers int, r replicator.Config) []need {
	if !mariaDB || workers == 0 || r.Feed != replicator.FeedDirect {
		return nil
	}
	want := "0, or feed: relay"
	if r.Direct.User != "" {
		want = "feed: relay"
	}
	return []need{{Finding: cluster.Finding{
		Node: node, Name: "slave_parallel_threads", Severity: cluster.SeverityAdvice, Have: strconv.Itoa(workers),
		Want: want + ": with feed: direct a session may miss its own write for a moment beside others' XA COMMIT, or transactions that end with ROLLBACK and are logged (docs/consistency.md)",
	}}}
}

// needOf is what check says of a finding. With feed direct Bellwether stores
// nothing: what only that takes is left out, and the rest but the slaves' account
// is advice.
func needOf(f control.Finding, feed replicator.Feed) (need, bool) {
	n := need{settable: f.Settable && feed == replicator.FeedRelay, Finding: cluster.Finding{
		Node: f.Node, Name: f.What, Severity: f.Severity, Have: orNone(f.Have), Want: f.Want + ": " + f.Why, SQL: f.SQL,
	}}
	if n.SQL != "" {
		n.SQL += ";"
	}
	if f.Option != "" {
		n.Want += "; in the option file: " + f.Option
	}
	switch {
	case feed == replicator.FeedRelay:
		return n, true
	case strings.HasPrefix(f.What, "rpl_semi_sync"):
		return n, false
	case f.What == control.AccountRequirement:
		n.Want = f.Want + ": slaves log in with it on the master"
		return n, true
	}
	n.Severity = min(n.Severity, cluster.SeverityAdvice)
	return n, true
}

// withNeeds adds what the nodes need to what check has found, each behind what
// was found of its node, and says nothing twice: the feed relay is the stricter
// of the two, and has the last word then. What Bellwether sets by itself need not
// be changed beforehand, unless the operator account lacks a privilege.
func withNeeds(found []cluster.Finding, needs []need, feed replicator.Feed) []cluster.Finding {
	for _, n := range needs {
		same := func(f cluster.Finding) bool { return f.Node == n.Node && sameThing(f.Name, n.Name) }
		if feed == replicator.FeedRelay {
			found = slices.DeleteFunc(found, same)
		} else if slices.ContainsFunc(found, same) {
			continue
		}
		if n.settable && !lacksPrivilege(found, n.Node) {
			n.Severity, n.Want = cluster.SeverityAdvice, n.Want+" (Bellwether sets it once it serves)"
		}
		at := len(found)
		for i, f := range found {
			if f.Node == n.Node {
				at = i + 1
			}
		}
		found = slices.Insert(found, at, n.Finding)
	}
	return found
}

func lacksPrivilege(found []cluster.Finding, node string) bool {
	return slices.ContainsFunc(found, func(f cluster.Finding) bool {
		return f.Node == node && strings.HasPrefix(f.Name, "privilege ")
	})
}

// sameThing says whether two findings are about the same: the names of one tell
// the plugin that the other one calls by its own.
func sameThing(found, need string) bool {
	return found == need || found == "semi-sync plugin" && (need == "rpl_semi_sync_source" || need == "rpl_semi_sync_master")
}
