package fullcopy

import (
	"context"
	"errors"
	"strings"

	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// makeObjects makes everything that acts on tables, now that they are full.
func (t *target) makeObjects(ctx context.Context) error {
	k := t.cut.catalogue
	if err := t.makeAll(ctx, k.Routines); err != nil {
		return err
	}
	dismiss, err := t.standIn(ctx, k.Views)
	if err != nil {
		return err
	}
	views, err := t.makeViews(ctx, k.Views)
	if err := errors.Join(err, dismiss()); err != nil {
		return err
	}
	for _, list := range [][]schema.Definition{k.Triggers, k.Events} {
		if err := t.makeAll(ctx, list); err != nil {
			return err
		}
	}
	return errors.Join(t.nameHistograms(ctx), t.same(ctx, k.Routines, views, k.Triggers, k.Events))
}

// standIn makes accounts for the definers of views that are gone, since what
// reads such a view could not be made; nobody can log in as one of them. Dismiss
// drops them again.
func (t *target) standIn(ctx context.Context, views []schema.Definition) (dismiss func() error, err error) {
	rows, err := t.conn.Rows(ctx, "SELECT User AS name, Host AS host FROM mysql.user")
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, row := range rows {
		there[schema.Quote(row["name"])+"@"+schema.Quote(row["host"])] = true
	}
	var made []string
	dismiss = func() error {
		for _, who := range made {
			err = errors.Join(err, t.conn.Exec(ctx, "DROP USER "+who))
		}
		return err
	}
	for _, d := range views {
		who := d.Definer()
		if there[who] || !strings.Contains(who, "`@`") {
			continue // or a role of MariaDB
		}
		there[who] = true
		if err := t.conn.Exec(ctx, "CREATE USER "+who+" ACCOUNT LOCK"); err != nil {
			return nil, errors.Join(err, dismiss())
		}
		made = append(made, who)
		if err := t.conn.Exec(ctx, "GRANT ALL ON *.* TO "+who); err != nil {
			return nil, errors.Join(err, dismiss())
		}
	}
	return dismiss, nil
}

func (t *target) makeAll(ctx context.Context, list []schema.Definition) error {
	for _, d := range list {
		t.gauge.change(func(p *Progress) { p.Doing = d.String() })
		if err := d.Make(ctx, t.conn); err != nil {
			return err
		}
	}
	return nil
}

// makeViews makes views after those that they read: what cannot be made yet is
// tried again behind the others, as long as there are fewer each time. It
// returns those that there are in the end.
func (t *target) makeViews(ctx context.Context, views []schema.Definition) (made []schema.Definition, err error) {
	for left := views; len(left) > 0; {
		var failed []schema.Definition
		var failures error
		for _, d := range left {
			t.gauge.change(func(p *Progress) { p.Doing = d.String() })
			if err := d.Make(ctx, t.conn); err != nil {
				failed, failures = append(failed, d), errors.Join(failures, err)
			} else {
				made = append(made, d)
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if len(failed) == len(left) {
			return made, t.leaveOut(ctx, failed, failures)
		}
		left = failed
	}
	return made, nil
}

// leaveOut notes the views that cannot be used on the source either. Others
// that cannot be made are an error.
func (t *target) leaveOut(ctx context.Context, views []schema.Definition, failures error) error {
	for _, d := range views {
		if !d.Broken(ctx, t.cut.reader) {
			return failures
		}
	}
	for _, d := range views {
		t.note(d.String() + " is left out: what it reads is not there on the source either")
	}
	return nil
}
