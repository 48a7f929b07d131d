package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	// Node is the one that the change is about; "" for the cluster.
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
	e.Millis = time.Since(begun).Milliseconds()
	if e.Status = c.status(); e.Outcome == "" {
		e.Outcome = "done"
	}
	if p != nil {
		e.Status, e.Outcome = p.Status, p.Title+": "+p.Detail
	}
	if len(e.Statement) > statementShown {
		e.Statement = e.Statement[:statementShown] + "..."
	}
	s.note(e)
}

// note writes a line of the audit.
func (s *Server) note(e *entry) {
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

// auditTail is how much of the file's end is read for a reader.
const auditTail = 4 << 20

// latest returns up to n of the last lines, the newest last.
func (a *auditFile) latest(n int) ([]entry, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := []entry{}
	if a.path == "" {
		return out, nil
	}
	for _, path := range []string{a.path, a.path + ".1"} {
		lines, err := tail(path, n-len(out))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if out = append(lines, out...); len(out) == n {
			break
		}
	}
	return out, nil
}

// tail returns up to n of a file's last lines. What is no entry, as what a crash
// leaves, is passed over.
func tail(path string, n int) ([]entry, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	from := max(0, info.Size()-auditTail)
	text, err := io.ReadAll(io.NewSectionReader(file, from, info.Size()-from))
	if err != nil {
		return nil, fmt.Errorf("read audit: %w", err)
	}
	var out []entry
	for line := range bytes.Lines(text) {
		var e entry
		if json.Unmarshal(line, &e) == nil {
			out = append(out, e)
		}
	}
	return out[max(0, len(out)-n):], nil
}
