package main

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// TestOnRealServers is what only the whole house shows, on one cluster of each
// family.
func TestOnRealServers(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			servers := playground.ForTest(t, playground.Options{Flavour: flavour, Slaves: 1, Replicate: true, Relaxed: true})
			s := startServing(t, servers)
			s.bePatient(t, patientHold, 10*time.Second)
			if flavour == playground.MySQL {
				s.checkUserHash(t)
				s.checkCarried(t)
			}
			s.checkMasterAway(t)
			s.checkShutdown(t)
			for _, patience := range []time.Duration{0, 300 * time.Millisecond} {
				startServing(t, servers).checkShutdownOverdue(t, patience)
			}
		})
	}
}

// open returns clients of the proxy.
func (s *serving) open(t *testing.T) *sql.DB {
	t.Helper()
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd = "tcp", s.house.proxy.Addr().String(), s.servers.Account.User, s.servers.Account.Password
	c.TLSConfig = "skip-verify"
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// session is one connection of db.
func session(t *testing.T, db *sql.DB) *sql.Conn {
	t.Helper()
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func execAll(t *testing.T, c *sql.Conn, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := c.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// checkMasterAway: without a master a client gets in, sets its session up and
// asks what kind of server this is; what only the master knows waits for it.
func (s *serving) checkMasterAway(t *testing.T) {
	if err := s.servers.Master.Kill(); err != nil {
		t.Fatal(err)
	}
	for s.house.store.Load().MasterNode().Health != cluster.HealthDown && t.Context().Err() == nil {
		sleep(t.Context(), 10*time.Millisecond)
	}
	begun := time.Now()
	c := session(t, s.open(t))
	execAll(t, c, "SET NAMES utf8mb4", "SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')", "USE mysql", "SELECT CONNECTION_ID()", "SELECT 1")
	var comment, mode string
	var packet int
	if err := c.QueryRowContext(t.Context(), "SELECT @@version_comment, @@max_allowed_packet, @@session.sql_mode").
		Scan(&comment, &packet, &mode); err != nil || comment == "" || packet == 0 || !strings.Contains(mode, "ANSI_QUOTES") {
		t.Errorf("comment %q, packet %d, mode %q: %v", comment, packet, mode, err)
	}
	if took := time.Since(begun); took > patientHold/2 {
		t.Errorf("a session without a master took %v to begin: it waited for one", took)
	}
	waiting, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	var readOnly string
	err := session(t, s.open(t)).QueryRowContext(waiting, "SELECT @@read_only").Scan(&readOnly)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("@@read_only without a master: %q, %v", readOnly, err)
	}
	if err := s.servers.Master.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.waitReady(t)
	if err := c.QueryRowContext(t.Context(), "SELECT @@read_only, @@sql_mode").Scan(&readOnly, &mode); err != nil ||
		readOnly != "0" || !strings.Contains(mode, "ANSI_QUOTES") {
		t.Errorf("with the master back: read_only %q, mode %q: %v", readOnly, mode, err)
	}
}

// checkUserHash: a configured hash is looked at, and a password that it does
// not fit refused although the node would take it.
func (s *serving) checkUserHash(t *testing.T) {
	c := session(t, s.open(t))
	execAll(t, c, "CREATE USER guarded IDENTIFIED BY 'right', other IDENTIFIED BY 'wrong'")
	hash := map[string]string{}
	for _, user := range []string{"guarded", "other"} {
		var text string
		if err := c.QueryRowContext(t.Context(),
			"SELECT CONCAT('0x', HEX(authentication_string)) FROM mysql.user WHERE user = ?", user).Scan(&text); err != nil {
			t.Fatal(err)
		}
		hash[user] = text
	}
	source, err := os.ReadFile(s.house.config.Path())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		hash, password string
		code           uint16
	}{
		{hash["other"], "right", wire.CodeAccessDenied},
		{hash["guarded"], "wrong", wire.CodeAccessDenied},
		{hash["guarded"], "right", 0},
	} {
		rewrite(t, s.house, string(source)+"users:\n  - {name: guarded, hash: \""+step.hash+"\"}\n")
		if err := s.house.reload(); err != nil {
			t.Fatal(err)
		}
		for _, mode := range []wire.TLSMode{wire.TLSOff, wire.TLSRequired} {
			var told *wire.ServerError
			_, err := s.login(t, "guarded", step.password, mode)
			if step.code == 0 && err != nil || step.code != 0 && (!errors.As(err, &told) || told.Code != step.code) {
				t.Errorf("%v, TLS %s: %v", step, mode, err)
			}
		}
	}
}

// checkCarried: the router lets a slave run SET only of variables that the
// pools carry; any other would pin the session there.
func (s *serving) checkCarried(t *testing.T) {
	rows, err := session(t, s.open(t)).QueryContext(t.Context(), "SHOW SESSION VARIABLES")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	classifier, dialect, lent := router.NewClassifier(1), router.Dialect{Flavour: cluster.FlavourMySQL}, 0
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			t.Fatal(err)
		}
		set := classifier.Classify([]byte("SET "+name+" = 1"), dialect, new(router.Scratch))
		if !set.Flags.Has(router.SessionOnly) {
			continue
		}
		lent++
		if !backend.Carried(name) {
			t.Errorf("SET %s may run on a slave, but is not carried", name)
		}
	}
	if err := rows.Err(); err != nil || lent < 10 {
		t.Errorf("%d variables may be set on a slave: %v", lent, err)
	}
}

