package rawmysql

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// dial logs in on the node itself, not through the playground's relay.
func dial(t *testing.T, c *playground.Cluster, change func(*Config)) (*Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cfg := Config{Addr: c.Master.DirectAddr(), User: c.Account.User, Password: c.Account.Password, Buffer: 512}
	if change != nil {
		change(&cfg)
	}
	conn, err := Dial(ctx, &cfg)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
		err = conn.SetDeadline(time.Now().Add(20 * time.Second))
	}
	return conn, err
}

func TestRealServers(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			c := playground.ForTest(t, playground.Options{Flavour: flavour, Relaxed: true})
			t.Run("login", func(t *testing.T) { testLogin(t, c) })
			conn, err := dial(t, c, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Run("query", func(t *testing.T) { testQuery(t, conn) })
			t.Run("prepared", func(t *testing.T) { testPrepared(t, conn) })
			t.Run("allocations", func(t *testing.T) { testAllocations(t, conn) })
		})
	}
}

// MySQL asks for the whole password at an account's first login and no more
// after it; MariaDB switches to its own plugin.
func testLogin(t *testing.T, c *playground.Cluster) {
	var got []ServerInfo
	for range 2 {
		conn, err := dial(t, c, nil)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ServerInfo{Plugin: conn.Info().Plugin, FullAuth: conn.Info().FullAuth})
	}
	want := []ServerInfo{{Plugin: pluginSHA2, FullAuth: true}, {Plugin: pluginSHA2}}
	if c.Flavour == playground.MariaDB {
		want = []ServerInfo{{Plugin: pluginNative}, {Plugin: pluginNative}}
	}
	if !slices.Equal(got, want) {
		t.Errorf("logins %+v, want %+v", got, want)
	}
	_, err := dial(t, c, func(cfg *Config) { cfg.Password = "wrong" })
	if refused := new(ServerError); !errors.As(err, &refused) || refused.Code != 1045 {
		t.Errorf("a wrong password: %v, want error 1045", err)
	}
	if _, err := dial(t, c, func(cfg *Config) { cfg.Database = "mysql" }); err != nil {
		t.Errorf("with a database: %v", err)
	}
}

func testQuery(t *testing.T, conn *Conn) {
	for sql, want := range map[string]Result{
		"DO 1":                        {},
		"SELECT 'x'":                  {Rows: 1, Bytes: 2},
		"SELECT 1 UNION ALL SELECT 2": {Rows: 2, Bytes: 4},
		"SELECT REPEAT('x', 100000)":  {Rows: 1, Bytes: 100004},
		"SELECT 1, 2, 3 FROM (SELECT 1) t LIMIT 0": {},
	} {
		if got, err := conn.Query([]byte(sql)); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", sql, got, err, want)
		}
	}
	_, err := conn.Query([]byte("SELECT nonsense"))
	if told := new(ServerError); !errors.As(err, &told) || told.Code != 1054 || told.State != "42S22" {
		t.Errorf("%v, want error 1054", err)
	}
}

func testPrepared(t *testing.T, conn *Conn) {
	s, err := conn.Prepare("SELECT 1 FROM (SELECT 7 AS v) t WHERE v = ? OR v = ?")
	if err != nil {
		t.Fatal(err)
	}
	for arg, rows := range map[int64]int{7: 1, 8: 0, -7: 0} {
		if got, err := conn.Execute(s, arg, 0); err != nil || got.Rows != rows {
			t.Errorf("execute with %d: %+v, %v, want %d rows", arg, got, err, rows)
		}
	}
	if _, err := conn.Execute(s, 1); err == nil {
		t.Error("no error with an argument too few")
	}
	if _, err := conn.Prepare("SELECT nonsense FROM"); err == nil {
		t.Error("no error for what cannot be prepared")
	}
}

func testAllocations(t *testing.T, conn *Conn) {
	s, err := conn.Prepare("SELECT ?")
	if err != nil {
		t.Fatal(err)
	}
	sql := []byte("SELECT 1")
	n := testing.AllocsPerRun(50, func() {
		_, qErr := conn.Query(sql)
		_, xErr := conn.Execute(s, 7)
		err = errors.Join(qErr, xErr)
	})
	if n != 0 || err != nil {
		t.Errorf("%v allocations for a query and an execution, error %v", n, err)
	}
}
