package control

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// Event is a stored event (CREATE EVENT). It is a value.
type Event struct {
	Schema, Name string
	// Enabled says whether the server runs it. A slave has every event of its
	// source, disabled.
	Enabled bool
	// slaveside says that it is not enabled because this is a slave, or was one.
	slaveside bool
	// setting is what ALTER EVENT would take from the session otherwise.
	setting eventSetting
}

type eventSetting struct{ definer, sqlMode, timeZone, client, collation string }

const readEvents = `SELECT EVENT_SCHEMA AS event_schema, EVENT_NAME AS event_name, STATUS AS status, DEFINER AS definer, SQL_MODE AS sql_mode,
 TIME_ZONE AS time_zone, CHARACTER_SET_CLIENT AS client, COLLATION_CONNECTION AS collation
 FROM information_schema.EVENTS ORDER BY EVENT_SCHEMA, EVENT_NAME`

// Events returns the stored events that the operator account may see: it needs
// the privilege EVENT.
func (c *Conn) Events(ctx context.Context) ([]Event, error) {
	rows, err := c.rows(ctx, readEvents)
	if err != nil {
		return nil, fmt.Errorf("read events of %s: %w", c.node.Name, err)
	}
	var events []Event
	for _, r := range rows {
		events = append(events, Event{
			Schema: r["event_schema"], Name: r["event_name"], Enabled: r["status"] == "ENABLED", slaveside: strings.HasSuffix(r["status"], "SIDE_DISABLED"),
			setting: eventSetting{r["definer"], r["sql_mode"], r["time_zone"], r["client"], r["collation"]},
		})
	}
	return events, nil
}

// EnableEvents enables, on a node that has become the master and takes writes,
// the events that were enabled on the former one: a slave that is promoted has
// them disabled and would never run them. What was not enabled there, or is not
// here, is left alone; one that is not among those of before is newer, and enabled
// (a slave does not tell whether it was, and nearly all are), unless before is nil:
// not known. It is written to the binary log; slaves keep theirs
// disabled. To keep the definers it takes EVENT and SET_ANY_DEFINER (before
// MySQL 8.2 SET_USER_ID, on MariaDB SET USER), and SYSTEM_USER where a definer
// has that.
func (c *Conn) EnableEvents(ctx context.Context, before []Event) error {
	was := map[[2]string]bool{}
	for _, e := range before {
		was[[2]string{e.Schema, e.Name}] = e.Enabled
	}
	return c.alterEvents(ctx, "ENABLE", func(e Event) bool {
		enabled, known := was[[2]string{e.Schema, e.Name}]
		return !e.Enabled && (enabled || !known && before != nil && e.slaveside)
	})
}

// RunsEvents says whether the node's event scheduler is on.
func (c *Conn) RunsEvents(ctx context.Context) (bool, error) {
	row, err := c.row(ctx, "SELECT @@GLOBAL.event_scheduler AS scheduler")
	return isOn(row["scheduler"]) && row["scheduler"] != "DISABLED", err
}

// RunEvents switches the node's event scheduler on; the server forgets that at a
// restart.
func (c *Conn) RunEvents(ctx context.Context) error {
	if on, err := c.RunsEvents(ctx); on || err != nil {
		return err
	}
	return c.exec(ctx, "SET GLOBAL event_scheduler = ON")
}

// DisableEvents disables the events of a former master that has become a slave,
// and is read-only: they would run there, too. Nothing reaches its binary log.
func (c *Conn) DisableEvents(ctx context.Context) error {
	var opens, closes []string
	if c.dialect.Has(dialect.SuperReadOnly) {
		opens, closes = []string{"SET GLOBAL super_read_only = OFF"}, []string{"SET GLOBAL super_read_only = @@GLOBAL.read_only"}
	}
	opens, closes = append(opens, "SET SESSION sql_log_bin = 0"), append(closes, "SET SESSION sql_log_bin = 1")
	events, err := c.Events(ctx)
	if err != nil || !anyEnabled(events) {
		return err
	}
	return c.around(ctx, opens, closes, func() error {
		return c.alterEvents(ctx, c.dialect.Say(dialect.DisableEvent), func(e Event) bool { return e.Enabled })
	})
}

func anyEnabled(events []Event) bool {
	for _, e := range events {
		if e.Enabled {
			return true
		}
	}
	return false
}

// alterEvents changes those of the node's events that a test picks; errors of
// single ones do not keep it from the others.
func (c *Conn) alterEvents(ctx context.Context, how string, picks func(Event) bool) error {
	events, err := c.Events(ctx)
	if err != nil {
		return err
	}
	for _, e := range events {
		if picks(e) {
			err = errors.Join(err, c.exec(ctx, append(e.sessionSQL(), e.alterSQL(how))...))
		}
	}
	return errors.Join(err, c.exec(ctx, "SET SESSION sql_mode = '', time_zone = '+00:00'", "SET NAMES utf8mb4"))
}

// sessionSQL makes the session what the event was made in: ALTER EVENT stores
// the session's own settings, and would change what the event does.
func (e *Event) sessionSQL() []string {
	return []string{
		fmt.Sprintf("SET SESSION sql_mode = %s, time_zone = %s", quote(e.setting.sqlMode), quote(e.setting.timeZone)),
		fmt.Sprintf("SET SESSION character_set_client = %s, collation_connection = %s", quote(e.setting.client), quote(e.setting.collation)),
	}
}

// alterSQL names the definer, which would become the operator account.
func (e *Event) alterSQL(how string) string {
	user, host := e.setting.definer, ""
	if at := strings.LastIndexByte(user, '@'); at >= 0 {
		user, host = user[:at], user[at+1:]
	}
	return fmt.Sprintf("ALTER DEFINER = %s@%s EVENT %s.%s %s", identifier(user), identifier(host), identifier(e.Schema), identifier(e.Name), how)
}

// identifier quotes a name.
func identifier(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
