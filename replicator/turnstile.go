package replicator

import (
	"context"
	"sync"
)

// turnstile lets one at a time act on a node, by its name; any number of
// goroutines. The zero value is ready.
type turnstile struct {
	mu     sync.Mutex
	inside map[string]chan struct{} // closed by who is inside, at the end
}

// enter waits for its turn at the node; whoever got it calls leave.
func (t *turnstile) enter(ctx context.Context, name string) (leave func(), err error) {
	for {
		t.mu.Lock()
		busy := t.inside[name]
		if busy == nil {
			defer t.mu.Unlock()
			return t.taken(name), nil
		}
		t.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// taken is called with the lock held.
func (t *turnstile) taken(name string) (leave func()) {
	if t.inside == nil {
		t.inside = map[string]chan struct{}{}
	}
	done := make(chan struct{})
	t.inside[name] = done
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.inside, name)
		close(done)
	}
}
