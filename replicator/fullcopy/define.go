package fullcopy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// define makes the target have the source's databases, sequences and tables,
// and nothing else.
func (t *target) define(ctx context.Context) error {
	t.gauge.enter(PhaseDefine, "")
	if err := errors.Join(t.layGround(ctx), t.defineDatabases(ctx)); err != nil {
		return err
	}
	there, err := t.dropRest(ctx)
	if err != nil {
		return err
	}
	t.kept = map[*schema.Table]bool{}
	for _, table := range t.cut.catalogue.Tables {
		before := there[table.String()]
		if before != nil && table.HasData() && table.Deletes() && !table.Versioned && before.SameAs(table) && before.Engine == table.Engine {
			t.kept[table] = true
			continue
		}
		if err := t.defineTable(ctx, table, before); err != nil {
			return err
		}
	}
	return t.same(ctx, t.cut.catalogue.Databases, tablesOf(t.cut.catalogue))
}

func tablesOf(k *schema.Catalogue) (out []schema.Definition) {
	for _, table := range k.Tables {
		out = append(out, table.Definition())
	}
	return out
}

// layGround makes what the tables stand on, where it is not there. What else is
// there stays: it holds nothing.
func (t *target) layGround(ctx context.Context) error {
	there, err := schema.Ground(ctx, t.conn)
	if err != nil {
		return err
	}
	for _, d := range t.cut.catalogue.Ground {
		if slices.ContainsFunc(there, func(o schema.Definition) bool { return o.String() == d.String() }) {
			continue
		}
		if err := d.Make(ctx, t.conn); err != nil {
			return err
		}
	}
	return nil
}

// defineDatabases drops what is not to be kept, and makes what is not there.
func (t *target) defineDatabases(ctx context.Context) error {
	there, err := schema.Databases(ctx, t.conn)
	if err != nil {
		return err
	}
	wanted := map[string]schema.Definition{}
	for _, d := range t.cut.catalogue.Databases {
		wanted[d.Schema] = d
	}
	for _, d := range there {
		if d.Sealed() {
			if err := t.conn.Exec(ctx, "ALTER DATABASE "+schema.Quote(d.Schema)+" READ ONLY = 0"); err != nil {
				return err
			}
		}
		if t.reuse && wanted[d.Schema].Comparable() == d.Comparable() {
			delete(wanted, d.Schema)
			continue
		}
		if err := t.conn.Exec(ctx, "DROP DATABASE "+schema.Quote(d.Schema)); err != nil {
			return err
		}
	}
	for _, d := range t.cut.catalogue.Databases {
		if d.Sealed() {
			t.note(d.String() + " is READ ONLY on the source; that is not copied, and replication does not carry it")
		}
		if _, missing := wanted[d.Schema]; !missing {
			continue
		}
		if err := d.Make(ctx, t.conn); err != nil {
			return err
		}
	}
	return nil
}

// dropRest drops everything but tables in the databases that are kept, and
// returns their tables by name, less those that the source does not have.
func (t *target) dropRest(ctx context.Context) (map[string]*schema.Table, error) {
	out := map[string]*schema.Table{}
	if !t.reuse {
		return out, nil
	}
	there, err := schema.Read(ctx, t.conn)
	if err != nil {
		return nil, err
	}
	for _, list := range [][]schema.Definition{there.Events, there.Triggers, there.Views, there.Routines} {
		for _, d := range list {
			// A package's body goes with it.
			if err := t.conn.Exec(ctx, "DROP "+strings.ToUpper(d.Kind.String())+" IF EXISTS "+schema.Quote(d.Schema)+"."+schema.Quote(d.Name)); err != nil {
				return nil, err
			}
		}
	}
	wanted := map[string]bool{}
	for _, table := range t.cut.catalogue.Tables {
		wanted[table.String()] = true
	}
	for _, table := range there.Tables {
		if wanted[table.String()] {
			out[table.String()] = table
		} else if err := t.drop(ctx, table); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (t *target) drop(ctx context.Context, table *schema.Table) error {
	return t.conn.Exec(ctx, "DROP "+strings.ToUpper(table.Definition().Kind.String())+" "+table.Path())
}

// defineTable makes a table, or a sequence with its next value: a later one than
// that of the cut does no harm, since what replicates only raises it.
func (t *target) defineTable(ctx context.Context, table, before *schema.Table) error {
	t.gauge.change(func(p *Progress) { p.Doing = table.String() })
	if before != nil {
		if err := t.drop(ctx, before); err != nil {
			return err
		}
	}
	if err := table.Definition().Make(ctx, t.conn); err != nil {
		return err
	}
	if !table.Sequence {
		return nil
	}
	rows, err := t.cut.reader.Rows(ctx, "SELECT next_not_cached_value AS next, cycle_count AS cycles FROM "+table.Path())
	if err != nil || len(rows) == 0 {
		return err
	}
	return t.conn.Exec(ctx, fmt.Sprintf("DO SETVAL(%s, %s, 0, %s)", table.Path(), rows[0]["next"], rows[0]["cycles"]))
}

// same insists that the target's definitions are those wanted. Servers of
// two versions may write them differently: that is noted only.
func (t *target) same(ctx context.Context, wanted ...[]schema.Definition) error {
	there, err := schema.Read(ctx, t.conn)
	if err != nil {
		return err
	}
	found := map[string]string{}
	for _, d := range there.All() {
		found[d.String()] = d.Comparable()
	}
	var wrong []string
	difference := ""
	for _, list := range wanted {
		for _, d := range list {
			if found[d.String()] != d.Comparable() {
				wrong = append(wrong, d.String())
				difference = firstDifference(d.Comparable(), found[d.String()])
			}
		}
	}
	switch {
	case len(wrong) == 0:
		return nil
	case t.conn.Dialect.Version() != t.cut.reader.Dialect.Version():
		t.note("the target's version writes these definitions differently: " + strings.Join(wrong, ", "))
		return nil
	}
	return fmt.Errorf("these definitions came out differently on %s: %s (%s): %w", t.config.Target.Name, strings.Join(wrong, ", "), difference, ErrDiffers)
}

// note tells people what the copy lacks, once. Workers may call it.
func (t *target) note(text string) {
	t.noting.Lock()
	defer t.noting.Unlock()
	if slices.Contains(t.notes, text) {
		return
	}
	t.notes = append(t.notes, text)
	t.log.Warn("the full copy lacks something", "node", t.config.Target.Name, "what", text)
}

// firstDifference shows where two texts begin to differ.
func firstDifference(source, target string) string {
	const shown = 80
	at := 0
	for at < min(len(source), len(target)) && source[at] == target[at] {
		at++
	}
	piece := func(text string) string { return text[at:min(at+shown, len(text))] }
	return fmt.Sprintf("%q instead of %q", piece(target), piece(source))
}
