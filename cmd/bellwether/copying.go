package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/bellwether-db/bellwether/internal/durable"
)

// copying is the file that names the nodes which a copy has put in maintenance,
// and has not given back yet: who goes on with a copy that broke off gives them
// back, and leaves those in maintenance that somebody else wants there. It is safe
// for concurrent use.
type copying struct {
	path string
	mu   sync.Mutex
}

func copyingIn(stateDir string) *copying {
	return &copying{path: filepath.Join(stateDir, "copying.json")}
}

// change has f say which nodes are named from now on, and what else comes of that:
// nobody else changes it meanwhile. With an error of f nothing is written.
func (c *copying) change(f func(nodes []string) ([]string, error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, err := c.read()
	if err != nil {
		return err
	}
	next, err := f(slices.Clone(now))
	if err != nil || slices.Equal(next, now) {
		return err
	}
	if err := durable.WriteJSON(c.path, next); err != nil {
		return fmt.Errorf("write down what is copied: %w", err)
	}
	return nil
}

func (c *copying) read() (nodes []string, err error) {
	text, err := os.ReadFile(c.path)
	if err == nil {
		err = json.Unmarshal(text, &nodes)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read what was copied: %w", err)
	}
	return nodes, nil
}

// without are the nodes but one.
func without(nodes []string, node string) []string {
	return slices.DeleteFunc(nodes, func(other string) bool { return other == node })
}
