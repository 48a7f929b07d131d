package storedlog

import (
	"context"
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// Verified is what Verify found. It is a value.
type Verified struct {
	Files, Transactions int
	// Bytes of the files, up to the last whole transaction of each.
	Bytes int64
	// First is what came before the oldest file, Last what the log ends with.
	First, Last *cluster.GTIDSet
	// Open is how many bytes stand behind the last whole transaction: one that
	// is being written, or what a crash left.
	Open int64
	// Problems in words, none if all is well.
	Problems []string
}

// Verify reads every byte of the log in a folder: checksums, the grammar of
// the stream, that each file goes on where the one before it ends, and that
// nothing is missing of what was durable.
func Verify(ctx context.Context, dir string, key []byte) (Verified, error) {
	v := verifier{}
	number, offset, err := remembered(folder(dir))
	if err != nil {
		return v.Verified, fmt.Errorf("verify stored log: %w", err)
	}
	err = eachFile(folder(dir), key, func(s *segment, f file) error {
		found, err := scan(f, s, s.visible, func(int64, event.Event, event.Mark) error { return ctx.Err() })
		if err != nil {
			return err
		}
		end, err := endOfUse(f, found.end, s.visible)
		v.take(s, found, end)
		return err
	})
	if err == nil {
		v.finish(number, offset)
	}
	return v.Verified, err
}

// verifier collects what Verify finds.
type verifier struct {
	Verified
	number uint64 // of the last file
	end    int64  // of its last whole transaction
	tail   string // what is wrong behind that: a problem unless no file follows
}

func (v *verifier) problem(text string, args ...any) {
	v.Problems = append(v.Problems, fmt.Sprintf(text, args...))
}

// take takes in a file, in which nothing but room is behind end.
func (v *verifier) take(s *segment, found scanned, end int64) {
	if v.tail != "" {
		v.problem("%s", v.tail)
	}
	if v.Files == 0 {
		v.First, v.Last = s.before, s.before
	}
	if !v.Last.Equal(s.before) {
		v.problem("%s begins behind %s, but what comes before it ends at %s", s.name, s.before, v.Last)
	}
	v.number, v.end, v.tail = s.number, found.end, ""
	if found.torn != nil {
		v.tail = fmt.Sprintf("%s behind %d: %v", s.name, found.end, found.torn)
	}
	v.Files, v.Transactions, v.Bytes = v.Files+1, v.Transactions+found.transactions, v.Bytes+found.end
	v.Last, v.Open = found.after, end-found.end
}

// finish compares the end with how far the log was durable.
func (v *verifier) finish(number uint64, offset int64) {
	switch {
	case v.number < number:
		v.problem("%s is missing", nameOf(number))
	case v.number == number && v.end < offset && v.tail != "":
		v.problem("%s, although it was durable up to %d", v.tail, offset)
	case v.number == number && v.end < offset:
		v.problem("%s ends at %d, although it was durable up to %d", nameOf(number), v.end, offset)
	}
}
