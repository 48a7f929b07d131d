package failover

import (
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
)

// settingsRule speaks of what is set wrongly on nodes that answer, the master's
// own replication included.
func settingsRule(s *sight) (out []Problem) {
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Health != cluster.HealthUp {
			continue
		}
		kind := KindSlaveSettings
		if n == s.master {
			kind = KindMasterSettings
		}
		if wrong := wrongSettings(n); len(wrong) > 0 {
			out = append(out, problem(kind, n.Name, wrong...))
		}
		if n.Settings.DiskFull {
			out = append(out, problem(KindDiskFull, n.Name))
		}
	}
	// A new master is seen as the read-only slave that it was until the next probe.
	if m := s.master; m != nil && m.Health == cluster.HealthUp && m.Replication > cluster.ReplicationNone && !m.ReadOnly {
		out = append(out, problem(KindMasterFollows, m.Name, say("its replication is %v", m.Replication)))
	}
	return out
}

// wrongSettings are sentences on what makes a node useless as a master. Settings
// that were not read say nothing.
func wrongSettings(n *cluster.Node) (out []string) {
	set := &n.Settings
	if set.Read.IsZero() {
		return nil
	}
	if set.GTIDMode != "" && !strings.EqualFold(set.GTIDMode, "ON") {
		out = append(out, say("gtid_mode is %s: nobody could tell what a slave of it has", set.GTIDMode))
	}
	if strings.EqualFold(set.BinlogFormat, "STATEMENT") {
		out = append(out, "binlog_format is STATEMENT: the same statement may do something else on a slave")
	}
	if !set.LogBin {
		out = append(out, "log_bin is off: nobody could follow it")
	} else if !set.LogUpdates {
		out = append(out, "log_replica_updates (log_slave_updates) is off: what it applies is not in its binary log")
	}
	return out
}
