// Package durable replaces small files of a folder that only their owner may read,
// so that a crash, of the process or of the machine, leaves the old content or the
// new one. It knows nothing of what is in them.
package durable

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteFile gives a file this content, with mode 0600. When it returns nil the
// content is on disk, and so is the name; with an error, or where it never
// returned, the file is what it was, or has the new content whole. Of two that
// write at the same time one is last.
func WriteFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return SyncFolder(filepath.Dir(path))
}

// WriteJSON is WriteFile with a value as JSON that people can read.
func WriteJSON(path string, value any) error {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	return WriteFile(path, append(content, '\n'))
}

// SyncFolder has the names in a folder outlive a crash of the machine: what was
// created, renamed or removed there until now.
func SyncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}
