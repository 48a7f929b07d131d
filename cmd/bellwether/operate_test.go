package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/bellwether-db/bellwether/wire"
)

// heldState keeps others from starting on a state directory until the test ends.
func heldState(t *testing.T, dir string) {
	t.Helper()
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Close() })
}

// The command line finds the Bellwether that runs on its file, with TLS whose
// certificate is for no name, and says what came of an order.
func TestCommandsOverTLS(t *testing.T) {
	shown := t.TempDir()
	if _, _, err := wire.LoadOrMakeCertificate(shown); err != nil {
		t.Fatal(err)
	}
	h := built(t, strings.Replace(two, `admin: {listen: "127.0.0.1:0"}`, `admin: {listen: "`+freePort(t)+`", tls: {certificate: "`+shown+`/server-cert.pem", key: "`+shown+`/server-key.pem"}}`, 1))
	heldState(t, h.config.StateDir)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.admin.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"drain", "b", "on"}, 0, ""},
		{[]string{"maintenance", "b", "on"}, 0, ""},
		{[]string{"maintenance", "none", "on"}, exitFailure, "there is no node none"},
		{[]string{"switchover", "--dry-run"}, exitFailure, "REFUSED"},
		{[]string{"switchover"}, exitFailure, "switchover refused, nothing has changed"},
	} {
		code, stdout, stderr := command(t.Context(), append(c.args, "-c", h.config.Path())...)
		if code != c.code || !strings.Contains(stdout+stderr, c.says) {
			t.Errorf("%v: %d, want %d\n%s%s", c.args, code, c.code, stdout, stderr)
		}
	}
	if n := h.store.Load().Nodes[1]; !n.Drain || !n.Maintenance {
		t.Errorf("%+v", n)
	}
	// Another certificate than the file's is nobody's whom the token is for.
	if _, _, err := wire.LoadOrMakeCertificate(h.config.StateDir); err != nil {
		t.Fatal(err)
	}
	rewrite(t, h, strings.ReplaceAll(string(h.config.Source()), shown, h.config.StateDir))
	if code, _, stderr := command(t.Context(), "drain", "b", "off", "-c", h.config.Path()); code != exitFailure || !strings.Contains(stderr, "if that was renewed, reload") {
		t.Errorf("%d %s", code, stderr)
	}
}
