package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/config"
)

// configuration is the file that the house runs on, for those who change it while
// it does. It is safe for concurrent use, once the house is built.
type configuration struct {
	house *house
	// key keeps a version from telling anything about the secrets in the file.
	key [sha256.Size]byte

	changing sync.Mutex // one change after the other
}

var _ admin.Configuration = (*configuration)(nil)

func newConfiguration(h *house) *configuration {
	c := &configuration{house: h}
	_, _ = rand.Read(c.key[:]) // it never fails
	return c
}

// version is what a text is known by, secrets included.
func (c *configuration) version(text []byte) string {
	mac := hmac.New(sha256.New, c.key[:])
	_, _ = mac.Write(text) // it never fails
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// Show implements admin.Configuration.
func (c *configuration) Show() (admin.ShownConfiguration, error) {
	running, loaded := c.house.runningSince()
	shown := admin.ShownConfiguration{Path: running.Path(), Loaded: loaded.UTC()}
	text, err := config.Redact(running.Source())
	if err != nil {
		return shown, err
	}
	now, err := os.ReadFile(running.Path())
	if err != nil {
		return shown, fmt.Errorf("read configuration: %w", err)
	}
	shown.Text, shown.Version, shown.FileDiffers = string(text), c.version(now), !bytes.Equal(now, running.Source())
	return shown, nil
}

// Examine implements admin.Configuration.
func (c *configuration) Examine(text string) (admin.Examined, error) {
	running := c.house.running()
	source := []byte(text)
	if text == "" {
		var err error
		if source, err = os.ReadFile(running.Path()); err != nil {
			return admin.Examined{}, fmt.Errorf("read configuration: %w", err)
		}
	}
	changes, err := c.examine(running, source)
	var problems config.Problems
	if err != nil && !errors.As(err, &problems) {
		return admin.Examined{}, err
	}
	out := admin.Examined{Valid: err == nil}
	for _, p := range problems {
		key, says := p.Key()
		out.Problems = append(out.Problems, admin.ConfigurationProblem{Line: p.Line, Key: key, Says: says})
	}
	for _, change := range changes {
		out.Changes = append(out.Changes, described(change))
	}
	return out, nil
}

// examine reads a text as it would be read from the file, and says what it would
// change.
func (c *configuration) examine(running *config.File, text []byte) ([]config.Change, error) {
	whole, err := config.Restore(running.Path(), text, running.Source())
	if err != nil {
		return nil, err
	}
	next, err := config.Read(running.Path(), whole)
	if err != nil {
		return nil, err
	}
	return config.Diff(running, next), nil
}

// described is a change in words, with what it takes.
func described(change config.Change) string {
	switch {
	case change.Restart:
		return change.Text + " (needs a restart)"
	case change.Ignored:
		return change.Text + " (has no effect)"
	}
	return change.Text
}

// Replace implements admin.Configuration.
func (c *configuration) Replace(text, version string) ([]string, error) {
	return c.change(func(running *config.File, now []byte) ([]byte, error) {
		if c.version(now) != version {
			return nil, fmt.Errorf("%s: %w", running.Path(), admin.ErrStale)
		}
		next, err := config.Restore(running.Path(), []byte(text), running.Source(), now)
		if err != nil {
			return nil, err
		}
		if err := keepBefore(running.Path(), now); err != nil {
			return nil, err
		}
		return next, nil
	})
}

// keepBefore keeps the text that is about to be replaced beside it.
func keepBefore(path string, text []byte) error {
	info, err := os.Stat(path)
	if err == nil {
		err = os.WriteFile(path+".before", text, info.Mode().Perm())
	}
	if err != nil {
		return fmt.Errorf("keep the configuration that is there: %w", err)
	}
	return nil
}

// edit changes something in the file, which must be what runs.
func (c *configuration) edit(change func(path string, now []byte) ([]byte, error)) error {
	_, err := c.change(func(running *config.File, now []byte) ([]byte, error) {
		if !bytes.Equal(now, running.Source()) {
			return nil, fmt.Errorf("%s has changes that were not read yet: reload first, or take them back", running.Path())
		}
		return change(running.Path(), now)
	})
	return err
}

// change writes the file and has it read, whole or not at all: a file that is
// refused is put back.
func (c *configuration) change(next func(running *config.File, now []byte) ([]byte, error)) ([]string, error) {
	c.changing.Lock()
	defer c.changing.Unlock()
	running := c.house.running()
	now, err := os.ReadFile(running.Path())
	if err != nil {
		return nil, fmt.Errorf("%w: read configuration: %w", admin.ErrRefused, err)
	}
	text, err := next(running, now)
	if errors.Is(err, admin.ErrStale) {
		return nil, err
	}
	if err == nil {
		err = restartless(running, text)
	}
	if err == nil {
		err = replaceFile(running.Path(), text)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", admin.ErrRefused, err)
	}
	changes, err := c.house.reloadChanges()
	if err == nil {
		return changes, nil
	}
	if back := replaceFile(running.Path(), now); back != nil {
		return nil, fmt.Errorf("%w; and the file could not be put back: %w", err, back)
	}
	return nil, fmt.Errorf("%w: %w; %s is as it was", admin.ErrRefused, err, running.Path())
}

// restartless refuses a text that could not be taken over before it is written.
func restartless(running *config.File, text []byte) error {
	next, err := config.Read(running.Path(), text)
	if err != nil {
		return err
	}
	var late []string
	for _, change := range config.Diff(running, next) {
		if change.Restart {
			late = append(late, change.Text)
		}
	}
	if len(late) > 0 {
		return fmt.Errorf("it needs a restart: %s", strings.Join(late, "; "))
	}
	return nil
}
