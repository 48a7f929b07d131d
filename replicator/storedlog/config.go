package storedlog

import (
	"errors"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Config says where a log is and how much of it is kept. It is a value.
type Config struct {
	// Dir holds the log's files and nothing else; it is made where it is
	// missing.
	Dir string
	// Flavour of the servers; required.
	Flavour cluster.Flavour
	// ServerID is ours; it stands in the events that the log itself writes.
	ServerID uint32
	// FileSize is the length at which a new file begins, in bytes; a
	// transaction is never divided. 0: 256 MiB.
	FileSize int64
	// MaxBytes bounds the files together; 0: no bound. The bound wins over
	// what slaves still need. The file that is being written is never deleted.
	MaxBytes int64
	// MaxAge is how long a file is kept that no slave needs; 0: without end.
	MaxAge time.Duration
	// Key encrypts new files (AES-256); 32 bytes, or nil for plain files. Files
	// that are encrypted already need the same key.
	Key []byte
}

const defaultFileSize = 256 << 20

func (c Config) withDefaults() (Config, error) {
	if c.FileSize == 0 {
		c.FileSize = defaultFileSize
	}
	switch {
	case c.Dir == "":
		return c, errors.New("open stored log: no folder is named")
	case c.Flavour == cluster.FlavourUnknown:
		return c, errors.New("open stored log: no flavour is named")
	case c.FileSize < 0 || c.MaxBytes < 0 || c.MaxAge < 0:
		return c, errors.New("open stored log: a negative size or age")
	case c.Key != nil && len(c.Key) != 32:
		return c, fmt.Errorf("open stored log: a key of %d bytes, not 32: %w", len(c.Key), ErrKey)
	}
	return c, nil
}
