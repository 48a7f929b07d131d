package wire_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/wire"
)

// node is one real server with a certificate that pool verifies.
type node struct {
	*playground.Node
	flavour playground.Flavour
	account playground.Account
	pool    *x509.CertPool
}

func startNode(t *testing.T, flavour playground.Flavour) *node {
	t.Helper()
	dir := t.TempDir()
	cert, _, err := wire.LoadOrMakeCertificate(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := playground.ForTest(t, playground.Options{Flavour: flavour, Relaxed: true, ExtraArgs: []string{
		"--ssl-cert=" + filepath.Join(dir, "server-cert.pem"), "--ssl-key=" + filepath.Join(dir, "server-key.pem"),
		"--ssl-ca=" + filepath.Join(dir, "server-cert.pem"),
	}})
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &node{Node: c.Master, flavour: flavour, account: c.Account, pool: pool}
}

// config logs in on the node with what is known of the account's password.
func (n *node) config(mode wire.TLSMode, secret wire.Secret) *wire.DialConfig {
	return &wire.DialConfig{
		Addr: n.Addr(), User: n.account.User, Secret: secret, Database: "mysql", Capabilities: wire.Offered &^ wire.Semantic,
		Collation: wire.CollationUTF8MB4, TLS: mode, TLSConfig: &tls.Config{RootCAs: n.pool, MinVersion: tls.VersionTLS12},
		Attributes: map[string]string{"program_name": "wire test"}, Timeout: time.Minute,
	}
}

// forget makes a MySQL node forget which accounts have logged in.
func (n *node) forget(t *testing.T) {
	t.Helper()
	db, err := sql.Open("mysql", n.DSN(n.account.User, n.account.Password, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("FLUSH NO_WRITE_TO_BINLOG PRIVILEGES"); err != nil {
		t.Fatal(err)
	}
}

// dial logs in and checks that the connection serves.
func dial(t *testing.T, cfg *wire.DialConfig) *wire.Conn {
	t.Helper()
	c, hello, err := wire.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if got := scalar(t, c, "SELECT CONNECTION_ID()"); got != strconv.FormatUint(uint64(hello.ThreadID), 10) {
		t.Fatalf("connection id %s, greeted as %d", got, hello.ThreadID)
	}
	return c
}

// command sends a COM_QUERY and returns the first packet of the answer, owned.
func command(t *testing.T, c *wire.Conn, query string) []byte {
	t.Helper()
	c.ResetSequence()
	if err := errors.Join(c.WritePacket(append([]byte{byte(wire.ComQuery)}, query...)), c.Flush()); err != nil {
		t.Fatal(err)
	}
	return packet(t, c)
}

func packet(t *testing.T, c *wire.Conn) []byte {
	t.Helper()
	p, err := c.ReadPacket()
	if err != nil {
		t.Fatal(err)
	}
	if wire.IsError(p) {
		e, _ := wire.ParseError(p)
		t.Fatal(e)
	}
	return bytes.Clone(p)
}

// scalar returns the one value of a query.
func scalar(t *testing.T, c *wire.Conn, query string) string {
	t.Helper()
	return oneRow(t, c, query)[0]
}

// oneRow returns the one row of a query, under ClientDeprecateEOF.
func oneRow(t *testing.T, c *wire.Conn, query string) (values []string) {
	t.Helper()
	columns, _ := wire.ReadLenencInt(command(t, c, query))
	for range columns {
		if _, err := wire.ParseColumn(packet(t, c)); err != nil {
			t.Fatal(err)
		}
	}
	row, err := wire.ParseTextRow(nil, packet(t, c))
	if err != nil || len(row) != int(columns) {
		t.Fatalf("%s: %q, %v", query, row, err)
	}
	var ok wire.OK
	if err := wire.ParseOK(packet(t, c), wire.Offered, &ok); err != nil {
		t.Fatal(err)
	}
	for _, v := range row {
		values = append(values, string(v))
	}
	return values
}

func refused(t *testing.T, cfg *wire.DialConfig, code uint16) {
	t.Helper()
	var e *wire.ServerError
	if _, _, err := wire.Dial(t.Context(), cfg); !errors.As(err, &e) || e.Code != code {
		t.Errorf("got %v, want code %d", err, code)
	}
}

func needsPassword(t *testing.T, cfg *wire.DialConfig) {
	t.Helper()
	if _, _, err := wire.Dial(t.Context(), cfg); !errors.Is(err, wire.ErrNeedPassword) {
		t.Errorf("got %v, want ErrNeedPassword", err)
	}
}

var modes = []wire.TLSMode{wire.TLSOff, wire.TLSPreferred, wire.TLSRequired, wire.TLSVerify}

func hashesOf(password string) (sha2, native wire.Secret) {
	s := wire.PasswordSecret(password)
	sum, _ := s.SHA256()
	sum1, _ := s.SHA1()
	return wire.SHA256Secret(sum), wire.SHA1Secret(sum1)
}

// secured reports, as the node sees it, whether the connection has TLS.
func secured(t *testing.T, c *wire.Conn) bool {
	t.Helper()
	row := oneRow(t, c, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")
	return row[1] != ""
}

func TestDialMySQL(t *testing.T) {
	n := startNode(t, playground.MySQL)
	password := wire.PasswordSecret(n.account.Password)
	sha2, native := hashesOf(n.account.Password)
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) {
			n.forget(t)
			needsPassword(t, n.config(mode, sha2)) // full authentication is asked for
			c := dial(t, n.config(mode, password))
			if got := secured(t, c); got != (mode > wire.TLSOff) {
				t.Errorf("TLS: %v", got)
			}
			dial(t, n.config(mode, sha2)) // the fast path now
			needsPassword(t, n.config(mode, native))
		})
	}
	refusals(t, n)
	t.Run("sha256_password", func(t *testing.T) {
		n.exec(t, "SET GLOBAL read_only = 0", "CREATE USER sha256@'%' IDENTIFIED WITH sha256_password BY 'pw'",
			"CREATE USER sha256open@'%' IDENTIFIED WITH sha256_password", "GRANT SELECT ON mysql.* TO sha256@'%', sha256open@'%'")
		for _, mode := range modes {
			for user, password := range map[string]string{"sha256": "pw", "sha256open": ""} {
				cfg := n.config(mode, wire.PasswordSecret(password))
				cfg.User = user
				dial(t, cfg)
			}
			cfg := n.config(mode, sha2)
			cfg.User = "sha256"
			needsPassword(t, cfg)
			cfg.Secret = wire.PasswordSecret("wrong")
			refused(t, cfg, wire.CodeAccessDenied)
		}
	})
	t.Run("hash", func(t *testing.T) {
		n.exec(t, "CREATE USER hashed@'%' IDENTIFIED WITH caching_sha2_password BY 'pass wörd, and more than thirty-two bytes of it'")
		text, err := n.Query(t.Context(), "SELECT CONCAT('0x', HEX(authentication_string)) FROM mysql.user WHERE user = 'hashed'")
		if err != nil {
			t.Fatal(err)
		}
		hash, err := wire.ParseSHA2Hash(text)
		if err != nil || !hash.Matches("pass wörd, and more than thirty-two bytes of it") || hash.Matches("pass wörd") {
			t.Errorf("%s: %v", text, err)
		}
	})
	t.Run("socket", func(t *testing.T) {
		n.forget(t)
		cfg := n.config(wire.TLSOff, password)
		cfg.Network, cfg.Addr = "unix", n.Socket()
		dial(t, cfg)
		cfg.User, cfg.Secret = "sha256", wire.PasswordSecret("pw") // wants RSA even here
		dial(t, cfg)
	})
	t.Run("ok packets", func(t *testing.T) { roundTripOK(t, n.config(wire.TLSOff, password)) })
}

func TestDialMariaDB(t *testing.T) {
	n := startNode(t, playground.MariaDB)
	password := wire.PasswordSecret(n.account.Password)
	sha2, native := hashesOf(n.account.Password)
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) {
			c := dial(t, n.config(mode, password))
			if got := secured(t, c); got != (mode > wire.TLSOff) {
				t.Errorf("TLS: %v", got)
			}
			dial(t, n.config(mode, native))
			needsPassword(t, n.config(mode, sha2))
		})
	}
	refusals(t, n)
	t.Run("version", func(t *testing.T) {
		c, hello, err := wire.Dial(t.Context(), n.config(wire.TLSOff, password))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := scalar(t, c, "SELECT VERSION()"); got != hello.Version || !hello.MariaDB {
			t.Errorf("version %q, greeted as %q", got, hello.RawVersion)
		}
	})
	t.Run("ok packets", func(t *testing.T) { roundTripOK(t, n.config(wire.TLSOff, password)) })
}

