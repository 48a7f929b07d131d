//go:build !linux

package storedlog

import "os"

// forget cannot drop the kernel's memory of a file here; what follows reads
// the same bytes as any other process.
func (f plainFile) forget() error { return nil }

func (f plainFile) syncData() error { return f.Sync() }

// lock does not keep other processes away here.
func lock(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) }
