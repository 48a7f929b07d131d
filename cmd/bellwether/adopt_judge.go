package main

import (
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/terminal"
	"github.com/bellwether-db/bellwether/replicator"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// nodeReport is what adopt says of a node. It is a value.
type nodeReport struct {
	title    string
	changes  []string // what Bellwether will do
	problems []string // what stands in the way, with the SQL
}

func (r *nodeReport) change(format string, args ...any) {
	r.changes = append(r.changes, fmt.Sprintf(format, args...))
}

func (r *nodeReport) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

func (r *nodeReport) print(out io.Writer) {
	fmt.Fprintln(out, r.title)
	for _, text := range r.changes {
		fmt.Fprintf(out, "  - %s\n", text)
	}
	for _, text := range r.problems {
		fmt.Fprintf(out, "  problem: %s\n", strings.ReplaceAll(text, "\n", "\n    "))
	}
	if len(r.changes)+len(r.problems) == 0 {
		fmt.Fprintln(out, "  - nothing")
	}
}

// judge says of each node what will change and what stands in the way. It is
// pure.
func (a *adoption) judge() []nodeReport {
	reports := make([]nodeReport, len(a.nodes))
	master := &a.nodes[0]
	for i := range a.nodes {
		m, r := &a.nodes[i], &reports[i]
		role := "slave"
		if m == master {
			role = "master"
		}
		r.title = fmt.Sprintf("%s at %s, %s", m.Name, m.Addr, role)
		switch {
		case m.Maintenance && m != master:
			r.change("is in maintenance: it is left as it is, and changes its source when that ends")
			continue
		case m.err != nil:
			r.problem("%s", terminal.OneLine(m.err.Error()))
			continue
		}
		a.judgeFindings(m, r)
		if m == master {
			a.judgeMaster(m, r)
		} else if master.err == nil {
			a.judgeSlave(m, master, r)
		}
	}
	return reports
}

// judgeFindings tells what Bellwether sets by itself from what it cannot.
func (a *adoption) judgeFindings(m *member, r *nodeReport) {
	for _, f := range m.look.Findings {
		switch {
		case f.Settable && (a.feed == replicator.FeedRelay || m.Name == a.fleet.master.Name):
			r.change("%s: %s, will be %s", f.What, orNone(f.Have), f.Want)
		case f.Severity == cluster.SeverityMust && !f.Settable && !a.elsewhere(m, f):
			r.problem("%s is %s, wanted %s: %s%s", f.What, orNone(f.Have), f.Want, f.Why, remedyOf(f))
		}
	}
}

// elsewhere says whether a finding is about the account that a slave gets from
// its master.
func (a *adoption) elsewhere(m *member, f control.Finding) bool {
	return m.Name != a.fleet.master.Name && f.What == control.AccountRequirement
}

// remedyOf is what to run, and what to put into the option file.
func remedyOf(f control.Finding) string {
	var text string
	if f.SQL != "" {
		text += "\n" + f.SQL + ";"
	}
	if f.Option != "" {
		text += "\nin the option file: " + f.Option
	}
	return text
}

func orNone(text string) string {
	if text == "" {
		return "not there"
	}
	return text
}

func (a *adoption) judgeMaster(m *member, r *nodeReport) {
	c := a.config.ReplicatorConfig()
	switch {
	case m.look.Status.Configured || len(m.look.Status.Channels) > 0:
		r.problem("it replicates from %s itself: Bellwether's master has no source\n%s", m.look.Status.SourceAddr, say(m, dialect.ResetSlaveAll))
	case a.feed == replicator.FeedDirect && c.Direct.User == "" && len(a.nodes) > 1:
		r.problem("replication.account is not configured: the slaves need one to log in with here")
	case a.feed == replicator.FeedDirect && a.released:
	case a.feed == replicator.FeedDirect:
		r.change("its commits stop to wait until they are stored, once the slaves are here")
	case !a.released:
		r.change("its commits wait until they are stored already")
	case m.look.SemiSync.Enabled:
		r.change("its commits wait until they are stored, as they do for semi-synchronous slaves now")
	default:
		r.change("its commits wait until they are stored, once the stored log has caught up")
	}
	if a.feed == replicator.FeedRelay && len(a.nodes) > 1 {
		if why := unreachable(c.SourceAddr(), a.nodes); why != "" {
			r.problem("%s", why)
		}
	}
}

// unreachable says why slaves cannot find the stored log at an address, "" if
// nothing speaks against it.
func unreachable(addr string, nodes []member) string {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	switch {
	case err != nil:
		return err.Error()
	case ip != nil && ip.IsUnspecified():
		return fmt.Sprintf("replication.advertise is missing: %s is every interface, and slaves need one address", addr)
	case host != "localhost" && (ip == nil || !ip.IsLoopback()):
		return ""
	}
	for _, n := range nodes[1:] {
		at, _, _ := net.SplitHostPort(n.Addr) // it was checked
		if other := net.ParseIP(at); at != "localhost" && (other == nil || !other.IsLoopback()) {
			return fmt.Sprintf("replication.listen and advertise: %s at %s cannot reach %s, which is this machine's own", n.Name, n.Addr, addr)
		}
	}
	return ""
}

func (a *adoption) judgeSlave(m, master *member, r *nodeReport) {
	s := &m.look.Status
	switch {
	case len(s.Channels) > 0:
		r.problem("it replicates from further sources, on the channels %s: what those send is not in the master's log\n%s",
			strings.Join(s.Channels, ", "), "RESET REPLICA ALL FOR CHANNEL '...', on MariaDB RESET SLAVE '...' ALL")
	case !s.Configured:
		r.change("has no source: it is given one")
	case s.SourceUser != replicator.SlaveUser && !follows(m, master):
		r.problem("it replicates from %s, which is not the master: let it follow %s first", s.SourceAddr, master.Addr)
	case a.arrived(s):
		r.change("replicates from there already: %s", s.SourceAddr)
	default:
		r.change("source: %s@%s, will be %s", s.SourceUser, s.SourceAddr, a.target())
	}
	if !s.ReadOnly {
		r.change("is made read-only")
	}
	has := s.Executed.Union(s.Current)
	if all := master.look.Status.Current; !all.ContainsSet(has) {
		r.problem("it has %s, which the master lacks: it would differ for ever. Keep its data aside and copy it anew: bellwether sync %s", has.Subtract(all), m.Name)
	}
	if purged := master.look.Purged; purged != nil && !has.ContainsSet(purged) {
		r.problem("it lacks %s, which the master no longer has in a binary log: let it catch up first", purged.Subtract(has))
	}
}

// follows says whether a slave's source is the master, whatever address it has
// for it.
func follows(m, master *member) bool {
	s := &m.look.Status
	switch {
	case s.SourceUUID != "":
		return s.SourceUUID == master.look.Identity
	case s.SourceID != 0:
		return s.SourceID == master.look.ServerID
	}
	return s.SourceAddr == master.Addr
}

// target is where slaves will replicate from, for people.
func (a *adoption) target() string {
	if a.feed == replicator.FeedRelay {
		return replicator.SlaveUser + "@" + a.config.ReplicatorConfig().SourceAddr()
	}
	return a.config.Replication.Account.User + "@" + a.fleet.master.Addr
}

// say is a statement in a node's own words.
func say(m *member, t dialect.Term) string {
	if d := m.look.Status.Dialect; d != nil {
		return d.Say(t) + ";"
	}
	return ""
}
