package replicator

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/outcome"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// watchedSink is the stored log; it tells how its disk does, and who wrote what. Its methods of a
// sink are for the goroutine that writes, health is for any.
type watchedSink struct {
	*storedlog.Log
	index *outcome.Index

	mu      sync.Mutex
	waits   time.Time // since when a call of the disk is under way; zero: none
	stored  time.Time // when the last transaction was made durable
	failing error
	mended  time.Time // when a disk that had failed was last seen to do again
	ended   bool      // of the writer: a transaction ended since the last Sync
}

// slowDisk is how long the disk may take before it counts as failing.
const slowDisk = time.Second

// health says why the stored log cannot be written now, "" where it can, and when
// the last transaction was made durable.
func (s *watchedSink) health(now time.Time) (failing string, stored time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch waits := now.Sub(s.waits); {
	case s.failing != nil:
		failing = s.failing.Error()
	case !s.waits.IsZero() && waits > slowDisk:
		failing = fmt.Sprintf("the disk of the stored log has not answered for %v", waits.Round(100*time.Millisecond))
	}
	return failing, s.stored
}

// on watches one call that goes to the disk.
func (s *watchedSink) on(call func() error) error {
	s.mu.Lock()
	s.waits = time.Now()
	s.mu.Unlock()
	err := call()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits, s.failing = time.Time{}, err
	return err
}

// tryAgain finds out whether a disk that failed can be written again; health then
// says so. It is for the goroutine that runs the writer, while that does not run.
func (s *watchedSink) tryAgain() error {
	err := s.on(s.Log.TryDisk)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.mended = time.Now()
	}
	return err
}

// mendedAt is since when a disk does that had failed; zero where none has.
func (s *watchedSink) mendedAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mended
}

// Rotate implements upstream.Sink.
func (s *watchedSink) Rotate(format event.Event) error {
	s.ended = false
	return s.on(func() error { return s.Log.Rotate(format) })
}

// Append implements upstream.Sink. Most of what it is given goes to memory, so
// only its errors are noted.
func (s *watchedSink) Append(e event.Event, m event.Mark) error {
	err := s.Log.Append(e, m)
	switch {
	case err == nil:
		s.index.Appended(e, m)
		if m.Part == event.End {
			s.index.Ended(s.Log.Ended())
			s.ended = true
		}
	case !errors.Is(err, storedlog.ErrOrder) && !errors.Is(err, storedlog.ErrChecksum) && !errors.Is(err, storedlog.ErrInside):
		s.mu.Lock()
		defer s.mu.Unlock()
		s.failing = err
	}
	return err
}

// Harden implements upstream.Sink.
func (s *watchedSink) Harden() error {
	err := s.on(s.Log.Harden)
	if err == nil && s.ended {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended, s.stored = false, time.Now()
	}
	return err
}

// Tidy implements upstream.Sink.
func (s *watchedSink) Tidy() error { return s.on(s.Log.Tidy) }

// Abort implements upstream.Sink.
func (s *watchedSink) Abort() error {
	s.index.Dropped()
	return s.on(s.Log.Abort)
}
