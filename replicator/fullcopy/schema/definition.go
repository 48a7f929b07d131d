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
	KindTablespace
	KindReferenceSystem
	kindCount
)

var kindNames = [kindCount]string{
	"unknown", "database", "table", "sequence", "view", "procedure", "function", "package", "package body", "trigger", "event",
	"tablespace", "spatial reference system",
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
	Schema, Name string // Name is "" for a database, and what no database holds
	// SQL in the character set Client where there is one.
	SQL string
	// What the server keeps beside the text; "" for what it does not keep. Database
	// is the collation that the database had then.
	SQLMode, Client, Collation, Database, TimeZone string
	// Comment of a routine or an event that was made with NO_BACKSLASH_ESCAPES: the
	// SQL has it as in a session without.
	Comment string
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
	d.Client, d.Collation, d.Database = row["character_set_client"], row["collation_connection"], row["Database Collation"]
	return d, nil
}

// Make makes what is defined. The session is as before afterwards. Errors of
// the server are returned as they are.
func (d Definition) Make(ctx context.Context, c *Conn) error {
	var before, after []string
	if d.Name != "" {
		before = append(before, "USE "+Quote(d.Schema))
	}
	if set := d.session(); len(set) > 0 {
		before = append(before, "SET SESSION "+strings.Join(set, ", "))
		after = []string{"SET NAMES utf8mb4", "SET SESSION time_zone = '+00:00', " + strings.Join(settings, ", ")}
	}
	if err := c.Exec(ctx, before...); err != nil {
		return err
	}
	back, err := d.goBack(ctx, c)
	after = append(back, after...)
	if err == nil {
		err = c.Exec(ctx, d.SQL)
	}
	if change := d.change(c); err == nil && change != "" {
		err = c.Exec(ctx, change)
	}
	if again := c.Exec(ctx, after...); err == nil {
		err = again
	}
	if err != nil {
		return fmt.Errorf("make %v: %w", d, err)
	}
	return nil
}

// goBack takes the server to when the definition was made: the database has the
// collation that it had, and an event's time, which a server refuses once it is
// over, is yet to come. It returns what leads back.
func (d Definition) goBack(ctx context.Context, c *Conn) (back []string, err error) {
	if d.Kind == KindEvent {
		if err := c.SetPerhaps(ctx, "timestamp = 1"); err != nil {
			return nil, err
		}
		back = append(back, "SET SESSION timestamp = DEFAULT")
	}
	if d.Database == "" {
		return back, nil
	}
	now, err := c.Value(ctx, "SELECT @@collation_database")
	if err != nil || now == d.Database {
		return back, err
	}
	change := "ALTER DATABASE " + Quote(d.Schema) + " COLLATE "
	return append(back, change+now), c.Exec(ctx, change+d.Database)
}

// session is what the session must be set to, as the definition was made in it.
func (d Definition) session() (out []string) {
	add := func(name, value string) {
		if value != "" {
			out = append(out, name+" = "+Literal(value))
		}
	}
	switch d.Kind {
	case KindDatabase, KindTable, KindSequence, KindTablespace, KindReferenceSystem:
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

// definer finds who a definition acts for.
var definer = regexp.MustCompile("^CREATE (?:ALGORITHM=\\w+ )?DEFINER=(`(?:[^`]|``)*`@`(?:[^`]|``)*`|`(?:[^`]|``)*`) ")

// Definer is who it acts for, as SQL; "" where it acts for nobody.
func (d Definition) Definer() string {
	if m := definer.FindStringSubmatch(d.SQL); m != nil {
		return m[1]
	}
	return ""
}

// change is the statement behind the SQL that gives the comment its text, and
// keeps an event from running on a slave; "" for most. Without its definer ALTER
// EVENT would make it the account that alters.
func (d Definition) change(c *Conn) string {
	var comment string
	if d.Comment != "" {
		comment = " COMMENT '" + strings.ReplaceAll(d.Comment, "'", "''") + "'"
	}
	path := strings.ToUpper(d.Kind.String()) + " " + Quote(d.Schema) + "." + Quote(d.Name)
	switch {
	case d.Kind == KindEvent && d.Definer() != "":
		return "ALTER DEFINER = " + d.Definer() + " " + path + " " + c.Dialect.Say(dialect.DisableEvent) + comment
	case d.Kind == KindEvent:
		return "ALTER " + path + " " + c.Dialect.Say(dialect.DisableEvent) + comment
	case comment != "":
		return "ALTER " + path + comment
	}
	return ""
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
	if d.Sealed() {
		text = strings.TrimSuffix(text, sealed)
	}
	return strings.Join([]string{text, d.SQLMode, d.Client, d.Collation, d.Database, d.TimeZone}, "\x00")
}

// sealed is what MySQL shows of a database that is READ ONLY, which each server
// keeps for itself.
const sealed = " /* READ ONLY = 1 */"

// Sealed says whether the definition is of a database that is READ ONLY.
func (d Definition) Sealed() bool { return d.Kind == KindDatabase && strings.HasSuffix(d.SQL, sealed) }
