package downstream

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/wire"
)

// patience bounds every wait of these tests.
const patience = time.Minute

// world is a master, a slave, and a log that copies the master's.
type world struct {
	*testing.T
	flavour cluster.Flavour
	nodes   *playground.Cluster
	master  *playground.Node
	slave   *playground.Node
	*copier
	server *Server
}

// TestRealServers walks through what there is to see on one cluster of each
// flavour, in this order.
func TestRealServers(t *testing.T) {
	onEachFlavour(t, func(w *world) {
		w.Run("tools read as of the master", func(t *testing.T) { w.with(t).tools() })
		w.Run("a slave follows", func(t *testing.T) { w.with(t).follows() })
		w.Run("temporary tables outlive a reconnect", func(t *testing.T) { w.with(t).temporaryTables() })
		w.Run("heartbeats", func(t *testing.T) { w.with(t).heartbeats() })
		w.Run("own events", func(t *testing.T) { w.with(t).ownEvents() })
		if !w.mariaDB() {
			w.Run("own compressed events", func(t *testing.T) { w.with(t).ownCompressedEvents() })
		}
		w.Run("a former master's tail", func(t *testing.T) { w.with(t).formersTail() }) // the slave is of no use after that
	})
}

// with is the same world for a part of the test.
func (w *world) with(t *testing.T) *world {
	part := *w
	part.T = t
	return &part
}

// onEachFlavour runs a test on a cluster of its own for each flavour.
func onEachFlavour(t *testing.T, test func(*world)) {
	for _, flavour := range []cluster.Flavour{cluster.FlavourMySQL, cluster.FlavourMariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			test(newWorld(t, flavour))
		})
	}
}

// newWorld starts a cluster whose slave follows nobody yet.
func newWorld(t *testing.T, flavour cluster.Flavour) *world {
	w := &world{T: t, flavour: flavour}
	options := playground.Options{Flavour: playground.MySQL, Slaves: 1, Relaxed: true}
	if w.mariaDB() {
		options.Flavour = playground.MariaDB
	}
	w.nodes = playground.ForTest(t, options)
	w.master, w.slave = w.nodes.Nodes[0], w.nodes.Nodes[1]
	if err := w.nodes.OpenMaster(t.Context(), w.master); err != nil {
		t.Fatal(err)
	}
	w.copier = newCopier(t, flavour, w.master.DataDir())
	w.server = serve(t, w.serving(), Stored(w.log))
	w.exec(w.master, "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY AUTO_INCREMENT, v LONGBLOB, n INT)")
	return w
}

func (w *world) mariaDB() bool { return w.flavour == cluster.FlavourMariaDB }

// config is that of a source for the servers' own replication account.
func (w *world) serving() Config {
	c := testConfig(w.flavour)
	c.Version = w.nodes.Version
	certificate, key, err := wire.LoadOrMakeCertificate(w.TempDir())
	if err != nil {
		w.Fatal(err)
	}
	c.TLS, c.RSA = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}, key
	c.Accounts = []Account{{Name: w.nodes.Replication.User, Secret: wire.PasswordSecret(w.nodes.Replication.Password)}}
	return c
}

func (w *world) exec(n *playground.Node, statements ...string) {
	w.Helper()
	if err := n.Exec(w.Context(), statements...); err != nil {
		w.Fatal(err)
	}
}

func (w *world) query(n *playground.Node, query string) string {
	w.Helper()
	value, err := n.Query(w.Context(), query)
	if err != nil {
		w.Fatal(err)
	}
	return value
}

// follow makes a node replicate from an address, from wherever it stands.
func (w *world) follow(n *playground.Node, addr net.Addr, heartbeat string, more ...string) {
	w.Helper()
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		w.Fatal(err)
	}
	change := `CHANGE REPLICATION SOURCE TO SOURCE_HOST='%s', SOURCE_PORT=%s, SOURCE_USER='%s', SOURCE_PASSWORD='%s',
		SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=86400, SOURCE_HEARTBEAT_PERIOD=%s`
	if w.mariaDB() {
		change = `CHANGE MASTER TO MASTER_HOST='%s', MASTER_PORT=%s, MASTER_USER='%s', MASTER_PASSWORD='%s',
		MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=%s`
	}
	change = fmt.Sprintf(change, host, port, w.nodes.Replication.User, w.nodes.Replication.Password, heartbeat)
	w.exec(n, "STOP "+w.word(), change+strings.Join(more, ""), "START "+w.word())
}

// word is what the flavour calls a slave.
func (w *world) word() string {
	if w.mariaDB() {
		return "SLAVE"
	}
	return "REPLICA"
}

// position is what a slave has executed. (MariaDB's gtid_binlog_pos lacks what a
// slave need not log, such as temporary tables.)
func (w *world) position(n *playground.Node) string {
	if w.mariaDB() {
		return w.query(n, "SELECT @@GLOBAL.gtid_slave_pos")
	}
	return strings.ReplaceAll(w.query(n, "SELECT @@GLOBAL.gtid_executed"), "\n", "")
}

// caughtUp waits until a node has what the log has.
func (w *world) caughtUp(n *playground.Node) {
	w.Helper()
	want := w.log.Executed().String()
	w.until("the slave to have "+want, func() bool { return w.position(n) == want }, n)
}

// until waits for a state, and shows what a node says of its replication when
// it does not come.
func (w *world) until(what string, is func() bool, n *playground.Node) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	for !is() {
		pause(ctx, 20*time.Millisecond)
		if ctx.Err() != nil {
			w.Fatalf("wait for %s: not within %v; io: %s, position %s", what, patience, w.ioError(n), w.position(n))
		}
	}
}

// ioError is why the slave does not receive, "" if there is no reason.
func (w *world) ioError(n *playground.Node) string {
	return w.status(n, "Last_IO_Error") + w.status(n, "Last_SQL_Error")
}

// status is one field of what a node says of its replication.
func (w *world) status(n *playground.Node, field string) string {
	w.Helper()
	row := w.row(n, "SHOW "+w.word()+" STATUS")
	if v, ok := row[field]; ok {
		return v
	}
	return row[strings.NewReplacer("Source", "Master", "Replica", "Slave").Replace(field)]
}

// sameRows compares a table's checksum on two nodes.
func (w *world) sameRows(a, b *playground.Node) {
	w.Helper()
	query := "SELECT CONCAT(COUNT(*), ' ', COALESCE(SUM(CRC32(CONCAT_WS(',', id, v, n))), 0)) FROM shop.t"
	if x, y := w.query(a, query), w.query(b, query); x != y {
		w.Errorf("rows: %s has %s, %s has %s", a.Name, x, b.Name, y)
	}
}
