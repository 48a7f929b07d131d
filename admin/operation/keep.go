package operation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/internal/durable"
)

// diary is the file in which orders are kept: what was ordered outlives the
// process. Its zero value keeps nothing. It is safe for concurrent use.
type diary struct {
	mu   sync.Mutex
	path string
	lost func(error)
}

// Keep takes over the orders of a file, and keeps them there from now on: each as
// it begins and as it ends. One that was under way in another process is
// interrupted. lost is told of a file that cannot be read or written, which stops
// no order: it is a diary, and no state. Call Keep once, before Run.
func (r *Runner) Keep(path string, lost func(error)) {
	text, err := os.ReadFile(path)
	var records []Record
	if err == nil {
		err = json.Unmarshal(text, &records)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		lost(fmt.Errorf("read the operations of before: %w", err))
	}
	r.takeOver(records)
	r.diary.mu.Lock()
	r.diary.path, r.diary.lost = path, lost
	r.diary.mu.Unlock()
	if len(records) > 0 {
		r.note()
	}
}

// takeOver remembers the orders of another process, the oldest first.
func (r *Runner) takeOver(records []Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, record := range records {
		if record.State == StateRunning {
			interrupt(&record, "Bellwether ended meanwhile")
		}
		r.orders = append(r.orders, &order{record: record})
		r.last = max(r.last, record.ID[:min(len(record.ID), idTime)])
	}
}

// interrupt ends an order of which nobody knows more than that it was under way.
func interrupt(record *Record, why string) {
	now := time.Now().UTC()
	record.State, record.Ended, record.Cancellable = StateInterrupted, &now, false
	record.Says = why + "; what was done until then stays done: look at the nodes and at the incidents. It was at: " + record.Says
}

// note writes all orders down as they are now.
func (r *Runner) note() {
	r.diary.mu.Lock()
	defer r.diary.mu.Unlock()
	if r.diary.path == "" {
		return
	}
	records, _ := r.Records()          // within the lock, so that the last writer has the latest
	text, err := json.Marshal(records) // results come back byte for byte
	if err == nil {
		err = durable.WriteFile(r.diary.path, append(text, '\n'))
	}
	if err != nil {
		r.diary.lost(fmt.Errorf("keep the operations: %w", err))
	}
}
