package acceptance

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// TestGoingOnWithALoss: the only slave that is left lacks two rows that clients were
// told are written. Nobody is promoted by default, and whoever looks is told what it
// lacks; once max_loss allows it, that slave goes on without them, they are kept in
// files and named, and those that had them come back without them.
func TestGoingOnWithALoss(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			binary, err := suite.binary()
			if err != nil {
				t.Fatal(err)
			}
			f := startFleet(t, flavour, binary, fleetNeeds{})
			letGo := f.leaveBehind(f.servers.Nodes[1])
			f.wantNobody("node2 lacks")
			f.allowLoss()
			f.must(f.masterIs(f.servers.Nodes[1]))
			letGo()
			f.wantLossTold()
			f.run("INSERT INTO shop.t VALUES (4, 'after')")
			for _, n := range []*playground.Node{f.servers.Nodes[0], f.servers.Nodes[2]} {
				f.must(n.StartServer(f.Context()))
			}
			f.must(f.whole(fleetPatience))
			f.must(f.until(patience, func() error { return f.wantRows("1,4") }))
		})
	}
}

// leaveBehind has a slave that takes nothing more be all that is left.
func (f *fleet) leaveBehind(n *playground.Node) (letGo func()) {
	f.Helper()
	f.run("CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(40))", "INSERT INTO shop.t VALUES (1, 'before')")
	f.must(f.until(patience, func() error { return f.wantRows("1") }))
	conn, err := f.on(n, 1).Conn(f.Context())
	f.must(err)
	_, err = conn.ExecContext(f.Context(), "LOCK TABLES shop.t READ")
	f.must(err)
	f.run("INSERT INTO shop.t VALUES (2, 'lost')", "INSERT INTO shop.t VALUES (3, 'lost, too')")
	f.must(f.servers.Nodes[2].Kill())
	f.must(f.servers.Master.Kill())
	return func() { _, _ = conn.ExecContext(f.Context(), "UNLOCK TABLES") } // its connection may be gone
}

// wantRows wants every node to have these rows.
func (f *fleet) wantRows(want string) error {
	for _, n := range f.servers.Nodes {
		if got, err := n.Query(f.Context(), "SELECT GROUP_CONCAT(id ORDER BY id) FROM shop.t"); err != nil || got != want {
			return fmt.Errorf("%s has %s, want %s (%w)", n.Name, got, want, err)
		}
	}
	return nil
}

// wantNobody waits until one is told, wherever one looks, why there is no master.
func (f *fleet) wantNobody(why string) {
	f.Helper()
	f.must(f.until(fleetPatience, func() error {
		if _, err := f.proxy.get("/readyz"); err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), why) {
			return fmt.Errorf("/readyz does not say that %s: %w", why, err)
		}
		return nil
	}))
	if said, err := f.command("status"); err == nil || !strings.Contains(said, why) {
		f.Errorf("status, with the exit code %v:\n%s", err, said)
	}
	if text, err := f.proxy.metrics(); err != nil || masterMetric.MatchString(text) {
		f.Errorf("it has a master: %v", err)
	}
}

// command is what the command line says.
func (f *fleet) command(arguments ...string) (string, error) {
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	said, err := exec.CommandContext(ctx, f.binary, append(arguments, "--config", f.config)...).CombinedOutput()
	return string(said), err
}

// allowLoss lets what the slave lacks be lost: the heartbeat's rows count as well.
func (f *fleet) allowLoss() {
	f.Helper()
	before, err := os.ReadFile(f.config)
	f.must(err)
	f.must(os.WriteFile(f.config, bytes.Replace(before, []byte("failover: {"), []byte("failover: {max_loss: 1000, "), 1), 0o600))
	f.must(f.proxy.command.Process.Signal(syscall.SIGHUP))
}

// masterIs waits until writes are open on a node.
func (f *fleet) masterIs(n *playground.Node) error {
	return f.until(fleetPatience, func() error {
		if _, err := f.proxy.get("/readyz"); err != nil {
			return err
		}
		if now, err := f.master(); err != nil || now != n {
			return fmt.Errorf("the master is not %s (%w)", n.Name, err)
		}
		return nil
	})
}

// incidentOf finds the line of a failover that is done in the list of incidents.
var incidentOf = regexp.MustCompile(`(?m)^(\S+-failover) +failover +done +node1 -> node2`)

// wantLossTold wants the record to name what is lost, and the files to hold it.
func (f *fleet) wantLossTold() {
	f.Helper()
	var found []string
	f.must(f.until(patience, func() error { // something is left to do when writes are open
		list, err := f.command("incidents")
		if found = incidentOf.FindStringSubmatch(list); found == nil {
			err = fmt.Errorf("no failover is done (%w):\n%s", err, list)
		}
		return err
	}))
	folder := filepath.Join("lost", found[1])
	story, err := f.command("incidents", found[1])
	if err != nil || !strings.Contains(story, "was acknowledged and is LOST, as max_loss allows") || !strings.Contains(story, folder) {
		f.Errorf("the incident, %v:\n%s", err, story)
	}
	kept, err := os.ReadFile(filepath.Join(f.state(), folder, "lost.sql"))
	if err != nil || !bytes.Contains(kept, []byte("VALUES (2, 'lost');")) || !bytes.Contains(kept, []byte("VALUES (3, 'lost, too');")) {
		f.Errorf("kept, %v:\n%s", err, clipped(string(kept), 3000))
	}
	if raw, err := os.Stat(filepath.Join(f.state(), folder, "lost.binlog")); err != nil || raw.Size() == 0 {
		f.Errorf("the raw events: %v", err)
	}
}
