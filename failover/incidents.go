package failover

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/internal/durable"
)

// incidentsKept is how many records there are at most.
const incidentsKept = 100

// incidentsName is their folder in the state directory.
const incidentsName = "incidents"

// incidents is the history, on disk and in memory. It is safe for concurrent use.
type incidents struct {
	dir     string
	writing sync.Mutex // one file after the other

	mu   sync.Mutex
	list []Incident // the oldest first
	last string     // the name that was last given
}

// openIncidents reads the history. A record that cannot be read is passed over:
// nothing depends on it.
func openIncidents(stateDir string) (*incidents, error) {
	h := &incidents{dir: filepath.Join(stateDir, incidentsName)}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of incidents: %w", err)
	}
	list, err := ReadIncidents(stateDir)
	h.list = list
	return h, err
}

// ReadIncidents returns the records of a state directory, the oldest first. It
// only reads.
func ReadIncidents(stateDir string) ([]Incident, error) {
	dir := filepath.Join(stateDir, incidentsName)
	files, err := os.ReadDir(dir) // sorted, and so are the names
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read incidents: %w", err)
	}
	var list []Incident
	for _, f := range files {
		var i Incident
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err == nil && strings.HasSuffix(f.Name(), ".json") && json.Unmarshal(text, &i) == nil && i.ID+".json" == f.Name() {
			list = append(list, i)
		}
	}
	return list, nil
}

// name returns a name for an incident that begins now: later ones sort behind.
func (h *incidents) name(now time.Time, kind string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := ""
	for taken := true; taken; now = now.Add(time.Millisecond) {
		id = now.UTC().Format("20060102T150405.000") + "-" + kind
		taken = id <= h.last || slices.ContainsFunc(h.list, func(i Incident) bool { return i.ID >= id })
	}
	h.last = id
	return id
}

// keep makes an incident durable, as the list tells it, and drops the oldest
// ones. Any goroutine may call it: what is older never comes last.
func (h *incidents) keep(id string) error {
	h.writing.Lock()
	defer h.writing.Unlock()
	i, ok := h.find(id)
	if !ok {
		return nil // it was dropped
	}
	if err := durable.WriteJSON(filepath.Join(h.dir, i.ID+".json"), i); err != nil {
		return fmt.Errorf("write incident: %w", err)
	}
	return h.prune()
}

// show has the list tell an incident as it is now.
func (h *incidents) show(i Incident) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := slices.IndexFunc(h.list, func(o Incident) bool { return o.ID == i.ID })
	if at < 0 {
		h.list = append(h.list, i)
		return
	}
	h.list[at] = i
}

func (h *incidents) prune() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.list) > incidentsKept {
		err := os.Remove(filepath.Join(h.dir, h.list[0].ID+".json"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("drop an old incident: %w", err)
		}
		h.list = h.list[1:]
	}
	return nil
}

// all returns the list, the oldest first.
func (h *incidents) all() []Incident {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.list)
}

// find returns one by its name.
func (h *incidents) find(id string) (Incident, bool) {
	for _, i := range h.all() {
		if i.ID == id {
			return i, true
		}
	}
	return Incident{}, false
}
