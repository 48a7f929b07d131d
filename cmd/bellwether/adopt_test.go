package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// TestAdopt: a fleet that replicates by itself is fed by Bellwether, then by its
// master again, then by Bellwether, while clients write and read. None of them
// sees an error, nothing is copied, and in the end all nodes have the same.
func TestAdopt(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			servers := playground.ForTest(t, playground.Options{Flavour: flavour, Slaves: 2, Replicate: true, Relaxed: true})
			s := startServingAs(t, servers, demoOptions{proxy: "127.0.0.1:0", admin: freePort(t), feed: "direct"})
			s.bePatient(t, patientHold, 10*time.Second)
			s.checkNeeds(t, "relay", 0, "SET PERSIST sync_binlog = 1;  -- advice", "SET GLOBAL sync_binlog = 1;  -- advice")
			load := startAdoptLoad(t, s)
			before := s.tables(t)
			s.adopt(t, "--dry-run")
			if got := s.sources(t); slices.Contains(got, "bellwether_slave") {
				t.Errorf("a dry run has changed sources: %q", got)
			}
			for _, feed := range []string{"relay", "direct", "relay"} {
				s.adopt(t, "--feed", feed)
				load.progress()
			}
			load.stop()
			s.checkNeeds(t, "relay", 0, "Nothing must change")
			s.checkMust(t)
			s.compareAdopted(t, load.written.Load())
			if after := s.tables(t); !slices.Equal(before, after) {
				t.Errorf("tables were made anew: %q, before %q", after, before)
			}
		})
	}
}

// freePort is an address that nothing listens on, below the ports that the
// system gives to connections.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(20000))
		if l, err := net.Listen("tcp", addr); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

// adopt runs the command and wants it to succeed.
func (s *serving) adopt(t *testing.T, flags ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	begun := time.Now()
	code, stdout, stderr := command(ctx, append([]string{"adopt", "--config", s.house.config.Path()}, flags...)...)
	t.Logf("adopt %q took %v:\n%s%s", flags, time.Since(begun).Round(time.Millisecond), stdout, stderr)
	if code != 0 {
		t.Fatalf("exit code %d; %+v", code, s.house.replicator.Status())
	}
}

// checkNeeds runs check as if a feed were configured, and wants one of some texts.
func (s *serving) checkNeeds(t *testing.T, feed string, want int, texts ...string) {
	t.Helper()
	text, err := os.ReadFile(s.house.config.Path())
	if err != nil {
		t.Fatal(err)
	}
	if text, err = config.WithFeed(s.house.config.Path(), text, feed); err != nil {
		t.Fatal(err)
	}
	path := s.house.config.Path() + ".as-if.yaml"
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; sleep(t.Context(), 100*time.Millisecond) { // slaves may be on their way
		code, stdout, stderr := command(t.Context(), "check", "--config", path)
		if code == want && slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(stdout, text) }) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("check: exit code %d, want %d with %q\n%s%s", code, want, texts, stdout, stderr)
		}
	}
}

// checkMust: what Bellwether cannot set makes check fail, with the SQL.
func (s *serving) checkMust(t *testing.T) {
	t.Helper()
	if s.servers.Flavour == playground.MariaDB {
		return // what it cannot set there takes a restart
	}
	slave := s.servers.Slaves()[0]
	if err := slave.Exec(t.Context(), "SET GLOBAL gtid_mode = ON_PERMISSIVE"); err != nil {
		t.Fatal(err)
	}
	s.checkNeeds(t, "relay", exitFailure, "SET PERSIST gtid_mode = ON;  -- must: gtid_mode")
	if err := slave.Exec(t.Context(), "SET GLOBAL gtid_mode = ON"); err != nil {
		t.Fatal(err)
	}
}

// sources is whom each slave logs in as.
func (s *serving) sources(t *testing.T) (users []string) {
	t.Helper()
	for _, r := range s.house.replicator.Status().Slaves {
		users = append(users, r.Status.SourceUser)
	}
	return users
}

