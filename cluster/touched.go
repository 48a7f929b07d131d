package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"time"

	"github.com/bellwether-db/bellwether/internal/durable"
)

// ErrUndecided is returned where it matters who is the master, and nobody is at
// this moment.
var ErrUndecided = errors.New("there is no master at this moment")

// touch is what was changed on a node by hand. It is a value.
type touch struct {
	Since time.Time `json:"since"`
	Last  time.Time `json:"last"`
	Times int       `json:"times"`
	What  string    `json:"what"` // the last one, without values
}

// String says it for people.
func (t touch) String() string {
	last := t.Last.UTC().Format(time.RFC3339)
	if t.Times == 1 {
		return fmt.Sprintf("changed by hand at %s: %s", last, t.What)
	}
	return fmt.Sprintf("changed by hand %d times since %s, at last at %s: %s", t.Times, t.Since.UTC().Format(time.RFC3339), last, t.What)
}

// touches are the nodes that were changed by hand, by name. A node that is taken
// out of the configuration and comes back is still touched. The registry's lock
// is over it; its zero value keeps nothing on disk.
type touches struct {
	path   string
	nodes  map[string]touch
	counts map[string]uint64 // grows where a change begins and where it ends
}

// says is what Node.Touched holds.
func (t *touches) says(name string) string {
	if touched, ok := t.nodes[name]; ok {
		return touched.String()
	}
	return ""
}

// step counts a beginning, or an end.
func (t *touches) step(name string) {
	if t.counts == nil {
		t.counts = map[string]uint64{}
	}
	t.counts[name]++
}

// KeepTouched has the registry keep in a file which nodes were changed by hand,
// and takes over what is there. Call it once, behind the first Apply.
func (r *Registry) KeepTouched(path string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	nodes := map[string]touch{}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &nodes)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read which nodes were changed by hand: %w", err)
	}
	r.touched.path, r.touched.nodes = path, nodes
	_, err = r.store.Register(func(d *RegisterDraft) error {
		for _, n := range d.Nodes() {
			d.touch(n.Name, r.touched.says(n.Name))
		}
		return nil
	})
	return err
}

// Touch marks a slave as changed by hand, durably, before that is done: what is
// done, without values. Call done once nothing can come of the change any more.
// The mark is ErrIsMaster on the master and ErrUndecided while there is none:
// no node can be both promoted and touched.
func (r *Registry) Touch(name, what string) (done func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err = r.store.Register(func(d *RegisterDraft) error {
		switch i := d.next.Find(name); {
		case i < 0:
			return ErrNoNode
		case d.next.MasterNode() == nil:
			return ErrUndecided
		case i == d.next.Master:
			return ErrIsMaster
		}
		now := time.Now().Round(0)
		t := r.touched.nodes[name]
		if t.Times == 0 {
			t.Since = now
		}
		t.Last, t.What, t.Times = now, what, t.Times+1
		if err := r.keepTouch(name, &t); err != nil {
			return err
		}
		d.touch(name, t.String())
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("mark %s as changed by hand: %w", name, err)
	}
	r.touched.step(name)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.touched.step(name)
	}, nil
}

// Examine is called before a node is compared with the master, or made a copy of
// it. What it returns is called where the node was found to be equal, or is a
// copy: it takes the mark away, unless something was changed by hand meanwhile,
// and reports whether the node has none now.
func (r *Registry) Examine(name string) (equal func() (clear bool, err error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.touched.counts[name]
	return func() (bool, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if _, touched := r.touched.nodes[name]; !touched {
			return true, nil
		}
		if r.touched.counts[name] != before {
			return false, nil
		}
		_, err := r.store.Register(func(d *RegisterDraft) error {
			d.touch(name, "")
			return r.keepTouch(name, nil)
		})
		if err != nil {
			return false, fmt.Errorf("clear the mark of %s: %w", name, err)
		}
		return true, nil
	}
}

// Untouch takes a node's mark out of a registry's file, while no Bellwether runs on
// it: for who has made the node a copy of the master.
func Untouch(path, name string) error {
	r := NewRegistry(NewStore(&Topology{}))
	if err := r.KeepTouched(path); err != nil {
		return err
	}
	_, err := r.Examine(name)()
	return err
}

// touch has the topology say so.
func (d *RegisterDraft) touch(name, says string) {
	if i := d.next.Find(name); i >= 0 {
		d.next.Nodes[i].Touched = says
	}
}

// keepTouch writes the marks, with this one or, with nil, without it.
func (r *Registry) keepTouch(name string, t *touch) error {
	next := map[string]touch{}
	maps.Copy(next, r.touched.nodes)
	delete(next, name)
	if t != nil {
		next[name] = *t
	}
	if r.touched.path != "" {
		if err := durable.WriteJSON(r.touched.path, next); err != nil {
			return err
		}
	}
	r.touched.nodes = next
	return nil
}
