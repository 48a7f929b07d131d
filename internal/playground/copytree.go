package playground

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// copyTree copies a folder of plain files and folders to a new folder, which
// appears under its name only when it is whole.
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
	return copySparse(out, in)
}

// copySparse leaves holes where a block is zero: most of a fresh server's files
// are, and its first fsync would have to write all of it to the disk.
func copySparse(out, in *os.File) error {
	block, zero := make([]byte, 16<<10), make([]byte, 16<<10)
	var size int64
	for {
		n, err := io.ReadFull(in, block)
		if n > 0 && !bytes.Equal(block[:n], zero[:n]) {
			if _, err := out.WriteAt(block[:n], size); err != nil {
				return err
			}
		}
		size += int64(n)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return out.Truncate(size)
		}
		if err != nil {
			return err
		}
	}
}