func refusals(t *testing.T, n *node) {
	t.Helper()
	for _, mode := range []wire.TLSMode{wire.TLSOff, wire.TLSRequired} {
		refused(t, n.config(mode, wire.PasswordSecret("wrong")), wire.CodeAccessDenied)
		refused(t, n.config(mode, wire.PasswordSecret("")), wire.CodeAccessDenied)
		for _, name := range []string{"nobody-here", "nobody", "a", "b", "c", "d"} { // MySQL makes up a plugin for each
			stranger := n.config(mode, wire.PasswordSecret("x"))
			stranger.User = name
			refused(t, stranger, wire.CodeAccessDenied)
		}
		lost := n.config(mode, wire.PasswordSecret(n.account.Password))
		lost.Database = "no_such_database"
		refused(t, lost, wire.CodeUnknownDatabase)
	}
	impostor := n.config(wire.TLSVerify, wire.PasswordSecret(n.account.Password))
	impostor.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if _, _, err := wire.Dial(t.Context(), impostor); err == nil {
		t.Error("an unknown certificate passed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := wire.Dial(ctx, n.config(wire.TLSOff, wire.PasswordSecret("x"))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// roundTripOK: what this package makes of a real OK packet it makes again to the
// byte, with session tracking and without.
func roundTripOK(t *testing.T, cfg *wire.DialConfig) {
	t.Helper()
	for _, caps := range []wire.Capability{wire.Offered, wire.Offered &^ wire.ClientSessionTrack} {
		cfg.Capabilities = caps
		c := dial(t, cfg)
		for _, query := range []string{
			"DO 1", "SET SESSION sql_mode = ''", "SET NAMES latin1", "USE mysql", "BEGIN", "COMMIT",
			"SET autocommit = 0", "SET autocommit = 1", "USE information_schema", "USE mysql",
			"CREATE TEMPORARY TABLE wire_ok (a INT AUTO_INCREMENT PRIMARY KEY, b VARCHAR(3))",
			"INSERT INTO wire_ok (b) VALUES ('a'), ('b')", "UPDATE wire_ok SET b = 'c'", "INSERT INTO wire_ok (b) VALUES ('long')",
			"DELETE FROM wire_ok", "DROP TEMPORARY TABLE wire_ok",
		} {
			payload := command(t, c, query)
			var ok wire.OK
			if err := wire.ParseOK(payload, caps, &ok); err != nil {
				t.Errorf("%s: %v", query, err)
			}
			if again := wire.AppendOK(nil, wire.HeaderOK, caps, &ok); !bytes.Equal(again, payload) {
				t.Errorf("%s under %s:\n% x, made again:\n% x", query, caps, payload, again)
			}
		}
	}
}