// checkShutdown: what is under way ends well, idle clients are told, nobody
// else gets in.
func (s *serving) checkShutdown(t *testing.T) {
	db := s.open(t)
	writer, slow, idle := session(t, db), session(t, db), s.dial(t)
	execAll(t, writer, "CREATE DATABASE shutdown", "CREATE TABLE shutdown.t (a INT PRIMARY KEY)", "BEGIN", "INSERT INTO shutdown.t VALUES (1)")
	slept := make(chan error, 1)
	go func() {
		_, err := slow.ExecContext(t.Context(), "DO SLEEP(3)")
		slept <- err
	}()
	s.waitRunning(t, "DO SLEEP(3)")
	s.house.patience.Store(int64(2 * time.Minute)) // nobody is cut before wantEnd gives up
	s.stop()
	wantShutdown(t, idle)
	s.wantNotReady(t)
	if _, err := net.Dial("tcp", s.house.proxy.Addr().String()); err == nil {
		t.Error("a new client got in")
	}
	execAll(t, writer, "INSERT INTO shutdown.t VALUES (2)")
	if err := <-slept; err != nil {
		t.Errorf("the statement that ran: %v", err)
	}
	execAll(t, writer, "COMMIT")
	s.wantEnd(t)
	if err := writer.PingContext(t.Context()); err == nil {
		t.Error("the writer is still served")
	}
	if rows, err := s.servers.Master.Query(t.Context(), "SELECT COUNT(*) FROM shutdown.t"); err != nil || rows != "2" {
		t.Errorf("%s rows of the transaction: %v", rows, err)
	}
}

// checkShutdownOverdue: who takes too long is told, too, and loses its transaction.
func (s *serving) checkShutdownOverdue(t *testing.T, patience time.Duration) {
	s.house.patience.Store(int64(patience))
	c := s.dial(t)
	for _, statement := range []string{"BEGIN", "INSERT INTO shutdown.t VALUES (3)"} {
		c.ResetSequence()
		if err := errors.Join(c.WritePacket(append([]byte{byte(wire.ComQuery)}, statement...)), c.Flush()); err != nil {
			t.Fatal(err)
		}
		if answer, err := c.ReadPacket(); err != nil || answer[0] != wire.HeaderOK {
			t.Fatalf("%s: % x, %v", statement, answer, err)
		}
	}
	s.stop()
	wantShutdown(t, c)
	s.wantEnd(t)
	if rows, err := s.servers.Master.Query(t.Context(), "SELECT COUNT(*) FROM shutdown.t"); err != nil || rows != "2" {
		t.Errorf("%s rows without that of the transaction: %v", rows, err)
	}
}

// dial logs in without a driver, so that the bytes themselves can be looked at.
func (s *serving) dial(t *testing.T) *wire.Conn {
	t.Helper()
	c, err := s.login(t, s.servers.Account.User, s.servers.Account.Password, wire.TLSPreferred)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *serving) login(t *testing.T, user, password string, mode wire.TLSMode) (*wire.Conn, error) {
	c, _, err := wire.Dial(t.Context(), &wire.DialConfig{
		Addr: s.house.proxy.Addr().String(), User: user, Secret: wire.PasswordSecret(password),
		Capabilities: wire.Offered &^ wire.ClientConnectWithDB, Collation: 45, TLS: mode, Timeout: time.Minute,
	})
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

// wantShutdown wants error 1053, as the answer to the next command, and the end.
func wantShutdown(t *testing.T, c *wire.Conn) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	c.ExpectAnswer()
	answer, err := c.ReadPacket()
	if err != nil {
		t.Fatalf("no word of the shutdown: %v", err)
	}
	if told, err := wire.ParseError(answer); err != nil || told.Code != wire.CodeServerShutdown {
		t.Errorf("told %v, %v", told, err)
	}
	if _, err := c.ReadPacket(); !errors.Is(err, io.EOF) {
		t.Errorf("after the word: %v", err)
	}
}

func (s *serving) wantNotReady(t *testing.T) {
	t.Helper()
	answer, err := http.Get("http://" + s.house.admin.Addr().String() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if body, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "shutting down") {
		t.Errorf("/readyz: %s %s, %v", answer.Status, body, err)
	}
}

func (s *serving) wantEnd(t *testing.T) {
	t.Helper()
	select {
	case <-s.ended:
	case <-time.After(time.Minute):
		t.Fatal("it did not end")
	}
}
