package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/running"
	"github.com/bellwether-db/bellwether/internal/durable"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// writeWhole makes a file appear with its whole content, for the owner only.
func writeWhole(path, content string) error {
	if err := durable.WriteFile(path, []byte(content)); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// demoRecord is what a demo's folder remembers for the next demo in it.
type demoRecord struct {
	Flavour  string `json:"flavour"`
	Password string `json:"password"`
	Token    string `json:"token"`
}

// recall reads the folder's record, or makes up a new one.
func (d demoFolder) recall() (demoRecord, error) {
	content, err := os.ReadFile(d.record())
	if errors.Is(err, fs.ErrNotExist) {
		return demoRecord{Password: strings.ToLower(rand.Text()[:16]), Token: rand.Text()}, nil
	}
	var record demoRecord
	if err == nil {
		err = json.Unmarshal(content, &record)
	}
	if err != nil {
		return record, fmt.Errorf("read what an earlier demo left: %w", err)
	}
	return record, nil
}

// remember stores the record with the flavour that was chosen.
func (d *demoRun) remember(flavour playground.Flavour) error {
	d.record.Flavour = flavour.String()
	content, err := json.MarshalIndent(d.record, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the demo's record: %w", err)
	}
	return writeWhole(d.folder.record(), string(content)+"\n")
}

// shareToken has Bellwether take the token that the demo tells.
func (d *demoRun) shareToken() error {
	if d.record.Token == "" {
		return nil // nobody is told one
	}
	if err := os.MkdirAll(d.folder.state(), 0o700); err != nil {
		return fmt.Errorf("make state_dir: %w", err)
	}
	return writeWhole(running.TokenFile(d.folder.state()), d.record.Token+"\n")
}

// settings are lines KEY=value in a fixed order.
type settings struct{ text strings.Builder }

func (s *settings) add(key string, value any) { fmt.Fprintf(&s.text, "%s=%v\n", key, value) }
