package control

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/dialect"
	"github.com/go-sql-driver/mysql"
)

// facts are what Check and Prepare know of a node.
type facts struct {
	dialect *dialect.Dialect
	// wanted is the table of requirements, as the connection wants it.
	wanted []requirement
	// values are what was read, by term; what the server does not have, or does
	// not tell, is absent. A plugin that could be there and is not is "".
	values map[dialect.Term]string
	// fleeting are the terms whose value was set since the start and will not be
	// there after the next one, as far as the server knows.
	fleeting      map[dialect.Term]bool
	account       cluster.Account // of replication; no user: not looked at
	readOnly      bool
	superReadOnly bool
	applies       bool // a slave's applier runs
	sources       int  // sources that are configured
}

// setting is a global variable, and where its value comes from.
type setting struct {
	value     string
	origin    string // where the server tells: COMPILED, COMMAND_LINE, DYNAMIC, SQL, ...
	persisted string // MySQL: the value for the next start, "" if none
}

// fleeting says whether the value was set since the start, and only until the
// next one.
func (s setting) fleeting() bool {
	switch strings.ToUpper(s.origin) {
	case "DYNAMIC", "SQL":
		return s.persisted != s.value
	}
	return false
}

// atStart is the value that the next start will give; "" if not known.
func (s setting) atStart() string {
	switch {
	case s.persisted != "":
		return s.persisted
	case s.origin == "" || s.fleeting():
		return ""
	}
	return s.value
}

// The looks at where values come from. MySQL 5.7 does not tell.
const (
	originsMySQL = `SELECT i.VARIABLE_NAME AS name, i.VARIABLE_SOURCE AS origin, p.VARIABLE_VALUE AS persisted FROM performance_schema.variables_info i
 LEFT JOIN performance_schema.persisted_variables p ON p.VARIABLE_NAME = i.VARIABLE_NAME`
	originsMariaDB = `SELECT VARIABLE_NAME AS name, GLOBAL_VALUE_ORIGIN AS origin FROM information_schema.SYSTEM_VARIABLES`
)

// readFacts reads everything that the table of requirements asks for, and
// learns under which names MySQL's semi-synchronous plugins were installed.
func (c *Conn) readFacts(ctx context.Context, account cluster.Account) (*facts, error) {
	settings, err := c.readSettings(ctx)
	if err != nil {
		return nil, err
	}
	if old := c.dialect.WithOldSemiSync(); settings[old.Say(dialect.SemiSyncSource)].value != "" {
		c.dialect = old
	}
	f := &facts{
		dialect: c.dialect, wanted: within(requirements, c.ackTimeout), account: account,
		values: map[dialect.Term]string{}, fleeting: map[dialect.Term]bool{},
	}
	f.take(settings)
	status, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	f.applies, f.sources = status.Applier.Runs == RunsYes, status.sources()
	return f, errors.Join(c.readPlugins(ctx, f), c.readFilters(ctx, f), c.readAccount(ctx, f))
}

// readSettings reads all global variables, by lower-case name.
func (c *Conn) readSettings(ctx context.Context) (map[string]setting, error) {
	rows, err := c.rows(ctx, "SHOW GLOBAL VARIABLES")
	if err != nil {
		return nil, fmt.Errorf("read variables of %s: %w", c.node.Name, err)
	}
	settings := make(map[string]setting, len(rows))
	for _, r := range rows {
		settings[strings.ToLower(r["Variable_name"])] = setting{value: r["Value"]}
	}
	text := originsMySQL
	switch {
	case c.dialect.MariaDB():
		text = originsMariaDB
	case !c.dialect.Has(dialect.SetAtStart):
		return settings, nil
	}
	if rows, err = c.rows(ctx, text); err != nil && !denied(err) {
		return nil, fmt.Errorf("read where variables of %s come from: %w", c.node.Name, err)
	}
	for _, r := range rows {
		name := strings.ToLower(r["name"])
		settings[name] = setting{settings[name].value, r["origin"], r["persisted"]}
	}
	return settings, nil
}

// take sorts the settings by what the table asks for.
func (f *facts) take(settings map[string]setting) {
	for _, r := range requirements {
		s, ok := settings[strings.ToLower(f.dialect.Say(r.term))]
		if !ok {
			continue
		}
		f.values[r.term], f.fleeting[r.term] = s.value, s.fleeting()
		if r.remedy == remedyAtStart {
			f.values[r.term], f.fleeting[r.term] = orElse(s.persisted, s.value), false
		}
	}
	super := settings[f.dialect.Say(dialect.SuperReadOnly)]
	plain := settings[f.dialect.Say(dialect.ReadOnly)]
	f.superReadOnly, f.readOnly = isOn(super.value), isOn(plain.value) || isOn(super.value)
	start := super
	if !f.dialect.Has(dialect.SuperReadOnly) {
		start = plain
	}
	if value := onOff(start.atStart()); value != "" || f.dialect.Has(dialect.SetAtStart) {
		f.values[readOnlyAtStart] = value // where it is not known and cannot be set, there is nothing to say
	}
}

// onOff makes one of the two of what servers call them, and newer MariaDB's
// several kinds of read-only ON; unknown stays "".
func onOff(value string) string {
	switch {
	case value == "":
		return ""
	case isOn(value):
		return "ON"
	}
	return "OFF"
}

// readPlugins reads which semi-synchronous plugins there are.
func (c *Conn) readPlugins(ctx context.Context, f *facts) error {
	if !c.dialect.Has(dialect.SourcePlugin) {
		return nil
	}
	rows, err := c.rows(ctx, "SELECT PLUGIN_NAME AS name, PLUGIN_STATUS AS status FROM information_schema.PLUGINS WHERE PLUGIN_NAME LIKE 'rpl%semi%sync%'")
	if err != nil {
		return fmt.Errorf("read plugins of %s: %w", c.node.Name, err)
	}
	for _, t := range []dialect.Term{dialect.SourcePlugin, dialect.ReplicaPlugin} {
		f.values[t] = ""
		for _, r := range rows {
			if strings.EqualFold(r["name"], c.dialect.Say(t)) {
				f.values[t] = r["status"]
			}
		}
	}
	return nil
}

// readAccount looks for the replication account.
func (c *Conn) readAccount(ctx context.Context, f *facts) error {
	if f.account.User == "" {
		return nil
	}
	rows, err := c.rows(ctx, "SELECT 1 FROM mysql.user WHERE Repl_slave_priv = 'Y' AND User = "+quote(f.account.User))
	switch {
	case denied(err):
		return nil
	case err != nil:
		return fmt.Errorf("read accounts of %s: %w", c.node.Name, err)
	case len(rows) > 0:
		f.values[replicationAccount] = "there"
	default:
		f.values[replicationAccount] = ""
	}
	return nil
}

// denied says whether the server refused for want of a privilege.
func denied(err error) bool {
	var server *mysql.MySQLError
	if !errors.As(err, &server) {
		return false
	}
	switch server.Number {
	case 1044, 1142, 1143, 1227, 3118, 3783:
		return true
	}
	return false
}
