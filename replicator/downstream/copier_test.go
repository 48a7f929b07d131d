package downstream

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// copier fills a stored log from the binary log files of a master, as the
// upstream does from its stream.
type copier struct {
	t      testing.TB
	log    *storedlog.Log
	config storedlog.Config
	dir    string         // the master's
	done   map[string]int // bytes of each file
	format event.Event
}

func newCopier(t testing.TB, flavour cluster.Flavour, dir string) *copier {
	t.Helper()
	config := storedlog.Config{Dir: filepath.Join(t.TempDir(), "log"), Flavour: flavour, ServerID: testServerID}
	l, err := storedlog.Open(config, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return &copier{t: t, log: l, config: config, dir: dir, done: map[string]int{}}
}

// copy brings the log up to the master, which must be at rest.
func (c *copier) copy() {
	c.t.Helper()
	paths, err := filepath.Glob(filepath.Join(c.dir, "binlog.0*"))
	if err != nil || len(paths) == 0 {
		c.t.Fatalf("binary logs of the master: %v, %v", paths, err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			c.t.Fatal(err)
		}
		if err := c.file(b[max(c.done[path], beginningOfFile):]); err != nil {
			c.t.Fatal(err)
		}
		c.done[path] = len(b)
	}
	if err := c.log.Sync(); err != nil {
		c.t.Fatal(err)
	}
}

// file appends what is new in a file.
func (c *copier) file(b []byte) error {
	var tracker *event.Tracker
	for len(b) > 0 {
		e, err := event.Next(b)
		if err != nil {
			return err
		}
		b = b[len(e):]
		if e.Type() == event.FormatDescription {
			c.format = append(event.Event(nil), e...)
			if err := c.log.Rotate(c.format); err != nil {
				return err
			}
		}
		if tracker == nil {
			f, err := event.ParseFormat(c.format)
			if err != nil {
				return err
			}
			tracker = event.NewTracker(f)
		}
		mark, err := tracker.Next(e)
		if err == nil {
			err = c.log.Append(e, mark)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reconnect begins a stored file in the middle of the master's.
func (c *copier) reconnect() {
	c.t.Helper()
	if err := c.log.Rotate(c.format); err != nil {
		c.t.Fatal(err)
	}
}

// begins are the GTIDs of the log and where they begin in its first file.
func (c *copier) begins() (gtids []cluster.GTID, offsets []int64) {
	c.t.Helper()
	r, err := c.log.Read(cluster.EmptyGTIDSet(c.config.Flavour))
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Close()
	format, err := event.ParseFormat(c.format)
	if err != nil {
		c.t.Fatal(err)
	}
	tracker := event.NewTracker(format)
	for {
		p, err := r.Next(ended())
		if errors.Is(err, context.Canceled) {
			return gtids, offsets
		}
		if err != nil {
			c.t.Fatal(err)
		}
		for at := 0; at < len(p.Events); {
			e, err := event.Next(p.Events[at:])
			if err != nil {
				c.t.Fatal(err)
			}
			mark, err := tracker.Next(e)
			if err != nil {
				c.t.Fatal(err)
			}
			if mark.Part == event.Begin {
				gtids, offsets = append(gtids, mark.GTID), append(offsets, p.Offset+int64(at))
			}
			at += len(e)
		}
	}
}
