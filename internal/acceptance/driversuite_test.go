package acceptance

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
)

// suiteDifferences are the tests of go-sql-driver/mysql whose result differs
// between the proxy and a server, with the reason. None so far.
var suiteDifferences = map[string]string{}

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
		straight, straightOut := runDriverSuite(t, binary, w.straight.Nodes[0].Addr())
		proxied, proxiedOut := runDriverSuite(t, binary, w.proxy.proxyAddr)
		if len(straight) < 50 {
			t.Errorf("only %d tests ran straight:\n%s", len(straight), tail(straightOut, 3000))
		}
		passes := 0
		for name, result := range straight {
			if proxied[name] == "PASS" {
				passes++
			}
			if _, known := suiteDifferences[name]; !known && proxied[name] != result {
				t.Errorf("%s: %s straight, %q through the proxy\n%s", name, result, proxied[name], about(name, proxiedOut))
			}
		}
		t.Logf("%d tests, %d pass through the proxy", len(straight), passes)
	})
}

var suiteResult = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): (\S+)`)

// runDriverSuite returns the result of each test, and the whole output.
func runDriverSuite(t *testing.T, binary, addr string) (map[string]string, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(ctx, binary, "-test.v", "-test.timeout", "100s")
	command.Dir = filepath.Dir(binary)
	command.Env = append(os.Environ(), "MYSQL_TEST_PROT=tcp", "MYSQL_TEST_ADDR="+net.JoinHostPort(host, port),
		"MYSQL_TEST_USER="+boss.user, "MYSQL_TEST_PASS="+boss.password, "MYSQL_TEST_DBNAME=gotest", "MYSQL_TEST_CONCURRENT=1")
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	_ = command.Run() // tests that fail are compared below
	results := map[string]string{}
	for _, match := range suiteResult.FindAllStringSubmatch(out.String(), -1) {
		results[match[2]] = match[1]
	}
	return results, out.String()
}

// about is what the suite's output says of one test.
func about(name, out string) string {
	found := regexp.MustCompile(`(?ms)^=== RUN +` + regexp.QuoteMeta(name) + `$.*?^ *--- [A-Z]+: ` + regexp.QuoteMeta(name)).FindString(out)
	return fmt.Sprintf("%.1500s", found)
}
