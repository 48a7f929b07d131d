package storedlog

import (
	"errors"
	"fmt"
)

// tryName is a file that is only there while the disk is tried, tryBytes how long
// it is.
const (
	tryName  = "try"
	tryBytes = 1 << 20
)

// TryDisk writes a megabyte beside the log, makes it durable and takes it away: so
// it is known that the disk can be written again when nothing is there to be
// stored, because the master is gone, say. One goroutine at a time.
func (l *Log) TryDisk() (err error) {
	if err := l.disk.remove(tryName); err != nil {
		return fmt.Errorf("try the disk: %w", err)
	}
	f, err := l.disk.create(tryName)
	if err != nil {
		return fmt.Errorf("try the disk: %w", err)
	}
	_, err = f.WriteAt(make([]byte, tryBytes), 0)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close(), l.disk.remove(tryName)); err != nil {
		return fmt.Errorf("try the disk: %w", err)
	}
	return nil
}
