package acceptance

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// fed is a master and two slaves that know nothing of one another, and a
// product in front of them that feeds the slaves; or else slaves that their master
// feeds.
type fed struct {
	*testing.T
	direct    bool // the master feeds them
	servers   *playground.Cluster
	config    string // the path of the file
	proxyAddr string // the same after each start
	proxy     *process
}

// largePackets lets servers take what TestReplicationSoak sends.
var largePackets = []string{"--max-allowed-packet=128M"}

// onFed runs a story on both families.
func onFed(t *testing.T, story func(*fed)) { onFedWith(t, "", story) }

// onFedWith is onFed with more settings.
func onFedWith(t *testing.T, more string, story func(*fed)) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) { story(newFed(t, flavour, false, more)) })
	}
}

func newFed(t *testing.T, flavour playground.Flavour, direct bool, more string) *fed {
	f := &fed{T: t, direct: direct, config: filepath.Join(t.TempDir(), "bellwether.yaml"), proxyAddr: freeAddr(t)}
	redo := "--innodb-redo-log-capacity=512M"
	if flavour == playground.MariaDB {
		redo = "--innodb-log-file-size=512M"
	}
	f.servers = playground.ForTest(t, playground.Options{
		Flavour: flavour, Slaves: 2, Relaxed: true, Replicate: direct, ExtraArgs: append([]string{redo}, largePackets...),
	})
	f.must(os.WriteFile(f.config, []byte(f.settings()+more), 0o600))
	f.start()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of what bellwether says:\n%s", tail(f.proxy.output.String(), 6000))
		}
		if err := f.proxy.stop(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// freeAddr is a port that is free now and that nobody else will take: below
// those of playground's servers, which wait for a while before they listen, and
// those that the kernel gives to outgoing connections.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(4000+rand.IntN(6000)))
		l, err := net.Listen("tcp", addr)
		if err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

// settings are the product's. No heartbeat is written: these tests wait until
// nobody writes, and then for the same GTID set everywhere.
func (f *fed) settings() string {
	var b strings.Builder
	fmt.Fprintf(&b, "state_dir: state\noperator: {user: %q, password: %q}\nnodes:\n", f.servers.Operator.User, f.servers.Operator.Password)
	for _, n := range f.servers.Nodes {
		fmt.Fprintf(&b, "  - {name: %s, address: %q, master: %v}\n", n.Name, n.Addr(), n == f.servers.Master)
	}
	fmt.Fprintf(&b, "proxy: {listen: %q, max_clients: 1000, handshake_timeout: 1m, hold_timeout: 1m, max_packet: 128MB}\n", f.proxyAddr)
	b.WriteString(`admin: {listen: "127.0.0.1:0"}
pool: {max_per_node: 200, wait_timeout: 1m, connect_timeout: 1m}
probes: {timeout: 10s, heartbeat: 0s}
`)
	if f.direct {
		b.WriteString("replication: {feed: direct}\n")
	} else {
		b.WriteString(`replication: {feed: relay, listen: "127.0.0.1:0", stored_log: {file_size: 64MB}}` + "\n")
	}
	return b.String()
}

// start starts the product, and returns when it serves.
func (f *fed) start() {
	f.Helper()
	binary, err := suite.binary()
	f.must(err)
	f.proxy, err = startProcess(binary, f.config)
	f.must(err)
}

func (f *fed) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// mariadb says which family this is.
func (f *fed) mariadb() bool { return f.servers.Flavour == playground.MariaDB }

// rest waits, unless ctx ends first.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// clients are connections through the proxy, at most so many.
func (f *fed) clients(most int) *sql.DB { return f.pool(f.proxyAddr, most) }

// on are connections to a node itself.
func (f *fed) on(n *playground.Node, most int) *sql.DB { return f.pool(n.Addr(), most) }

func (f *fed) pool(addr string, most int) *sql.DB {
	f.Helper()
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd = "tcp", addr, f.servers.Account.User, f.servers.Account.Password
	c.MaxAllowedPacket, c.Logger = 128<<20, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	f.must(err)
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	f.Cleanup(func() { db.Close() })
	return db
}

// run runs statements through the proxy, on one connection.
func (f *fed) run(statements ...string) {
	f.Helper()
	db := f.clients(1)
	defer db.Close()
	for _, s := range statements {
		if _, err := db.ExecContext(f.Context(), s); err != nil {
			f.Fatalf("%s: %v", clipped(s, 200), err)
		}
	}
}
