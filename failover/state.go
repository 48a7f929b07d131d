package failover

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/bellwether-db/bellwether/internal/durable"
)

// State is what outlives the process. It is a value; what it points at is not
// changed.
type State struct {
	Format int `json:"format"`
	// Generation is at least that of the last published topology; it never goes
	// back.
	Generation uint64 `json:"generation"`
	// Master is the node's name, "" before the first start was completed.
	Master string `json:"master"`
	// Identity is that of the server which was made master.
	Identity string `json:"identity"`
	// Fenced are the former masters that must be made read-only, and be known to
	// have nothing of their own, before they are used.
	Fenced []Fenced `json:"fenced"`
	// Promotion is the change of master that is not complete yet, nil where none
	// is under way.
	Promotion *Promotion `json:"promotion,omitempty"`
}

// Fenced is a former master that is not used, or a slave that may have more than
// the master. It is a value.
type Fenced struct {
	// Node is the name that it had.
	Node string `json:"node"`
	// Identity of the server, which is not trusted at whatever address it answers.
	Identity string `json:"identity"`
	// Generation in which it ceased to be the master.
	Generation uint64 `json:"generation"`
	// Slave says that it was none, but may have what a failover gave up.
	Slave bool `json:"slave,omitempty"`
}

// Promotion is set together with a new master, and cleared once that one is
// open. It is a value.
type Promotion struct {
	// Kind is "failover" or "switchover".
	Kind string `json:"kind"`
	// From and Identity are those of the master before.
	From     string `json:"from"`
	Identity string `json:"identity"`
	// End is all that was acknowledged when the master before ended, in the
	// servers' notation; "" where slaves followed it by themselves. Whoever
	// becomes master instead must have it.
	End string `json:"end"`
	// Incident is the record's name.
	Incident string `json:"incident"`
}

// Distrusts says whether a node is, or was, a former master that is not used:
// by its name, or by the server that answers at its address.
func (s State) Distrusts(name, identity string) bool {
	return slices.ContainsFunc(s.Fenced, func(f Fenced) bool {
		return f.Node == name || identity != "" && f.Identity == identity
	})
}

// stateFormat is raised when older programs could not read the file rightly.
// Format 1 knew of no promotions, and fenced nodes by their names alone.
const stateFormat = 2

const (
	stateName = "state.json"
	lockName  = "lock"
)

// The errors of the state directory.
var (
	// ErrLocked: another process uses the state directory.
	ErrLocked = errors.New("another bellwether uses this state directory")
	// ErrState: the state file says nothing that can be trusted.
	ErrState = errors.New("the state file cannot be trusted")
)

// stateDir is the locked directory of the state file. It belongs to one
// goroutine. The lock ends with close, or with the process.
type stateDir struct {
	path string
	lock *os.File
}

// openState makes the directory if need be, and locks it.
func openState(path string) (*stateDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock of the state directory: %w", err)
	}
	err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = ErrLocked
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), lock.Close())
	}
	return &stateDir{path: path, lock: lock}, nil
}

// close gives the directory free.
func (d *stateDir) close() error { return d.lock.Close() }

// StateFile returns the name of the file in a state directory that records who
// is master.
func StateFile(dir string) string { return filepath.Join(dir, stateName) }

// Recorded returns what a state directory records, the zero State if there is
// none yet. It only reads, so a running Controller is not disturbed.
//
// A file that is there but cannot be trusted is an error, never a first start:
// a first start would believe the configuration about who is the master.
func Recorded(dir string) (State, error) {
	text, err := os.ReadFile(StateFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("read state: %w", err)
	}
	s, err := parseState(text)
	if err != nil {
		return State{}, fmt.Errorf("read state %s: %w", dir, err)
	}
	return s, nil
}

// parseState reads the formats up to the present one.
func parseState(text []byte) (s State, err error) {
	var old struct {
		Format int      `json:"format"`
		Fenced []string `json:"fenced"`
	}
	if json.Unmarshal(text, &old) == nil && old.Format == 1 {
		var rest struct {
			*State
			Fenced []string `json:"fenced"`
		}
		rest.State = &s
		err = json.Unmarshal(text, &rest)
		for _, name := range old.Fenced {
			s.Fenced = append(s.Fenced, Fenced{Node: name})
		}
		s.Format = stateFormat
	} else {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return State{}, fmt.Errorf("%w: %w", ErrState, err)
	}
	if s.Format != stateFormat || (s.Master == "") != (s.Identity == "") {
		return State{}, fmt.Errorf("format %d, master %q, identity %q: %w", s.Format, s.Master, s.Identity, ErrState)
	}
	return s, nil
}

// load reads the state.
func (d *stateDir) load() (State, error) { return Recorded(d.path) }

// save replaces the state. When it returns nil the new one is on disk; with an
// error, and after a crash, the file holds the old or the new one whole.
func (d *stateDir) save(s State) error {
	s.Format = stateFormat
	if err := durable.WriteJSON(StateFile(d.path), s); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}