// tables is who each server is, and when its table was made.
func (s *serving) tables(t *testing.T) (all []string) {
	t.Helper()
	identity := "@@server_uuid"
	if s.servers.Flavour == playground.MariaDB {
		identity = "@@server_id"
	}
	if err := s.servers.WaitCaughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, n := range s.servers.Nodes {
		made, err := n.Query(t.Context(), "SELECT CONCAT("+identity+", ' ', CREATE_TIME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop'")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, made)
	}
	return all
}

// compareAdopted wants equal GTID sets, and every row that was acknowledged.
func (s *serving) compareAdopted(t *testing.T, written int64) {
	t.Helper()
	if err := s.servers.WaitCaughtUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	executed := "@@GLOBAL.gtid_executed"
	if s.servers.Flavour == playground.MariaDB {
		executed = "@@GLOBAL.gtid_current_pos"
	}
	var all []string
	for _, n := range s.servers.Nodes {
		text, err := n.Query(t.Context(), "SELECT CONCAT(COUNT(*), ' rows, sum ', SUM(CRC32(CONCAT(worker, '-', number))), ', ', "+executed+") FROM shop.t")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if len(slices.Compact(slices.Clone(all))) != 1 || !strings.HasPrefix(all[0], fmt.Sprintf("%d rows", written)) {
		t.Errorf("the nodes have %q, %d rows were acknowledged", all, written)
	}
}

// adoptLoad is clients that write rows and read them back, each on one
// connection that must not be lost.
type adoptLoad struct {
	t       *testing.T
	end     context.CancelFunc
	workers sync.WaitGroup
	written atomic.Int64
}

func startAdoptLoad(t *testing.T, s *serving) *adoptLoad {
	t.Helper()
	db, l := s.open(t), &adoptLoad{t: t}
	execAll(t, session(t, db), "CREATE DATABASE shop", "CREATE TABLE shop.t (worker INT, number INT, PRIMARY KEY (worker, number))")
	ctx, end := context.WithCancel(context.Background())
	l.end = end
	for worker := range 4 {
		c := session(t, db)
		l.workers.Go(func() { l.work(ctx, c, worker) })
	}
	t.Cleanup(l.stop)
	return l
}

// work writes in the usual way and in transactions, and reads what it wrote.
func (l *adoptLoad) work(ctx context.Context, c *sql.Conn, worker int) {
	for number := 0; ctx.Err() == nil; number++ {
		statements := []string{fmt.Sprintf("INSERT INTO shop.t VALUES (%d, %d)", worker, number)}
		if number%3 == 0 {
			statements = []string{"BEGIN", statements[0], "COMMIT"}
		}
		begun := time.Now()
		for _, statement := range statements {
			if _, err := c.ExecContext(context.Background(), statement); err != nil {
				l.t.Errorf("client %d: %s: %v", worker, statement, err)
				return
			}
		}
		if took := time.Since(begun); took > 10*time.Second {
			l.t.Errorf("client %d: a write took %v", worker, took)
		}
		l.written.Add(1)
		var rows int
		if err := c.QueryRowContext(context.Background(), "SELECT COUNT(*) FROM shop.t WHERE worker = ?", worker).Scan(&rows); err != nil || rows != number+1 {
			l.t.Errorf("client %d reads %d of its %d rows, %v", worker, rows, number+1, err)
			return
		}
		sleep(ctx, time.Millisecond)
	}
}

// progress waits for some writes.
func (l *adoptLoad) progress() {
	l.t.Helper()
	for deadline, from := time.Now().Add(time.Minute), l.written.Load(); l.written.Load() < from+50; sleep(l.t.Context(), 10*time.Millisecond) {
		if time.Now().After(deadline) || l.t.Failed() {
			l.t.Fatal("the clients do not get on")
		}
	}
}

func (l *adoptLoad) stop() {
	l.end()
	l.workers.Wait()
}
