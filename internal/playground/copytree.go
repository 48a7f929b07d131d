package playground

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// copyTree copies a folder of plain files and folders to a new folder, which
// appears under its name only when it is whole. (Files are copied by the
// kernel, without their bytes passing through here, where it can.)
func copyTree(from, to string) error {
	work := to + ".new"
	if err := os.RemoveAll(work); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	if err := filepath.WalkDir(from, copyInto(from, work)); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return os.Rename(work, to)
}

func copyInto(from, to string) fs.WalkDirFunc {
	return func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, below)
		switch {
		case entry.IsDir():
			return os.Mkdir(target, 0o700)
		case entry.Type().IsRegular():
			return copyFile(path, target)
		default:
			return nil // a leftover socket
		}
	}
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
