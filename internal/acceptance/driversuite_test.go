package acceptance

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
)

// What suiteDifferences says of the tests whose result differs.
const (
	ownAttributes = "the connection attributes on a node are the proxy's own"
	alwaysTLS     = "wants TLS, which the proxy offers before a MariaDB without a certificate too"
	queryKilled   = "is skipped where the query of a client that left does not run to its end; the proxy kills it"
)

// suiteDifferences are the tests of go-sql-driver/mysql whose result differs
// between the proxy and a server, with the reason.
var suiteDifferences = map[string]string{
	"TestConnectionAttributes":           ownAttributes,
	"TestIssue1567":                      alwaysTLS,
	"TestContextCancelExec/default":      queryKilled,
	"TestContextCancelQuery/default":     queryKilled,
	"TestContextCancelStmtExec/default":  queryKilled,
	"TestContextCancelStmtQuery/default": queryKilled,
}

// suiteSkips are tests that talk to an address of the Internet instead of the
// server; where that one answers late, the whole suite dies of a nil pointer.
const suiteSkips = "^TestConnectorReturnsTimeout$"

// suiteTries is how often a test whose result differs is run again, alone, on
// both sides: some have bounds of milliseconds, which a busy machine misses.
const suiteTries = 3

// TestDriversOwnSuite runs the tests of go-sql-driver/mysql straight and through
// the proxy and wants the same results, test by test.
func TestDriversOwnSuite(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "driver.test")
	out, err := exec.Command("go", "test", "-c", "-o", binary, "github.com/go-sql-driver/mysql").CombinedOutput()
	if err != nil {
		t.Fatalf("build the driver's tests: %v\n%s", err, out)
	}
	onEachFlavour(t, func(t *testing.T, w *world) {
		s := w.stage(t, "accsuite")
		for _, c := range []*rawclient.Conn{s.straight, s.master} {
			if err := script(c, "", []string{"DROP DATABASE IF EXISTS gotest", "CREATE DATABASE gotest"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.settle(); err != nil {
			t.Fatal(err)
		}
		run := func(tests string) (straight, proxied suiteRun) {
			var both sync.WaitGroup
			both.Go(func() { straight = runDriverSuite(t.Context(), binary, w.straight.Nodes[0].Addr(), tests) })
			both.Go(func() { proxied = runDriverSuite(t.Context(), binary, w.proxy.proxyAddr, tests) })
			both.Wait()
			return straight, proxied
		}
		straight, proxied := run(".")
		t.Logf("%d tests, %d pass straight, %d through the proxy", len(straight.results), straight.passes(), proxied.passes())
		for _, r := range []suiteRun{straight, proxied} {
			if r.passes() < 300 {
				t.Errorf("only %d of %d tests pass:\n%s", r.passes(), len(r.results), tail(r.out, 3000))
			}
		}
		differing := straight.differing(proxied)
		for try := 0; try < suiteTries && len(differing) > 0; try++ {
			t.Logf("run again: %v", differing)
			straight, proxied = run(only(differing))
			differing = straight.differing(proxied)
		}
		for _, name := range differing {
			t.Errorf("%s: %s straight, %q through the proxy\nstraight:\n%s\nproxy:\n%s", name, straight.results[name], proxied.results[name],
				about(name, straight.out), about(name, proxied.out))
		}
	})
}

// suiteRun is the result of each test, and the whole output.
type suiteRun struct {
	results map[string]string
	out     string
}

func (s suiteRun) passes() (n int) {
	for _, result := range s.results {
		if result == "PASS" {
			n++
		}
	}
	return n
}

// differing are the tests with another result in the other run.
func (s suiteRun) differing(other suiteRun) (names []string) {
	for name, result := range s.results {
		if _, known := suiteDifferences[name]; !known && other.results[name] != result {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// only is a pattern for the tests with these names, and all their parts.
func only(names []string) string {
	var whole []string
	for _, name := range names {
		test, _, _ := strings.Cut(name, "/")
		whole = append(whole, regexp.QuoteMeta(test))
	}
	return "^(" + strings.Join(whole, "|") + ")$"
}

var suiteResult = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): (\S+)`)

// runDriverSuite runs the tests that match a pattern, with a few cancelled
// handshakes (-short) where it would else make three thousand.
func runDriverSuite(ctx context.Context, binary, addr, tests string) suiteRun {
	ctx, cancel := context.WithTimeout(ctx, 9*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, binary, "-test.v", "-test.short", "-test.timeout", "8m", "-test.run", tests, "-test.skip", suiteSkips)
	command.Dir = filepath.Dir(binary)
	command.Env = append(os.Environ(), "MYSQL_TEST_PROT=tcp", "MYSQL_TEST_ADDR="+addr,
		"MYSQL_TEST_USER="+boss.user, "MYSQL_TEST_PASS="+boss.password, "MYSQL_TEST_DBNAME=gotest", "MYSQL_TEST_CONCURRENT=1")
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	_ = command.Run() // tests that fail are compared below
	results := map[string]string{}
	for _, match := range suiteResult.FindAllStringSubmatch(out.String(), -1) {
		results[match[2]] = match[1]
	}
	return suiteRun{results, out.String()}
}

// about is what the suite's output says of one test.
func about(name, out string) string {
	found := regexp.MustCompile(`(?ms)^=== RUN +` + regexp.QuoteMeta(name) + `$.*?^ *--- [A-Z]+: ` + regexp.QuoteMeta(name)).FindString(out)
	return fmt.Sprintf("%.1500s", found)
}
