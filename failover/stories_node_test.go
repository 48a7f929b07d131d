package failover

import (
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// node reads NAME WORD ... [| problem ...] [| wait ...] [| beat ...]. A node that
// is new is well: the first one the master, writable, the others read-only
// slaves that have everything.
func (s *told) node(rest string) {
	segments := strings.Split(rest, " | ")
	words := strings.Fields(segments[0])
	n := s.meet(words[0])
	for _, word := range words[1:] {
		key, value, both := strings.Cut(word, "=")
		if !s.flag(n, key, both) && !s.failure(n, key, value) && !s.server(n, key, value) && !s.progress(n, key, value) {
			s.Fatalf("no such word of a node: %s", word)
		}
	}
	for _, segment := range segments[1:] {
		kind, text, _ := strings.Cut(segment, " ")
		switch kind {
		case "problem":
			n.Problem = text
		case "wait":
			n.Heartbeat.Wait = text
		case "beat":
			n.Heartbeat.Problem = text
		default:
			s.Fatalf("no such text of a node: %s", segment)
		}
	}
}

// meet returns the node, a new one if there is none of this name.
func (s *told) meet(name string) *cluster.Node {
	for i := range s.view.Nodes {
		if s.view.Nodes[i].Name == name {
			return &s.view.Nodes[i]
		}
	}
	i := len(s.view.Nodes)
	n := cluster.Node{
		Name: name, Addr: name + ":3306", Role: cluster.RoleSlave, Weight: 1, Health: cluster.HealthUp, Flavour: s.flavour, Version: "8.4.3",
		Identity: uuidOf(letters[i]), ReadOnly: true, Replication: cluster.ReplicationRunning, LagKnown: true, Applied: s.set("default"),
		Since: ago("1h"), Asked: ago("101ms"), Seen: ago("100ms"), Outcome: cluster.OutcomeAnswered,
		Settings: cluster.Settings{Read: ago("1s"), GTIDMode: "ON", BinlogFormat: "ROW", LogBin: true, LogUpdates: true},
	}
	if s.flavour == cluster.FlavourMariaDB {
		n.Version, n.Settings.GTIDMode = "10.11.9-MariaDB", ""
	}
	if i == 0 {
		n.Role, n.ReadOnly, n.Replication = cluster.RoleMaster, false, cluster.ReplicationNone
		n.Heartbeat.Written, n.Asked, n.Seen = ago("200ms"), ago("51ms"), ago("50ms")
		s.view.Record.Master, s.view.Record.Identity = name, n.Identity
	}
	s.view.Nodes = append(s.view.Nodes, n)
	return &s.view.Nodes[i]
}

// flag reads words without a value.
func (s *told) flag(n *cluster.Node, word string, both bool) bool {
	switch {
	case both:
		return false
	case word == "up":
		n.Health = cluster.HealthUp
	case word == "back":
		n.Health, n.Failing, n.Outcome, n.Since = cluster.HealthUp, time.Time{}, cluster.OutcomeAnswered, ago("500ms")
		n.Asked, n.Seen, n.Heartbeat = ago("51ms"), ago("50ms"), cluster.Heartbeat{}
	case word == "unseen":
		*n = cluster.Node{Name: n.Name, Addr: n.Addr, Role: n.Role, Weight: 1}
	case word == "writable":
		n.ReadOnly = false
	case word == "readonly":
		n.ReadOnly = true
	case word == "drain":
		n.Drain = true
	case word == "maintenance":
		n.Maintenance = true
	case word == "touched":
		n.Touched = "changed by hand at 2026-11-23T12:00:00Z: insert into shop.orders"
	default:
		return s.state(n, word)
	}
	return true
}

// state reads words about replication and the disk.
func (s *told) state(n *cluster.Node, word string) bool {
	switch word {
	case "running":
		n.Replication = cluster.ReplicationRunning
	case "connecting":
		n.Replication = cluster.ReplicationConnecting
	case "stopped":
		n.Replication, n.Late = cluster.ReplicationStopped, true
	case "broken":
		n.Replication, n.Late = cluster.ReplicationBroken, true
	case "sourceless":
		n.Replication, n.Late = cluster.ReplicationNone, true
	case "full":
		n.Settings.DiskFull = true
	case "nolog":
		n.Settings.LogBin = false
	case "noupdates":
		n.Settings.LogUpdates = false
	default:
		return false
	}
	return true
}

// failure reads refused=, lost=, timeout=, denied=, failed= (since when) and
// hurt=. Two probes in a row make a node down.
func (s *told) failure(n *cluster.Node, key, value string) bool {
	outcome := map[string]cluster.Outcome{"refused": cluster.OutcomeRefused, "lost": cluster.OutcomeLost,
		"timeout": cluster.OutcomeTimeout, "denied": cluster.OutcomeDenied, "failed": cluster.OutcomeFailed}[key]
	switch {
	case key == "hurt":
		n.Hurt = ago(value)
		return true
	case outcome == cluster.OutcomeUnknown:
		return false
	}
	n.Outcome, n.Failing = outcome, ago(value)
	n.Seen, n.Asked = n.Failing, n.Failing
	twice := 250 * time.Millisecond
	if outcome == cluster.OutcomeTimeout {
		twice = time.Second
	}
	if storyNow.Sub(n.Failing) >= twice {
		n.Health, n.LagKnown, n.Late = cluster.HealthDown, false, true
	}
	return true
}

// server reads what a server shows.
func (s *told) server(n *cluster.Node, key, value string) bool {
	switch key {
	case "identity":
		n.Identity = identity(value)
	case "version":
		n.Version = value
	case "flavour":
		n.Flavour = map[string]cluster.Flavour{"mysql": cluster.FlavourMySQL, "mariadb": cluster.FlavourMariaDB}[value]
		n.Applied = nil
	case "since":
		n.Since = ago(value)
	case "busy":
		n.Running = int(s.number(value))
	case "gtid_mode":
		n.Settings.GTIDMode = value
	case "format":
		n.Settings.BinlogFormat = value
	default:
		return false
	}
	return true
}

// progress reads applied=SET, lag=DURATION/TRANSACTIONS or lag=unknown, late=
// the same beyond max_lag, seen= (the last probe), pending= and written= of the
// heartbeat.
func (s *told) progress(n *cluster.Node, key, value string) bool {
	switch key {
	case "applied":
		n.Applied = s.set(value)
	case "lag", "late":
		duration, transactions, _ := strings.Cut(value, "/")
		n.Late = key == "late"
		if n.LagKnown = duration != "unknown"; n.LagKnown {
			n.Lag, n.LagGTIDs = storyNow.Sub(ago(duration)), s.number(transactions)
		}
	case "pending":
		n.Heartbeat.Pending, n.Heartbeat.Written = ago(value), ago(value).Add(-500*time.Millisecond)
	case "seen":
		n.Seen, n.Asked = ago(value), ago(value).Add(-time.Millisecond)
	case "written":
		n.Heartbeat.Written = ago(value)
	default:
		return false
	}
	return true
}
