package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// malformedURL is how curl ends at a URL that it will not send.
const malformedURL = 3

// places are where the document's addresses are in a test, by port.
func (s *serving) places() map[string]string {
	places := map[string]string{"8001": s.house.admin.Addr().String()}
	for i, port := range []string{"8010", "8009", "8002"} {
		if i < len(s.servers.Nodes) {
			places[port] = s.house.admin.NodeAddr(s.servers.Nodes[i].Name)
		}
	}
	return places
}

// checkDocument runs each command of a file as it stands there, by curl, and looks
// at the nodes.
func (s *serving) checkDocument(t *testing.T, file string) {
	home := t.TempDir()
	direct := "silent\nmax-time = 60\n"
	for port, addr := range s.places() {
		direct += fmt.Sprintf("connect-to = \"localhost:%s:%s\"\n", port, addr)
	}
	if err := os.WriteFile(filepath.Join(home, ".curlrc"), []byte(direct), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(text), "\n\n")[1:] {
		var line strings.Builder
		for _, l := range strings.Split(strings.TrimSuffix(block, "\n"), "\n") {
			mark, rest, _ := strings.Cut(l, " ")
			query, want, _ := strings.Cut(rest, " -> ")
			switch {
			case mark == ">":
				if said := s.curl(t, home, line.String()); strings.TrimSuffix(said, "\n") != rest {
					t.Fatalf("%s\nsaid %s, want %s", line.String(), said, rest)
				}
			case mark == "=":
				s.waitOn(t, s.servers.Nodes, query, want)
			case strings.HasPrefix(mark, "=node"):
				s.waitOn(t, s.named(mark[1:]), query, want)
			default:
				line.WriteString(l + "\n")
			}
		}
	}
}

// named is the one node of a name.
func (s *serving) named(name string) []*playground.Node {
	for _, n := range s.servers.Nodes {
		if n.Name == name {
			return []*playground.Node{n}
		}
	}
	return nil
}

// curl runs a command, and sends what curl refuses to send by a socket.
func (s *serving) curl(t *testing.T, home, line string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "bash", "-c", line)
	command.Env = append(os.Environ(), "CURL_HOME="+home, "HOME="+home, "no_proxy=*")
	said, err := command.Output()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() == malformedURL {
		_, target, _ := strings.Cut(line, "http://localhost:")
		return s.raw(t, s.places()[target[:4]], strings.TrimSuffix(strings.TrimSpace(target[4:]), `"`))
	}
	if err != nil {
		t.Fatalf("%s: %v (curl is needed: apt install curl)", line, err)
	}
	return string(said)
}

// raw sends a GET whose target may have spaces and returns the answer's body.
func (s *serving) raw(t *testing.T, addr, target string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost:8001\r\nConnection: close\r\n\r\n", target); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	return body
}

// waitEverywhere waits until a query has this answer on every node.
func (s *serving) waitEverywhere(t *testing.T, query, want string) {
	t.Helper()
	s.waitOn(t, s.servers.Nodes, query, want)
}

// waitOn waits until a query has this answer on each of some nodes.
func (s *serving) waitOn(t *testing.T, nodes []*playground.Node, query, want string) {
	t.Helper()
	for _, node := range nodes {
		for deadline := time.Now().Add(time.Minute); ; sleep(t.Context(), 10*time.Millisecond) {
			got, err := node.Query(t.Context(), query)
			if err == nil && strings.TrimRight(got, " ") == strings.TrimRight(want, " ") {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s on %s: %q, %v, want %q", query, node.Name, got, err, want)
			}
		}
	}
}

// TestREST is the REST calls against real servers of each family.
func TestREST(t *testing.T) {
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		t.Run(flavour.String(), func(t *testing.T) {
			t.Parallel()
			servers := playground.ForTest(t, playground.Options{Flavour: flavour, Slaves: 2, Relaxed: true})
			s := startServingAs(t, servers, demoOptions{proxy: "127.0.0.1:0", admin: "127.0.0.1:0", feed: "relay"})
			s.bePatient(t, patientHold, 10*time.Second)
			s.checkDocument(t, "document.txt")
			s.checkTypes(t, flavour)
			s.checkAnswers(t)
			s.checkMany(t)
			s.checkBrokenOff(t)
			s.checkSync(t)
			s.checkV1(t)
		})
	}
}

// checkSync: a slave that lost rows by hand is made a copy again and serves.
func (s *serving) checkSync(t *testing.T) {
	slave := s.servers.Slaves()[0]
	loss := []string{"SET sql_log_bin = 0", "DELETE FROM testdb.users"}
	if s.servers.Flavour == playground.MySQL {
		loss = append([]string{"SET GLOBAL super_read_only = 0"}, append(loss, "SET GLOBAL super_read_only = 1")...)
	}
	if err := slave.Exec(t.Context(), loss...); err != nil {
		t.Fatal(err)
	}
	status, body := s.post(t, "/sync", `{"node":"`+s.servers.Master.Name+`"}`)
	if status != http.StatusConflict || !strings.Contains(body, "is the master") {
		t.Errorf("sync of the master: %d %s", status, body)
	}
	status, body = s.get(t, "/sync")
	if status != http.StatusAccepted {
		t.Fatalf("%d %s", status, body)
	}
	count, err := s.servers.Master.Query(t.Context(), "SELECT COUNT(*) FROM testdb.users")
	if err != nil || count == "0" {
		t.Fatalf("%s rows on the master: %v", count, err)
	}
	s.waitEverywhere(t, "SELECT COUNT(*) FROM testdb.users", count)
	for _, slave := range s.servers.Slaves() {
		s.waitServing(t, slave.Name) // and no other is being copied any more
	}
	if _, body = s.get(t, "/nodes"); !strings.Contains(body, `"servesReads":true`) {
		t.Errorf("no slave serves: %s", body)
	}
}
