package acceptance

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// suite holds what the tests share: the binary and one world for each flavour
// and feed, made when a test first asks.
var suite = &shared{worlds: map[string]*world{}}

type shared struct {
	dir    string
	binary func() (string, error)

	mu     sync.Mutex
	worlds map[string]*world
}

func TestMain(m *testing.M) { os.Exit(runSuite(m)) }

func runSuite(m *testing.M) int {
	dir, err := os.MkdirTemp("", "acceptance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	suite.dir = dir
	suite.binary = sync.OnceValues(suite.build)
	code := m.Run()
	if err := suite.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "acceptance:", err)
		return 1
	}
	return code
}

// build makes the product with the race detector in it.
func (s *shared) build() (string, error) {
	path := filepath.Join(s.dir, "bellwether")
	out, err := exec.Command("go", "build", "-race", "-o", path, "github.com/bellwether-db/bellwether/cmd/bellwether").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build bellwether: %w\n%s", err, out)
	}
	return path, nil
}

func (s *shared) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, w := range s.worlds {
		err = errors.Join(err, w.stop())
	}
	return err
}

// worldOf returns the flavour's world whose slaves replicate from their master.
func worldOf(t *testing.T, flavour string) *world {
	t.Helper()
	return worldFedBy(t, flavour, "direct")
}

// worldFedBy returns the flavour's world with a feed. The test fails where it
// cannot be made, and, at its end, where the proxy has raced, panicked or gone.
func worldFedBy(t *testing.T, flavour, feed string) *world {
	t.Helper()
	suite.mu.Lock()
	defer suite.mu.Unlock()
	name := flavour + "-" + feed
	w := suite.worlds[name]
	if w == nil {
		w = &world{flavour: flavour, feed: feed, dir: filepath.Join(suite.dir, name)}
		suite.worlds[name] = w
		w.startError = w.start()
	}
	if w.startError != nil {
		t.Fatalf("start the world of %s: %v", flavour, w.startError)
	}
	if err := eventually(w.slavesServe); err != nil { // one may have died in the test before
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.proxy.healthy(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the end of what bellwether says:\n%s", tail(w.proxy.output.String(), 3000))
		}
	})
	return w
}

// onEachFlavour runs a test once on MySQL and once on MariaDB.
func onEachFlavour(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	for _, flavour := range []string{"mysql", "mariadb"} {
		t.Run(flavour, func(t *testing.T) { test(t, worldOf(t, flavour)) })
	}
}
