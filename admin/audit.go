package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"
)

// entry is a line of the audit: one change, and how it ended.
type entry struct {
	Time     time.Time `json:"time"`
	Caller   string    `json:"caller"`
	Role     string    `json:"role"`
	From     string    `json:"from"`
	Call     string    `json:"call"` // empty: no change was tried
	Database string    `json:"database,omitempty"`
	Table    string    `json:"table,omitempty"`
	// Node is the one node that alone was to be changed; "" for the cluster.
	Node string `json:"node,omitempty"`
	// Statement is what was sent to the database, without bound values.
	Statement string `json:"statement,omitempty"`
	Status    int    `json:"status"`
	Outcome   string `json:"outcome"`
	Affected  int64  `json:"affected,omitempty"`
	Millis    int64  `json:"millis"`
}

// statementShown is how much of a statement the audit keeps.
const statementShown = 4 << 10

// audited writes a change down, with how it ended.
func (s *Server) audited(c *call, p *problem, begun time.Time) {
	e := &c.done
	e.Time, e.Caller, e.Role, e.From = begun.UTC(), c.who.name, c.who.role.String(), c.who.from
	e.Status, e.Outcome, e.Millis = http.StatusOK, "done", time.Since(begun).Milliseconds()
	if p != nil {
		e.Status, e.Outcome = p.Status, p.Title+": "+p.Detail
	}
	if len(e.Statement) > statementShown {
		e.Statement = e.Statement[:statementShown] + "..."
	}
	if err := s.audit.write(e); err != nil {
		s.parts.Logger.Error("the audit was not written", "call", e.Call, "caller", e.Caller, "from", e.From, "outcome", e.Outcome, "error", err)
	}
}

// auditLimit is how large the audit's file gets; the one before it is kept.
const auditLimit = 64 << 20

// auditFile appends lines to a file. Any number of goroutines may use it; its
// zero value writes nowhere.
type auditFile struct {
	mu   sync.Mutex
	path string
	file *os.File
	size int64
}

// open takes the file; "" is none.
func (a *auditFile) open(path string) error {
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open audit: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("open audit: %w", err)
	}
	a.path, a.file, a.size = path, file, info.Size()
	return nil
}

func (a *auditFile) write(e *entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode audit: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return nil
	}
	if a.size > auditLimit {
		if err := a.turn(); err != nil {
			return err
		}
	}
	n, err := a.file.Write(append(line, '\n'))
	a.size += int64(n)
	return err
}

// turn begins a new file and keeps the full one beside it.
func (a *auditFile) turn() error {
	if err := os.Rename(a.path, a.path+".1"); err != nil {
		return fmt.Errorf("turn audit: %w", err)
	}
	full := a.file
	if err := a.open(a.path); err != nil {
		return err
	}
	return full.Close()
}

func (a *auditFile) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return nil
	}
	err := a.file.Close()
	a.file = nil
	return err
}
