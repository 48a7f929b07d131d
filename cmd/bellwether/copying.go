package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// copying is the file that names the nodes which a copy has put in maintenance,
// and has not given back yet: who goes on with a copy that broke off gives them
// back, and leaves those in maintenance that somebody else wants there. One copy
// at a time uses it.
type copying string

func copyingIn(stateDir string) copying { return copying(filepath.Join(stateDir, "copying.json")) }

// names reports whether a copy has put the node in maintenance.
func (c copying) names(node string) (bool, error) {
	all, err := c.read()
	return slices.Contains(all, node), err
}

// set names a node, or no longer.
func (c copying) set(node string, named bool) error {
	all, err := c.read()
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(other string) bool { return other == node })
	if named {
		all = append(all, node)
	}
	text, err := json.Marshal(all)
	if err == nil {
		err = writeWhole(string(c), string(text)+"\n")
	}
	if err != nil {
		return fmt.Errorf("write down what is copied: %w", err)
	}
	return nil
}

func (c copying) read() (nodes []string, err error) {
	text, err := os.ReadFile(string(c))
	if err == nil {
		err = json.Unmarshal(text, &nodes)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read what was copied: %w", err)
	}
	return nodes, nil
}
