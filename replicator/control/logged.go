package control

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/bellwether-db/bellwether/cluster"
)

// errOutOfOrder is a MariaDB's refusal to apply what would get a GTID into its
// binary log that is not above the last one there (gtid_strict_mode). Nothing of
// it has been executed then.
const errOutOfOrder = 1950

// A definition (CREATE, ALTER, DROP and the like) reaches a MariaDB's binary log
// first, and gtid_slave_pos in another transaction: a slave that is killed
// between the two has executed it, is sent it again, and refuses it. Rows and
// their position are one transaction.
var definitionAlone = regexp.MustCompile(`^GTID ([0-9]+-[0-9]+-[0-9]+)$`) // "BEGIN GTID ..." for rows

// readLogged returns the GTID of the definition that a MariaDB's applier
// refuses, where that very one ends the slave's own binary log already; else
// the zero value. Info is the event at which the applier stands.
func (c *Conn) readLogged(ctx context.Context, s *Status, info string) (cluster.GTID, error) {
	m := definitionAlone.FindStringSubmatch(info)
	if s.Applier.Problem.Number != errOutOfOrder || m == nil {
		return cluster.GTID{}, nil
	}
	refused, err := cluster.ParseGTID(cluster.FlavourMariaDB, m[1])
	if err != nil {
		return cluster.GTID{}, err
	}
	row, err := c.row(ctx, "SELECT @@GLOBAL.gtid_binlog_pos AS logged")
	if err != nil {
		return cluster.GTID{}, err
	}
	logged, err := cluster.ParseGTIDSet(cluster.FlavourMariaDB, row["logged"])
	if err != nil {
		return cluster.GTID{}, fmt.Errorf("read gtid_binlog_pos: %w", err)
	}
	return loggedAlready(s.Executed, logged, refused), nil
}

// loggedAlready is refused, if it ends the slave's binary log, of the same origin,
// and is all that its position lacks of it. It is pure.
func loggedAlready(executed, logged *cluster.GTIDSet, refused cluster.GTID) cluster.GTID {
	if !slices.Contains(logged.Domains(), refused) || executed.Contains(refused) {
		return cluster.GTID{}
	}
	return refused
}
