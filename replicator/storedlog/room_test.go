package storedlog

import (
	"errors"
	"log/slog"
	"slices"
	"syscall"
	"testing"
)

// A disk that has no room says so, and says when it has room again; nothing is
// left of the try.
func TestTryDisk(t *testing.T) {
	d := newMemDisk()
	l, err := open(Config{FileSize: 1 << 20}, d, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	full := true
	d.fault = func(op string) error {
		if full && op == "write" {
			return syscall.ENOSPC
		}
		return nil
	}
	if err := l.TryDisk(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: %v", err)
	}
	full = false
	if err := l.TryDisk(); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if names, err := d.list(); err != nil || slices.Contains(names, tryName) {
		t.Errorf("left behind: %q, %v", names, err)
	}
}
