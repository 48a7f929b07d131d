package schema

import (
	"context"
	"strings"
)

// errUndefined is how SHOW CREATE VIEW and statements refuse a view whose
// tables or columns are gone.
const errUndefined = 1356

func (k *Catalogue) readViews(ctx context.Context, c *Conn) error {
	return k.each(ctx, c, &k.Views, "SELECT TABLE_SCHEMA AS s, TABLE_NAME AS name, 'VIEW' AS kind FROM information_schema.VIEWS WHERE TABLE_SCHEMA NOT IN ("+Literals(own)+") ORDER BY 1, 2")
}

func (k *Catalogue) readRoutines(ctx context.Context, c *Conn) error {
	return k.each(ctx, c, &k.Routines, "SELECT ROUTINE_SCHEMA AS s, ROUTINE_NAME AS name, ROUTINE_TYPE AS kind, ROUTINE_COMMENT AS comment FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA NOT IN ("+Literals(own)+
		") ORDER BY ROUTINE_TYPE = 'PACKAGE BODY', ROUTINE_SCHEMA, ROUTINE_NAME")
}

// readTriggers keeps the order in which the triggers of a table act.
func (k *Catalogue) readTriggers(ctx context.Context, c *Conn) error {
	return k.each(ctx, c, &k.Triggers, "SELECT TRIGGER_SCHEMA AS s, TRIGGER_NAME AS name, 'TRIGGER' AS kind FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA NOT IN ("+Literals(own)+
		") ORDER BY EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER")
}

func (k *Catalogue) readEvents(ctx context.Context, c *Conn) error {
	return k.each(ctx, c, &k.Events, "SELECT EVENT_SCHEMA AS s, EVENT_NAME AS name, 'EVENT' AS kind, EVENT_COMMENT AS comment FROM information_schema.EVENTS WHERE EVENT_SCHEMA NOT IN ("+Literals(own)+") ORDER BY 1, 2")
}

// shown says for what information_schema calls a kind where its text is.
var shown = map[string]struct {
	kind   Kind
	column string
}{
	"VIEW":         {KindView, "Create View"},
	"PROCEDURE":    {KindProcedure, "Create Procedure"},
	"FUNCTION":     {KindFunction, "Create Function"},
	"PACKAGE":      {KindPackage, "Create Package"},
	"PACKAGE BODY": {KindPackageBody, "Create Package Body"},
	"TRIGGER":      {KindTrigger, "SQL Original Statement"},
	"EVENT":        {KindEvent, "Create Event"},
}

// each reads the definitions that a query lists. Views are shown as from
// within their database, without its name.
func (k *Catalogue) each(ctx context.Context, c *Conn, into *[]Definition, list string) error {
	rows, err := c.Rows(ctx, list)
	if err != nil {
		return err
	}
	for _, row := range rows {
		s, known := shown[row["kind"]]
		if !known {
			continue // of a kind that no version had when this was written
		}
		if err := c.Exec(ctx, "USE "+Quote(row["s"])); err != nil {
			return err
		}
		d, err := show(ctx, c, s.kind, row["s"], row["name"], s.column)
		if err != nil {
			return err
		}
		if strings.Contains(d.SQLMode, "NO_BACKSLASH_ESCAPES") {
			d.Comment = row["comment"]
		}
		*into = append(*into, d)
	}
	return nil
}

// Broken says whether a view cannot be used on the server that it was read
// from, because what it reads is gone.
func (d Definition) Broken(ctx context.Context, c *Conn) bool {
	_, err := c.Rows(ctx, "SELECT 1 FROM "+Quote(d.Schema)+"."+Quote(d.Name)+" LIMIT 0")
	return Is(err, errUndefined)
}
