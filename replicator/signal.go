package replicator

import "sync"

// signal wakes everybody who waits for a change; any number of goroutines. The
// zero value is ready.
type signal struct {
	mu   sync.Mutex
	next chan struct{}
}

// wait returns what the next send closes. Take it before looking at what may
// change, so that no change is missed.
func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = make(chan struct{})
	}
	return s.next
}

func (s *signal) send() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != nil {
		close(s.next)
		s.next = nil
	}
}
