//go:build soak

package acceptance

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// TestSysbench runs sysbench oltp_read_write through the proxy for a minute at
// 16 and at 256 clients and wants no error.
func TestSysbench(t *testing.T) {
	program, err := findProgram("sysbench")
	if err != nil {
		t.Fatalf("%v (scripts/servers.sh sysbench)", err)
	}
	onEachFlavour(t, func(t *testing.T, w *world) {
		s := w.stage(t, "accbench")
		plain := account{"bench", "bench"}
		grant := append([]string{"DROP USER IF EXISTS 'bench'@'%'"}, accountsSQL(plain)...)
		if err := script(s.master, s.schema, grant); err != nil {
			t.Fatal(err)
		}
		if err := s.settle(); err != nil {
			t.Fatal(err)
		}
		p := w.plainProxy(t)
		run := func(clients, seconds int, word string) string {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(seconds)*time.Second+10*patience)
			defer cancel()
			host, port, _ := net.SplitHostPort(p.proxyAddr)
			out, err := exec.CommandContext(ctx, program, "oltp_read_write", "--db-driver=mysql", "--mysql-host="+host, "--mysql-port="+port,
				"--mysql-user="+plain.user, "--mysql-password="+plain.password, "--mysql-db="+s.schema, "--tables=8", "--table-size=10000",
				"--threads="+strconv.Itoa(clients), "--time="+strconv.Itoa(seconds), word).CombinedOutput()
			if err != nil {
				t.Fatalf("sysbench %s at %d: %v\n%s", word, clients, err, tail(string(out), 3000))
			}
			return string(out)
		}
		run(1, 1, "prepare")
		for _, clients := range []int{16, 256} {
			out := run(clients, environment("BELLWETHER_SOAK_SECONDS", 60), "run")
			for _, line := range strings.Split(out, "\n") {
				if words := strings.Fields(line); strings.Contains(line, "transactions:") || strings.Contains(line, "errors:") {
					t.Logf("%d clients: %s", clients, strings.Join(words, " "))
				}
			}
			if strings.Contains(out, "FATAL") {
				t.Errorf("%d clients: %s", clients, tail(out, 3000))
			}
		}
	})
}

// TestIdleClients logs in 5,000 clients, with a database in their login, has each
// ask once, and tells what each costs in memory. The race detector multiplies
// that, so the proxy measured here is built without.
func TestIdleClients(t *testing.T) {
	const clients, most = 5000, 10 // KB
	onEachFlavour(t, func(t *testing.T, w *world) {
		w.stage(t, "accidle")
		p := w.plainProxy(t)
		fresh := residentKB(t, p)
		hangUp(idlers(t, p, 700)) // they fill the pools, which are not the clients'
		before := settledKB(t, p, 0, 10*time.Second)
		all := idlers(t, p, clients)
		settled := settledKB(t, p, before+most*clients, 40*time.Second)
		each := float64(settled-before) / clients
		t.Logf("%d idle clients: %d KB, %d KB with full pools, %d KB with them, %.1f KB each", clients, fresh, before, settled, each)
		if each > most {
			t.Errorf("%.1f KB for an idle client, want at most %d", each, most)
		}
		hangUp(all)
	})
}

// settledKB is the least resident memory until it is enough, or so long. A process
// collects its garbage when it makes some, so others come and go meanwhile.
func settledKB(t *testing.T, p *process, enough int, long time.Duration) int {
	t.Helper()
	least := residentKB(t, p)
	for end := time.Now().Add(long); least > enough && time.Now().Before(end); least = min(least, residentKB(t, p)) {
		hangUp(idlers(t, p, 50))
	}
	return least
}

// idlers log in and ask once.
func idlers(t *testing.T, p *process, count int) []*session {
	t.Helper()
	all := make([]*session, count)
	var group errgroup.Group
	group.SetLimit(16)
	for i := range all {
		group.Go(func() error {
			s, err := open(p.proxyAddr, client{schema: true, deprecateEOF: true, sessionTrack: true}, "accidle")
			if err != nil {
				return fmt.Errorf("connect client %d: %w", i, err)
			}
			all[i] = s
			_, err = ask(s.conn, "SELECT COUNT(*) FROM t1")
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	return all
}

func hangUp(all []*session) {
	for _, s := range all {
		if s != nil {
			s.conn.Close()
		}
	}
}

// TestConnectAndLeave connects and leaves 20,000 times and wants memory and file
// descriptors where they were.
func TestConnectAndLeave(t *testing.T) {
	const cycles = 20000
	onEachFlavour(t, func(t *testing.T, w *world) {
		w.stage(t, "acccycle")
		p := w.plainProxy(t)
		cycle := func(n int) {
			var group errgroup.Group
			group.SetLimit(8)
			for i := range n {
				group.Go(func() error {
					s, err := open(p.proxyAddr, client{schema: true}, "acccycle")
					if err != nil {
						return err
					}
					if _, err := ask(s.conn, "SELECT 1"); err != nil {
						return err
					}
					if i%2 == 0 {
						return s.conn.Close()
					}
					return s.conn.Quit()
				})
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
		}
		cycle(2000)
		memory, files := residentKB(t, p), openFiles(t, p)
		cycle(cycles)
		if err := eventually(func() error {
			if now := openFiles(t, p); now > files+10 {
				return fmt.Errorf("%d open files, %d before", now, files)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		now := residentKB(t, p)
		t.Logf("%d KB after 2,000 clients, %d KB after %d more", memory, now, cycles)
		if now > memory+memory/4 {
			t.Errorf("memory grew from %d KB to %d KB", memory, now)
		}
	})
}

// plainProxy takes the place of the world's proxy for the test: one without the
// race detector. Two would keep each other from acting on the nodes.
func (w *world) plainProxy(t *testing.T) *process {
	t.Helper()
	if err := w.proxy.stop(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var err error
		if w.proxy, err = w.startShared(); err != nil {
			t.Error(err)
		}
	})
	binary := t.TempDir() + "/bellwether"
	out, err := exec.Command("go", "build", "-o", binary, "github.com/bellwether-db/bellwether/cmd/bellwether").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	p, err := w.startProxy(binary, t.TempDir(), w.cluster, plainConfig)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// plainConfig has what users have, but the patience of a machine that is busy
// with other things.
const plainConfig = `proxy: {listen: "127.0.0.1:0", max_clients: 6000}
admin: {listen: "127.0.0.1:0"}
pool: {max_per_node: 300, wait_timeout: 1m, connect_timeout: 1m}
probes: {timeout: 10s}
reads: {max_lag: 1m}
`

// residentKB is the resident memory of the proxy.
func residentKB(t *testing.T, p *process) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb
}

func openFiles(t *testing.T, p *process) int {
	t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}
