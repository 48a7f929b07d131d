//go:build chaos

package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// diskShim builds what makes a server's disk stop or fill; see testdata/disk.c.
func diskShim(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.so")
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-O2", "-o", path, "testdata/disk.c", "-ldl").CombinedOutput(); err != nil {
		t.Fatalf("build disk.so (it needs a C compiler: apt install build-essential): %v\n%s", err, out)
	}
	return path
}

// logDisk is how large the disk of the product is in tests of a full one.
const logDisk = 256 << 20

// smallDisk puts the product's folder on a disk of its own. It needs to be root.
func smallDisk(t *testing.T, folder string) {
	t.Helper()
	err := os.MkdirAll(folder, 0o700)
	if err == nil {
		err = unix.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", logDisk))
	}
	if err != nil {
		t.Fatalf("mount a small disk for the stored log (run as root, or leave these faults out with FAULTS): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

func (r *trial) filler() string { return filepath.Join(r.state(), "filler") }

// fillLog leaves no room to the stored log for three seconds.
func fillLog(r *trial) error {
	file, err := os.Create(r.filler())
	if err != nil {
		return err
	}
	defer file.Close()
	block := bytes.Repeat([]byte{1}, 1<<20)
	for size := len(block); size > 0; size /= 2 {
		for err == nil {
			_, err = file.Write(block[:size])
		}
		err = nil
	}
	r.pause(3 * time.Second)
	return nil
}

func emptyLog(r *trial) error { return os.Remove(r.filler()) }

func onDisk(flag string) func(*trial) error {
	return func(r *trial) error { return raise(r.master, flag) }
}

func raise(n *playground.Node, flag string) error {
	return os.WriteFile(filepath.Join(n.Dir(), flag), nil, 0o600)
}

// mendDisk lets a server write again; it is killed and started, since a server
// looks only once a minute whether there is room again.
func mendDisk(flag string) func(*trial) error {
	return func(r *trial) error { return r.lower(r.master, flag) }
}

func (r *trial) lower(n *playground.Node, flag string) error {
	if err := os.Remove(filepath.Join(n.Dir(), flag)); err != nil {
		return err
	}
	if n.PID() != 0 {
		if err := n.Kill(); err != nil {
			return err
		}
	}
	return r.begin(n)
}

func onSlaveDisk(r *trial) error   { return raise(r.slave(), "disk-full") }
func mendSlaveDisk(r *trial) error { return r.lower(r.slave(), "disk-full") }

// slowDisk makes each flush take long, for five seconds: a slow server is not
// dead.
func slowDisk(r *trial) error {
	err := raise(r.master, "disk-slow")
	r.pause(5 * time.Second)
	return err
}

func mendSlowDisk(r *trial) error { return os.Remove(filepath.Join(r.master.Dir(), "disk-slow")) }

// fillLogAndKill has the master die while the stored log can take nothing more.
func fillLogAndKill(r *trial) error {
	if err := fillLog(r); err != nil {
		return err
	}
	err := r.master.Kill()
	r.pause(2 * time.Second)
	return err
}

func emptyLogAndStart(r *trial) error {
	if err := emptyLog(r); err != nil {
		return err
	}
	if err := r.serves(warm, serveAgain); err != nil {
		return fmt.Errorf("after the disk has room again: %w", err)
	}
	return r.begin(r.master)
}
