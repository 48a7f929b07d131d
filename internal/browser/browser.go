// Package browser drives a headless Chromium for tests. It speaks the DevTools
// protocol over a pipe, in as much of it as the tests need, so that a browser is
// all that has to be there: no Node.js, and no library of generated calls to
// compile.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// flags have Chromium show nothing, keep nothing, and reach this machine alone.
var flags = [...]string{
	"--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
	"--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update", "--disable-sync",
	"--disable-quic", "--disable-extensions", "--disable-breakpad", "--no-proxy-server",
	"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
}

// Browser is one Chromium that runs. Any number of goroutines may use it.
type Browser struct {
	cmd  *exec.Cmd
	conn *conn
	ends []*os.File // ours of the two pipes
}

// ForTest starts a Chromium that ends with the test, which fails where there is
// none.
func ForTest(t *testing.T) *Browser {
	t.Helper()
	program, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	b, err := Start(program, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close browser: %v", err)
		}
	})
	return b
}

// Start runs a Chromium that keeps its files in a folder. Close ends it.
func Start(program, folder string) (*Browser, error) {
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start browser: %w", err)
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start browser: %w", errors.Join(err, theirIn.Close(), ourOut.Close()))
	}
	cmd := exec.Command(program, append(flags[:], "--user-data-dir="+folder, "about:blank")...)
	cmd.Env = append(os.Environ(), "HOME="+folder, "XDG_CONFIG_HOME="+folder, "XDG_CACHE_HOME="+folder)
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4 there
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = cmd.Start()
	_, _ = theirIn.Close(), theirOut.Close() // the child has its own
	if err != nil {
		return nil, fmt.Errorf("start browser %s: %w", program, errors.Join(err, ourIn.Close(), ourOut.Close()))
	}
	return &Browser{cmd: cmd, conn: newConn(ourIn, ourOut), ends: []*os.File{ourIn, ourOut}}, nil
}

// closeTimeout is how long Chromium may take to end by itself.
const closeTimeout = 5 * time.Second

// Close ends Chromium and all its processes, and waits until they have.
func (b *Browser) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	// One that does not answer is killed below.
	_ = b.conn.call(ctx, "", "Browser.close", nil, nil)
	kill := time.AfterFunc(closeTimeout, b.kill)
	_ = b.cmd.Wait() // how it ends does not matter, only that it does
	kill.Stop()
	b.kill() // what it may have left of its processes
	_, _ = b.ends[0].Close(), b.ends[1].Close()
	b.conn.wait()
	return nil
}

func (b *Browser) kill() { _ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL) }
