package errant

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/rowimage"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// write makes the file for people, with a title in front.
func (s *Source) write(ctx context.Context, kept *storedlog.Log, title string, after *cluster.GTIDSet, raw []string, path string) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bufio.NewWriter(f)
	fmt.Fprintf(out, "%s-- The same as raw events: %s\n", title, strings.Join(raw, ", "))
	fmt.Fprint(out, "-- Look at each before you run it: other servers may have other rows by now. Timestamps are in UTC.\n")
	t := text{source: s, out: out, known: map[string][]rowimage.Column{}}
	err = t.all(ctx, kept, after)
	return errors.Join(err, out.Flush(), f.Sync())
}

// text writes transactions as SQL. One goroutine.
type text struct {
	source *Source
	out    io.Writer
	format event.Format
	track  *event.Tracker
	tables map[uint64]*rowimage.Table
	known  map[string][]rowimage.Column // by table
}

// all writes what is stored behind a set.
func (t *text) all(ctx context.Context, kept *storedlog.Log, after *cluster.GTIDSet) (err error) {
	end := kept.Executed()
	if after.ContainsSet(end) {
		return nil
	}
	r, err := kept.Read(after)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for done := after; !done.ContainsSet(end); {
		p, err := r.Next(ctx)
		if err != nil {
			return err
		}
		if err := t.piece(ctx, p); err != nil {
			return err
		}
		if !p.Last.IsZero() {
			done = t.past(done, p)
		}
	}
	return nil
}

// past adds the transactions that end in a piece.
func (t *text) past(done *cluster.GTIDSet, p storedlog.Piece) *cluster.GTIDSet {
	track := event.NewTracker(t.format)
	for rest := p.Events; len(rest) > 0; {
		e, err := event.Next(rest)
		if err != nil {
			break
		}
		rest = rest[len(e):]
		if !e.Type().BeginsTransaction() {
			continue
		}
		if m, err := track.Next(e); err == nil && m.GTID != p.Last {
			done = done.With(m.GTID)
		}
		track = event.NewTracker(t.format)
	}
	return done.With(p.Last)
}

func (t *text) piece(ctx context.Context, p storedlog.Piece) error {
	if p.Start {
		format, err := event.ParseFormat(p.Format)
		t.format, t.track = format, event.NewTracker(format)
		return err
	}
	for rest := p.Events; len(rest) > 0; {
		e, err := event.Next(rest)
		if err != nil {
			return err
		}
		rest = rest[len(e):]
		m, err := t.track.Next(e)
		if err == nil {
			err = t.event(ctx, e, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// event writes one event. What cannot be read is named, and is in the raw file.
func (t *text) event(ctx context.Context, e event.Event, m event.Mark) error {
	var err error
	switch typ := e.Type(); {
	case m.Part == event.Begin:
		t.tables = map[uint64]*rowimage.Table{}
		_, err = fmt.Fprintf(t.out, "\n-- %s, %s, written by server %d\n", m.GTID, time.Unix(int64(e.Timestamp()), 0).UTC().Format(time.DateTime), e.ServerID())
	case typ == event.Query:
		err = t.query(e)
	case typ == event.XID:
		_, err = fmt.Fprintln(t.out, "COMMIT;")
	case typ == event.MariaAnnotateRows:
		err = t.comment(string(e.Body(true)))
	case typ == event.RowsQuery:
		err = t.comment(string(e.Body(true)[1:]))
	case typ == event.TableMap:
		var table rowimage.Table
		if table, err = rowimage.ParseTable(e, true); err == nil {
			t.tables[table.ID] = &table
		}
	case rowimage.KindOf(typ) != rowimage.KindUnknown:
		err = t.rows(ctx, e)
	case m.Part != event.Control:
		_, err = fmt.Fprintf(t.out, "-- a %s event of %d bytes: see the raw file\n", typ, len(e))
	}
	return err
}

// comment writes a text, each line behind two dashes.
func (t *text) comment(text string) error {
	_, err := fmt.Fprintf(t.out, "-- statement: %s\n", strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n--   "))
	return err
}

func (t *text) query(e event.Event) error {
	q, err := event.ParseQuery(e, true)
	if err != nil {
		return err
	}
	if q.Schema != "" && !q.Frame {
		fmt.Fprintf(t.out, "USE `%s`;\n", strings.ReplaceAll(q.Schema, "`", "``"))
	}
	_, err = fmt.Fprintf(t.out, "%s;\n", strings.TrimSpace(q.Text))
	return err
}

func (t *text) rows(ctx context.Context, e event.Event) error {
	table := t.tables[rowimage.TableID(e, true)]
	if table == nil {
		_, err := fmt.Fprintln(t.out, "-- rows of a table that is not named: see the raw file")
		return err
	}
	table.Describe(t.columns(ctx, table))
	kind := rowimage.KindOf(e.Type())
	err := table.Each(e, true, func(r rowimage.Row) error {
		_, err := fmt.Fprintln(t.out, table.Statement(kind, r))
		return err
	})
	if errors.Is(err, event.ErrMalformed) || errors.Is(err, rowimage.ErrTooLarge) {
		_, err = fmt.Fprintf(t.out, "-- rows of %s.%s that were not understood (%v): see the raw file\n", table.Schema, table.Name, err)
	}
	return err
}

// columns are a table's; none where the server does not say.
func (t *text) columns(ctx context.Context, table *rowimage.Table) []rowimage.Column {
	key := table.Schema + "\x00" + table.Name
	columns, ok := t.known[key]
	if !ok {
		columns, _ = t.source.Columns(ctx, table.Schema, table.Name) // numbers do instead
		t.known[key] = columns
	}
	return columns
}
