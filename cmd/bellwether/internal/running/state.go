package running

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// HoldState takes the lock of a state directory until release, so that no Bellwether
// begins to act on the nodes. Alone is false where one has it already.
func HoldState(dir string) (alone bool, release func(), err error) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return true, func() {}, nil // no Bellwether has ever run here
	}
	if err != nil {
		return false, nil, fmt.Errorf("open lock of the state directory: %w", err)
	}
	release = func() { _ = lock.Close() }
	switch err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return false, release, nil
	case err != nil:
		return false, nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), lock.Close())
	}
	return true, release, nil
}
