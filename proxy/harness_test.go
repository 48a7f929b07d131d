package proxy

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/fakemysql"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/wire"
)

// house is a proxy in front of fake nodes, the first of them the master.
type house struct {
	store  *cluster.Store
	pools  *backend.Pools
	server *Server
	hints  *hints
}

// hints collects what the proxy reports.
type hints struct {
	mu    sync.Mutex
	nodes []string
}

func (h *hints) Observe(node string, _ error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nodes = append(h.nodes, node)
}

func (h *hints) AwaitVisible(context.Context) error { return nil }

func (h *hints) CatalogueChanging() func() { return func() {} }

// newHouse runs a proxy in front of the handlers, one node each, until the
// test ends.
func newHouse(t testing.TB, change func(*Config, *backend.Config), handlers ...func(*fakemysql.Conn) error) *house {
	t.Helper()
	return newStoringHouse(t, nil, change, handlers...)
}

// newStoringHouse is newHouse where writes are stored.
func newStoringHouse(t testing.TB, journal Journal, change func(*Config, *backend.Config), handlers ...func(*fakemysql.Conn) error) *house {
	t.Helper()
	h := &house{store: cluster.NewStore(&cluster.Topology{Master: -1}), hints: &hints{}}
	names := []string{"node1", "node2", "node3"}
	for i, handler := range handlers {
		s := fakemysql.Serve(t, handler)
		register(t, h.store, names[i], s.Addr())
	}
	if len(handlers) > 0 {
		if _, err := h.store.Advance(0, func(d *cluster.RoleDraft) error {
			d.SetWrites(cluster.WritesOpen, "")
			return d.SetMaster("node1", "")
		}); err != nil {
			t.Fatal(err)
		}
	}
	h.store.Report(func(d *cluster.ReportDraft) {
		d.SetCatalogue(&cluster.Catalogue{Known: true, Version: 1})
	})
	config, pools := Defaults(), backend.Defaults()
	config.Listen, config.HoldTimeout, pools.VerifyInterval = "127.0.0.1:0", 2*time.Second, time.Hour
	_, key, err := wire.LoadOrMakeCertificate(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	config.RSA = key
	if change != nil {
		change(&config, &pools)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	h.pools = backend.New(pools, h.store, h.hints, quiet)
	h.server, err = New(config, h.store, h.pools, h.hints, journal, NewMetrics(prometheus.NewRegistry(), h.pools, h.store), quiet)
	if err != nil {
		t.Fatal(err)
	}
	h.run(t)
	return h
}

func (h *house) run(t testing.TB) {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = h.pools.Run(ctx) })
	running.Go(func() { _ = h.server.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
}

func register(t testing.TB, store *cluster.Store, name, addr string) {
	t.Helper()
	if _, err := store.Register(func(d *cluster.RegisterDraft) error {
		d.Put(cluster.Registration{Name: name, Addr: addr, Weight: 1})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	store.Report(func(d *cluster.ReportDraft) {
		d.SetCondition(name, addr, cluster.Condition{
			Health: cluster.HealthUp, Flavour: cluster.FlavourMySQL, Version: "9.7.0", LagKnown: true,
			Replication: cluster.ReplicationRunning,
		})
	})
}

// client connects to the proxy as the fake nodes' account.
func (h *house) client(t testing.TB) *client {
	t.Helper()
	conn, hello, err := wire.Dial(context.Background(), &wire.DialConfig{
		Addr: h.server.Addr().String(), User: fakemysql.User, Secret: wire.PasswordSecret(fakemysql.Password),
		Capabilities: wire.ClientDeprecateEOF | wire.ClientMultiResults, Collation: 45, Timeout: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t: t, conn: conn, hello: hello}
}

// client speaks to the proxy in text.
type client struct {
	t     testing.TB
	conn  *wire.Conn
	hello *wire.ServerHello
}

// query returns "ok", "error CODE: MESSAGE", or the rows, columns by commas and
// rows by semicolons; "gone" where the connection ended.
func (c *client) query(sql string) string {
	c.conn.ResetSequence()
	if err := c.conn.WritePacket(append([]byte{byte(wire.ComQuery)}, sql...)); err != nil {
		return "gone"
	}
	_ = c.conn.SetDeadline(time.Now().Add(20 * time.Second))
	if err := c.conn.Flush(); err != nil {
		return "gone"
	}
	return c.answer()
}

func (c *client) answer() string {
	p, err := c.conn.ReadPacket()
	switch {
	case err != nil:
		return "gone"
	case wire.IsError(p):
		e, _ := wire.ParseError(p)
		return e.Error()
	case p[0] == wire.HeaderOK:
		return "ok"
	}
	columns, _ := wire.ReadLenencInt(p)
	var rows []string
	for i := 0; ; i++ {
		p, err := c.conn.ReadPacket()
		switch {
		case err != nil:
			return "gone"
		case wire.IsError(p):
			e, _ := wire.ParseError(p)
			return e.Error()
		case wire.IsEOF(p, c.hello.Capabilities):
			return strings.Join(rows, ";")
		case i >= int(columns):
			values, _ := wire.ParseTextRow(nil, p)
			row := make([]string, len(values))
			for j, v := range values {
				row[j] = string(v)
			}
			rows = append(rows, strings.Join(row, ","))
		}
	}
}

// node answers as a node: its name to SELECT name, what it is told to answer
// else, and OK to all the rest. It remembers what it was asked.
type node struct {
	name    string
	answers map[string]fakemysql.Step

	mu     sync.Mutex
	asked  []string
	behind time.Time // until then every wait for a position is in vain
}

func (n *node) handler() func(*fakemysql.Conn) error {
	return fakemysql.Answer(func(command wire.Command, content string) fakemysql.Step {
		n.mu.Lock()
		n.asked = append(n.asked, command.String()+" "+content)
		step, ok := n.answers[content]
		if time.Now().Before(n.behind) && strings.Contains(content, "WAIT_FOR_EXECUTED_GTID_SET") {
			step, ok = fakemysql.SendError(1273, "HY000", "Unknown collation: 'behind'"), true
		}
		n.mu.Unlock()
		if ok {
			return step
		}
		switch {
		case content == "SELECT CURRENT_USER()":
			return fakemysql.SendRows([]string{"u"}, []string{"app@%"})
		case strings.HasPrefix(content, "SELECT name"):
			return fakemysql.SendRows([]string{"name"}, []string{n.name})
		}
		return nil
	})
}

// setAnswer changes what the node answers.
func (n *node) setAnswer(sql string, step fakemysql.Step) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.answers == nil {
		n.answers = map[string]fakemysql.Step{}
	}
	n.answers[sql] = step
}

// isBehind has every wait for a position be in vain for a time.
func (n *node) isBehind(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.behind = time.Now().Add(d)
}

// got reports how often the node was asked something that contains part.
func (n *node) got(part string) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range n.asked {
		if strings.Contains(a, part) {
			count++
		}
	}
	return count
}

func dialRaw(t testing.TB, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}
