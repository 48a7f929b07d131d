package storedlog

import (
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Trimmed is what Trim deleted and what that cost. It is a value.
type Trimmed struct {
	// Files deleted, by name, the oldest first.
	Files []string
	// Bytes that they had.
	Bytes int64
	// Cut holds the indexes into needed of the slaves that still needed one of
	// the files: the bound on disk won over them.
	Cut []int
	// Near holds the indexes of the slaves that the bound will reach when the
	// log has grown by another quarter of it.
	Near []int
}

// stored is what Trim has to know of a file. It is a value.
type stored struct {
	before *cluster.GTIDSet
	after  *cluster.GTIDSet // what comes before the next file
	size   int64
	age    time.Duration // since it was last written to
}

// Trim deletes the oldest files that are past a bound: of size, whoever needs
// them, or of age, where no slave does. needed are the sets that the
// registered slaves have; a nil one needs everything. An error leaves the files
// that are left in order; it may be tried again.
func (l *Log) Trim(needed []*cluster.GTIDSet, now time.Time) (Trimmed, error) {
	l.shrink.Lock()
	defer l.shrink.Unlock()
	files, newest, err := l.stored(now)
	if err != nil {
		return Trimmed{}, fmt.Errorf("trim stored log: %w", err)
	}
	n := l.config.surplus(files, newest, needed)
	out := Trimmed{
		Cut:  needing(files[:n], needed),
		Near: needing(files[n:n+l.config.soon(files[n:], newest)], needed),
	}
	for _, f := range files[:n] {
		name, err := l.deleteOldest()
		if err != nil {
			return out, fmt.Errorf("trim stored log: %w", err)
		}
		out.Files, out.Bytes = append(out.Files, name), out.Bytes+f.size
		// Before the next one goes: a crash must leave no gap.
		if err := l.disk.sync(); err != nil {
			return out, fmt.Errorf("trim stored log: %w", err)
		}
	}
	return out, nil
}

// Bound sets FileSize, MaxBytes and MaxAge anew, as Config has them, for the
// next file and the next Trim.
func (l *Log) Bound(fileSize, maxBytes int64, maxAge time.Duration) {
	l.size.Store(fileSize)
	l.shrink.Lock()
	defer l.shrink.Unlock()
	l.config.MaxBytes, l.config.MaxAge = maxBytes, maxAge
}

// stored lists the files, but for the newest, of which it says the size.
func (l *Log) stored(now time.Time) (out []stored, newest int64, err error) {
	l.mu.Lock()
	segments, sizes := l.segments, make([]int64, len(l.segments))
	for i, s := range segments {
		sizes[i] = s.visible
	}
	l.mu.Unlock()
	if n := len(sizes); n > 0 {
		newest = sizes[n-1]
	}
	for i := range max(0, len(segments)-1) {
		written, err := l.disk.modified(segments[i].name)
		if err != nil {
			return nil, newest, err
		}
		out = append(out, stored{segments[i].before, segments[i+1].before, sizes[i], now.Sub(written)})
	}
	return out, newest, nil
}

// surplus is how many of files, the oldest, are to go; newest is the size of the one that is
// not among them.
func (c Config) surplus(files []stored, newest int64, needed []*cluster.GTIDSet) int {
	n := 0
	for n < len(files) && c.MaxAge > 0 && files[n].age > c.MaxAge && len(needing(files[n:n+1], needed)) == 0 {
		n++
	}
	return max(n, over(files, newest, c.MaxBytes))
}

// soon is how many of files would go if the log were longer by a quarter of
// the bound.
func (c Config) soon(files []stored, newest int64) int {
	return over(files, newest, c.MaxBytes-c.MaxBytes/4)
}

// over is how many of files, the oldest, have to go so that the others keep a
// bound together with the newest; 0 is none.
func over(files []stored, newest, bound int64) (n int) {
	total := newest
	for _, f := range files {
		total += f.size
	}
	for ; bound > 0 && total > bound && n < len(files); n++ {
		total -= files[n].size
	}
	return n
}

// needing lists which of the slaves that have needed lack something of files.
func needing(files []stored, needed []*cluster.GTIDSet) (out []int) {
	if len(files) == 0 {
		return nil
	}
	for i, have := range needed {
		if !have.ContainsSet(files[len(files)-1].after) {
			out = append(out, i)
		}
	}
	return out
}

// deleteOldest takes the oldest file out of the list and then off the disk.
func (l *Log) deleteOldest() (string, error) {
	l.mu.Lock()
	oldest := l.segments[0]
	l.segments, l.trimmed = l.segments[1:], oldest.number
	l.mu.Unlock()
	return oldest.name, l.delete(oldest)
}
