package fullcopy

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// nobody is in the place of a column where rows are nobody's.
const nobody = "''"

// accountTables are the tables of accounts, roles, privileges and servers, with
// the column that says whose a row is; and those in which a MariaDB keeps what
// ANALYZE TABLE has found. MySQL has its histograms instead.
var accountTables = map[string]string{
	"user": "User", "global_priv": "User", "db": "User", "tables_priv": "User", "columns_priv": "User", "procs_priv": "User", "proxies_priv": "User",
	"global_grants": "USER", "role_edges": "TO_USER", "default_roles": "USER", "password_history": "User", "roles_mapping": "User", "servers": nobody,
	"table_stats": nobody, "column_stats": nobody, "index_stats": nobody,
}

// reserved are the accounts of the servers themselves.
var reserved = []string{"mysql.sys", "mysql.session", "mysql.infoschema", "mariadb.sys"}

// accountTable is the content of one of them, as LOAD DATA reads it.
type accountTable struct {
	*schema.Table
	rows int
	text []byte
}

// others is the condition of the rows that are copied: not the servers' own
// accounts, and not Bellwether's, without which nobody could go on.
func (c *Copy) others(table string) string {
	kept := append([]string{c.config.Nodes.Operator.User}, reserved...)
	return " WHERE " + accountTables[table] + " NOT IN (" + schema.Literals(kept) + ")"
}

// accountsOf finds out which of the tables there are.
func accountsOf(ctx context.Context, conn *schema.Conn) (out []*accountTable, err error) {
	var wanted []string
	for name := range accountTables {
		wanted = append(wanted, name)
	}
	slices.Sort(wanted)
	tables, err := schema.TablesOf(ctx, conn, "mysql", wanted...)
	for _, t := range tables {
		out = append(out, &accountTable{Table: t})
	}
	return out, err
}

// readAccounts reads the tables whole; they are small.
func (c *Copy) readAccounts(ctx context.Context, conn *schema.Conn, tables []*accountTable) error {
	for _, a := range tables {
		if err := conn.Stream(ctx, a.Select(schema.Range{})+c.others(a.Name), a.take); err != nil {
			return fmt.Errorf("read accounts: %w", err)
		}
	}
	return nil
}

// take keeps the rows.
func (a *accountTable) take(rows driver.Rows) error {
	values := make([]driver.Value, len(rows.Columns()))
	for {
		err := rows.Next(values)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		a.text = appendRow(a.text, values)
		a.rows++
	}
}

// loadAccounts makes the target's accounts those of the source, before anything
// is made that acts for one of them.
func (t *target) loadAccounts(ctx context.Context) error {
	t.gauge.enter(PhaseObjects, "accounts")
	there, err := schema.TablesOf(ctx, t.conn, "mysql")
	if err != nil {
		return err
	}
	for _, a := range t.cut.accounts {
		i := slices.IndexFunc(there, func(other *schema.Table) bool { return other.Name == a.Name })
		if i < 0 {
			t.note("mysql." + a.Name + " is not on the target")
			continue
		}
		if err := t.loadAccountTable(ctx, a); err != nil {
			return fmt.Errorf("copy accounts: %w", err)
		}
	}
	return t.conn.Exec(ctx, "FLUSH NO_WRITE_TO_BINLOG PRIVILEGES")
}

func (t *target) loadAccountTable(ctx context.Context, a *accountTable) error {
	reader := fmt.Sprintf("bellwether-accounts-%p", t)
	mysql.RegisterReaderHandler(reader, func() io.Reader { return bytes.NewReader(a.text) })
	defer mysql.DeregisterReaderHandler(reader)
	if err := t.conn.Exec(ctx, "START TRANSACTION", "DELETE FROM "+a.Path()+t.others(a.Name)); err != nil {
		return err
	}
	loaded, err := t.conn.Affected(ctx, a.LoadInto(reader))
	if err == nil && loaded != int64(a.rows) {
		err = fmt.Errorf("load into %v: %d of %d rows arrived: %w", a.Table, loaded, a.rows, ErrDiffers)
	}
	if err != nil {
		return errors.Join(err, t.conn.Exec(context.WithoutCancel(ctx), "ROLLBACK"))
	}
	return t.conn.Exec(ctx, "COMMIT")
}
