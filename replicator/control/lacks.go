package control

import (
	"context"
	"fmt"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
)

// Lacks returns which of the last transactions of a MariaDB's position this one,
// another MariaDB, does not have, and the position up to which both are known to
// be the same. A position says no more than the last number in each domain, and
// this server may have gone on under the same numbers; but its binary log knows
// the last number of each server that it got anything from. It lacks nothing of a
// server that it does not know.
func (c *Conn) Lacks(ctx context.Context, position *cluster.GTIDSet) (extra, common *cluster.GTIDSet, err error) {
	row, err := c.row(ctx, "SELECT @@GLOBAL.gtid_binlog_state AS state")
	if err != nil {
		return nil, nil, fmt.Errorf("read what %s has of each server: %w", c.node.Name, err)
	}
	return lacking(row["state"], position)
}

func lacking(state string, position *cluster.GTIDSet) (extra, common *cluster.GTIDSet, err error) {
	type origin struct{ domain, server uint32 }
	last := map[origin]cluster.GTID{}
	for text := range strings.SplitSeq(state, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		g, err := cluster.ParseGTID(cluster.FlavourMariaDB, text)
		if err != nil {
			return nil, nil, fmt.Errorf("read gtid_binlog_state: %w", err)
		}
		last[origin{g.Domain, g.Server}] = g
	}
	extra, common = cluster.EmptyGTIDSet(cluster.FlavourMariaDB), cluster.EmptyGTIDSet(cluster.FlavourMariaDB)
	for _, g := range position.Domains() {
		if known, ok := last[origin{g.Domain, g.Server}]; ok && known.Number < g.Number {
			extra, common = extra.With(g), common.With(known)
			continue
		}
		common = common.With(g)
	}
	return extra, common, nil
}
