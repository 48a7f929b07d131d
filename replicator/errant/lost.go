package errant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/durable"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/rowimage"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// Lost is what was acknowledged to clients and is given up, because the next
// master has not got it. It is a value.
type Lost struct {
	Set *cluster.GTIDSet
	// Master is the name of the server without it, Has all that this one has.
	Master string
	Has    *cluster.GTIDSet
	// Log still holds it; nil where nobody stored it.
	Log *storedlog.Log
	// Columns is as in Source.
	Columns func(ctx context.Context, schema, table string) ([]rowimage.Column, error)
}

// lostName is what the files are called.
const lostName = "lost"

// SaveLost writes what is lost to files in dir, as Save does; where the events
// cannot be had, their GTIDs alone, with the reason. Its error is one of writing.
func SaveLost(ctx context.Context, l Lost, dir string, log *slog.Logger) (files []string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keep what is lost: %w", err)
	}
	why := errors.New("they are not stored here")
	if l.Log != nil {
		if files, why = l.save(ctx, dir, log); why == nil {
			return files, nil
		}
		log.Error("what is lost is kept by its GTIDs alone", "gtid", l.Set.String(), "error", why)
	}
	text := fmt.Sprintf("%s-- The events are not here: %v\n", l.title(), why)
	if err := durable.WriteFile(filepath.Join(dir, lostName+".sql"), []byte(text)); err != nil {
		return nil, fmt.Errorf("keep what is lost: %w", err)
	}
	return []string{lostName + ".sql"}, nil
}

func (l *Lost) title() string {
	return fmt.Sprintf("-- Acknowledged to clients and lost, because %s became the master without it: %v\n", l.Master, l.Set)
}

// save copies it out of the log.
func (l *Lost) save(ctx context.Context, dir string, log *slog.Logger) (files []string, err error) {
	raw, after := filepath.Join(dir, lostName+".raw"), l.Has.Intersect(l.Log.Executed())
	if err := os.RemoveAll(raw); err != nil {
		return nil, err
	}
	kept, err := storedlog.Open(storedlog.Config{Dir: raw, Flavour: l.Has.Flavour(), ServerID: 1}, log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, kept.Close(), os.RemoveAll(raw)) }()
	if err := errors.Join(kept.Seed(after), l.copy(ctx, kept, after)); err != nil {
		return nil, err
	}
	s := Source{Name: lostName, Has: kept.Executed(), Columns: l.Columns}
	if files, err = s.move(kept, dir, raw); err != nil {
		return nil, err
	}
	name := lostName + ".sql"
	if err := s.write(ctx, kept, l.title(), after, files, filepath.Join(dir, name)); err != nil {
		return nil, err
	}
	return append(files, name), durable.SyncFolder(dir)
}

// copy appends all that the log has behind a set to another one.
func (l *Lost) copy(ctx context.Context, to *storedlog.Log, after *cluster.GTIDSet) (err error) {
	r, err := l.Log.Read(after)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	there, stop := context.WithCancel(ctx)
	stop() // what is there is wanted, and no more
	var track *event.Tracker
	for {
		p, err := r.Next(there)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, context.Canceled):
			return to.Sync()
		case err == nil && p.Start:
			var format event.Format
			if format, err = event.ParseFormat(p.Format); err == nil {
				track, err = event.NewTracker(format), to.Rotate(p.Format)
			}
		case err == nil:
			err = appendAll(to, track, p.Events)
		}
		if err != nil {
			return err
		}
	}
}

// appendAll appends whole events.
func appendAll(to *storedlog.Log, track *event.Tracker, events []byte) error {
	for rest := events; len(rest) > 0; {
		e, err := event.Next(rest)
		if err != nil {
			return err
		}
		rest = rest[len(e):]
		m, err := track.Next(e)
		if err == nil {
			err = to.Append(e, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
