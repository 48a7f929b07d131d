package storedlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// FileInfo is what List says of a file. It is a value.
type FileInfo struct {
	Name string
	// Size of the file's plain bytes, a transaction that is being written
	// included.
	Size      int64
	Encrypted bool
	// Version of the server whose events it holds.
	Version string
	// Before is what came before it.
	Before *cluster.GTIDSet
	// Modified is when it was last written to.
	Modified time.Time
}

// List looks at the headers of the files in a folder, the oldest first. Like
// Find and Verify it changes nothing and may be used while a log is open there.
func List(dir string, key []byte) ([]FileInfo, error) {
	var out []FileInfo
	err := eachFile(folder(dir), key, func(s *segment, f file) error {
		written, err := folder(dir).modified(s.name)
		if err != nil {
			return err
		}
		end, err := sizeInUse(f, s)
		if err != nil {
			return err
		}
		format, err := event.ParseFormat(s.format)
		_, encrypted := f.(*sealedFile)
		out = append(out, FileInfo{s.name, end, encrypted, format.Version, s.before, written})
		return err
	})
	return out, err
}

// eachFile opens the files of a folder in their order. One that Trim deletes
// meanwhile is left out, and so is a last one that is being made.
func eachFile(d disk, key []byte, do func(*segment, file) error) error {
	numbers, err := (&Log{disk: d}).numbers()
	if err != nil {
		return fmt.Errorf("list stored log: %w", err)
	}
	for i, n := range numbers {
		err := withFile(d, key, n, do)
		unborn := i == len(numbers)-1 && errors.Is(err, errHeader)
		if err != nil && !unborn && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func withFile(d disk, key []byte, n uint64, do func(*segment, file) error) (err error) {
	raw, err := d.open(nameOf(n), toRead)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	f, err := wrap(raw, key)
	if err != nil {
		return headerError(n, err)
	}
	s, err := readSegment(f, n)
	if err != nil {
		return err
	}
	return do(s, f)
}

// Found is a transaction and where it stands. It is a value.
type Found struct {
	GTID cluster.GTID
	File string
	// Offset and Size of its events in the plain file.
	Offset, Size int64
	Events       []EventInfo
}

// EventInfo says what an event is. It is a value.
type EventInfo struct {
	Offset   int64
	Type     event.Type
	Size     uint32
	ServerID uint32
	Written  time.Time
}

// ErrNotFound says that a transaction is not in the log.
var ErrNotFound = errors.New("the transaction is not in the stored log")

// errStop ends a scan that has what it wants.
var errStop = errors.New("enough")

// Find looks for a transaction in the files of a folder. It is ErrNotFound
// where it is not, or not any more, there.
func Find(ctx context.Context, dir string, key []byte, g cluster.GTID) (Found, error) {
	out, number := Found{GTID: g}, uint64(0)
	err := eachFile(folder(dir), key, func(s *segment, _ file) error {
		if s.before.Contains(g) {
			return errStop
		}
		number = s.number // the last that begins without it
		return nil
	})
	if number != 0 && (err == nil || errors.Is(err, errStop)) {
		err = withFile(folder(dir), key, number, func(s *segment, f file) error {
			_, err := scan(f, s, s.visible, func(at int64, e event.Event, m event.Mark) error {
				return errors.Join(ctx.Err(), out.take(s.name, at, e, m))
			})
			return err
		})
	}
	switch {
	case err != nil && !errors.Is(err, errStop):
		return Found{}, fmt.Errorf("find %s: %w", g, err)
	case out.Size == 0:
		return Found{}, fmt.Errorf("find %s: %w", g, ErrNotFound)
	}
	return out, nil
}

// take notes an event if it is one of the transaction, and stops behind it.
func (f *Found) take(name string, at int64, e event.Event, m event.Mark) error {
	if m.GTID != f.GTID {
		return nil
	}
	if len(f.Events) == 0 {
		f.File, f.Offset = name, at
	}
	f.Events = append(f.Events, EventInfo{at, e.Type(), e.Size(), e.ServerID(), time.Unix(int64(e.Timestamp()), 0)})
	if m.Part != event.End {
		return nil
	}
	f.Size = at + int64(len(e)) - f.Offset
	return errStop
}
