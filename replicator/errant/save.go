package errant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/durable"
	"github.com/bellwether-db/bellwether/replicator/rowimage"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
	"github.com/bellwether-db/bellwether/replicator/upstream"
)

// Source is whose transactions are kept. It is a value.
type Source struct {
	Name     string // of the node, and of the files
	Upstream upstream.Config
	// Has is all that it has. After are sets behind which its own transactions
	// may begin, the likeliest first: one that it has not in its binary log is
	// passed over. On MySQL all others that it has are one.
	Has   *cluster.GTIDSet
	After []*cluster.GTIDSet
	// Columns describes a table's columns, as the server has them now.
	Columns func(ctx context.Context, schema, table string) ([]rowimage.Column, error)
}

// Save writes what the source has behind the first of After that it knows to
// files in dir, which is made, and returns their names: the raw ones in their
// order, and last the one that is SQL. They are durable then. What it wrote before
// is replaced.
func Save(ctx context.Context, s Source, dir string, log *slog.Logger) (files []string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keep what only %s has: %w", s.Name, err)
	}
	raw := filepath.Join(dir, s.Name+".raw")
	for _, after := range s.After {
		files, err = s.save(ctx, dir, raw, after, log)
		err = errors.Join(err, os.RemoveAll(raw))
		if refused := (*upstream.Refusal)(nil); !errors.As(err, &refused) || ctx.Err() != nil {
			break
		}
	}
	if err == nil && files == nil {
		err = errNowhere
	}
	if err != nil {
		return nil, fmt.Errorf("keep what only %s has: %w", s.Name, err)
	}
	return files, nil
}

// errNowhere says that nothing is known that the source has in common with others.
var errNowhere = errors.New("nothing is known behind which it begins")

// save fetches it behind one set.
func (s *Source) save(ctx context.Context, dir, raw string, after *cluster.GTIDSet, log *slog.Logger) (files []string, err error) {
	if err := os.RemoveAll(raw); err != nil {
		return nil, err
	}
	kept, err := storedlog.Open(storedlog.Config{Dir: raw, Flavour: s.Has.Flavour(), ServerID: s.Upstream.ServerID}, log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	if err := kept.Seed(after); err != nil {
		return nil, err
	}
	if err := s.fetch(ctx, kept, log); err != nil {
		return nil, err
	}
	if files, err = s.move(kept, dir, raw); err != nil {
		return nil, err
	}
	name := s.Name + ".sql"
	title := fmt.Sprintf("-- What only %s has: %v\n", s.Name, s.Has.Subtract(after))
	if err := s.write(ctx, kept, title, after, files, filepath.Join(dir, name)); err != nil {
		return nil, err
	}
	return append(files, name), durable.SyncFolder(dir)
}

// fetch reads until all is there that the source has.
func (s *Source) fetch(ctx context.Context, kept *storedlog.Log, log *slog.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	defer watch.Wait()
	defer stop()
	watch.Go(func() {
		defer stop()
		for {
			changed := kept.Changed()
			if kept.Executed().ContainsSet(s.Has) {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	})
	s.Upstream.SemiSync = false
	if err := upstream.New(s.Upstream, kept, log).Run(ctx); err != nil {
		return err
	}
	if missing := s.Has.Subtract(kept.Executed()); !missing.IsEmpty() {
		return fmt.Errorf("%v did not come: %w", missing, context.Cause(ctx))
	}
	return nil
}

// move gives the raw files their names, by which they stay readable here.
func (s *Source) move(kept *storedlog.Log, dir, raw string) (files []string, err error) {
	for i, f := range kept.Files() {
		name := s.Name + ".binlog"
		if i > 0 {
			name = fmt.Sprintf("%s.%d.binlog", s.Name, i+1)
		}
		target := filepath.Join(dir, name)
		if err := errors.Join(os.RemoveAll(target), os.Link(filepath.Join(raw, f.Name), target)); err != nil {
			return nil, err
		}
		files = append(files, name)
	}
	return files, nil
}
