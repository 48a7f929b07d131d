package schema

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// Kind is what a definition defines. The zero value is unknown.
type Kind uint8

// The kinds.
const (
	KindUnknown Kind = iota
	KindDatabase
	KindTable
	KindSequence
	KindView
	KindProcedure
	KindFunction
	KindPackage
	KindPackageBody
	KindTrigger
	KindEvent
	kindCount
)

var kindNames = [kindCount]string{
	"unknown", "database", "table", "sequence", "view", "procedure", "function", "package", "package body", "trigger", "event",
}

// String returns the kind in lower case.
func (k Kind) String() string {
	if k >= kindCount {
		return kindNames[KindUnknown]
	}
	return kindNames[k]
}

// Definition is the statement that makes something, with what it takes from the
// session. It is a value.
type Definition struct {
	Kind         Kind
	Schema, Name string // Name is "" for a database
	// SQL in the character set Client where there is one.
	SQL string
	// What the server keeps beside the text; "" for what it does not keep.
	SQLMode, Client, Collation, TimeZone string
}

// String says what is defined, for people.
func (d Definition) String() string {
	if d.Name == "" {
		return d.Kind.String() + " " + d.Schema
	}
	return d.Kind.String() + " " + d.Schema + "." + d.Name
}

// show reads a definition with SHOW CREATE, from the column of that name.
func show(ctx context.Context, c *Conn, kind Kind, schema, name, column string) (Definition, error) {
	path := Quote(schema)
	if name != "" {
		path += "." + Quote(name)
	}
	rows, err := c.Rows(ctx, "SHOW CREATE "+strings.ToUpper(kind.String())+" "+path)
	d := Definition{Kind: kind, Schema: schema, Name: name}
	if err != nil {
		return d, err
	}
	if len(rows) != 1 || rows[0][column] == "" {
		return d, fmt.Errorf("read %v of %s: the account may not see its definition", d, c.Node.Name)
	}
	row := rows[0]
	d.SQL, d.SQLMode, d.TimeZone = row[column], row["sql_mode"], row["time_zone"]
	d.Client, d.Collation = row["character_set_client"], row["collation_connection"]
	return d, nil
}

// Make makes what is defined. The session is as before afterwards. Errors of
// the server are returned as they are.
func (d Definition) Make(ctx context.Context, c *Conn) error {
	var before, after []string
	if d.Kind != KindDatabase {
		before = append(before, "USE "+Quote(d.Schema))
	}
	if set := d.session(); len(set) > 0 {
		before = append(before, "SET SESSION "+strings.Join(set, ", "))
		after = []string{"SET NAMES utf8mb4", "SET SESSION time_zone = '+00:00', " + strings.Join(settings, ", ")}
	}
	if err := c.Exec(ctx, before...); err != nil {
		return err
	}
	err := c.Exec(ctx, d.SQL)
	if err == nil && d.Kind == KindEvent {
		err = c.Exec(ctx, d.disable(c))
	}
	if again := c.Exec(ctx, after...); err == nil {
		err = again
	}
	if err != nil {
		return fmt.Errorf("make %v: %w", d, err)
	}
	return nil
}

// session is what the session must be set to, as the definition was made in it.
func (d Definition) session() (out []string) {
	add := func(name, value string) {
		if value != "" {
			out = append(out, name+" = "+Literal(value))
		}
	}
	switch d.Kind {
	case KindDatabase, KindTable, KindSequence:
		return nil
	case KindView:
	default:
		out = append(out, "sql_mode = "+Literal(d.SQLMode))
	}
	add("time_zone", d.TimeZone)
	add("collation_connection", d.Collation)
	add("character_set_client", d.Client)
	return out
}

// definer finds who an event acts for: ALTER EVENT without it would make it
// the account that alters.
var definer = regexp.MustCompile("^CREATE DEFINER=(`(?:[^`]|``)*`@`(?:[^`]|``)*`|`(?:[^`]|``)*`) ")

// disable keeps an event from running on a slave.
func (d Definition) disable(c *Conn) string {
	who := ""
	if m := definer.FindStringSubmatch(d.SQL); m != nil {
		who = "DEFINER = " + m[1] + " "
	}
	return "ALTER " + who + "EVENT " + Quote(d.Schema) + "." + Quote(d.Name) + " " + c.Dialect.Say(dialect.DisableEvent)
}

// enabling are the words by which an event of a master differs from that of a
// slave; they come behind ON COMPLETION [NOT] PRESERVE.
var enabling = regexp.MustCompile(`(ON COMPLETION (?:NOT )?PRESERVE) (?:ENABLE|DISABLE ON SLAVE|DISABLE ON REPLICA|DISABLE)\b`)

// Comparable is what must be equal on a master and its slave.
func (d Definition) Comparable() string {
	text := d.SQL
	if d.Kind == KindEvent {
		text = enabling.ReplaceAllString(text, "$1")
	}
	if d.Kind == KindTable {
		text = (&Table{Create: text}).Comparable()
	}
	return strings.Join([]string{text, d.SQLMode, d.Client, d.Collation, d.TimeZone}, "\x00")
}
