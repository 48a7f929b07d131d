package control

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/bellwether-db/bellwether/cluster"
)

// Look is what a node shows to somebody who thinks of changing its source. It is
// a value; its sets are immutable.
type Look struct {
	Status   Status
	Identity string
	ServerID uint32
	SemiSync SemiSync
	// Purged is what a MySQL has executed and no longer has in a binary log; nil
	// on a MariaDB, which does not tell.
	Purged   *cluster.GTIDSet
	Findings []Finding // of Check
}

// Look looks at the node and changes nothing; see Check for the account.
func (c *Conn) Look(ctx context.Context, account cluster.Account) (l Look, err error) {
	var errs [4]error
	l.Status, errs[0] = c.Status(ctx)
	l.Findings, errs[1] = c.Check(ctx, account)
	l.SemiSync, errs[2] = c.SemiSync(ctx)
	_, l.Identity, errs[3] = cluster.ReadIdentity(ctx, c.conn)
	if err := errors.Join(errs[:]...); err != nil {
		return l, err
	}
	return l, c.readPlace(ctx, &l)
}

// readPlace reads the server's number, and what its binary logs still hold.
func (c *Conn) readPlace(ctx context.Context, l *Look) error {
	text := "SELECT @@GLOBAL.server_id AS id, @@GLOBAL.gtid_purged AS purged"
	if c.dialect.MariaDB() {
		text = "SELECT @@GLOBAL.server_id AS id"
	}
	row, err := c.row(ctx, text)
	if err != nil {
		return fmt.Errorf("read binary logs of %s: %w", c.node.Name, err)
	}
	id, err := strconv.ParseUint(row["id"], 10, 32)
	if err != nil {
		return fmt.Errorf("read server_id of %s: %w", c.node.Name, err)
	}
	l.ServerID = uint32(id)
	if c.dialect.MariaDB() {
		return nil
	}
	if l.Purged, err = cluster.ParseGTIDSet(c.dialect.Flavour(), row["purged"]); err != nil {
		return fmt.Errorf("read gtid_purged of %s: %w", c.node.Name, err)
	}
	return nil
}
