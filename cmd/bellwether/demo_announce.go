package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// announce writes demo.env and tells what there is to see.
func (d *demoRun) announce(h *house, servers *playground.Cluster) error {
	environment := d.environment(h, servers)
	if err := writeWhole(d.folder.environment(), environment); err != nil {
		return err
	}
	return d.welcome(h, servers)
}

// environment is what demo.env says, for scripts.
func (d *demoRun) environment(h *house, servers *playground.Cluster) string {
	var s settings
	s.add("BELLWETHER_PROXY", h.proxy.Addr())
	s.add("BELLWETHER_ADMIN", "http://"+h.admin.Addr().String())
	s.add("BELLWETHER_TOKEN", d.record.Token)
	s.add("BELLWETHER_USER", servers.Account.User)
	s.add("BELLWETHER_PASSWORD", servers.Account.Password)
	s.add("BELLWETHER_PID", os.Getpid())
	s.add("BELLWETHER_CONFIG", d.folder.config())
	s.add("SERVER_FLAVOUR", servers.Flavour)
	for i, node := range d.nodes(servers) {
		s.add(fmt.Sprintf("NODE%d_NAME", i+1), node.name)
		s.add(fmt.Sprintf("NODE%d_ADDR", i+1), node.addr)
		s.add(fmt.Sprintf("NODE%d_PID", i+1), node.pid)
		s.add(fmt.Sprintf("NODE%d_REST", i+1), "http://"+h.admin.NodeAddr(node.name))
	}
	return s.text.String()
}

// welcome prints how to connect and what to try.
func (d *demoRun) welcome(h *house, servers *playground.Cluster) error {
	var text strings.Builder
	fmt.Fprintf(&text, "Ready after %.1f s: %s %s\n\n", time.Since(d.begun).Seconds(), title(servers.Flavour), servers.Version)
	fmt.Fprintf(&text, "  clients  %s\n  admin    http://%s/\n", h.proxy.Addr(), h.admin.Addr())
	fmt.Fprintf(&text, "  rest     http://%s/select and its kin, open to everybody on this machine\n", h.admin.Addr())
	for _, node := range d.nodes(servers) {
		role := "slave"
		if node.master {
			role = "master"
		}
		fmt.Fprintf(&text, "  %-7s  %s, process %d, %s, rest http://%s/\n", node.name, node.addr, node.pid, role, h.admin.NodeAddr(node.name))
	}
	fmt.Fprintf(&text, "  folder   %s\n\n", d.folder)
	d.invite(&text, h, servers)
	_, err := io.WriteString(d.out, text.String())
	return err
}

// invite adds the command to connect with and three things to try.
func (d *demoRun) invite(text *strings.Builder, h *house, servers *playground.Cluster) {
	host, port, _ := net.SplitHostPort(h.proxy.Addr().String()) // it is an address
	fmt.Fprintf(text, "Connect:\n  %s --host %s --port %s --user %s --password=%s\n\n",
		client(servers.Flavour), host, port, servers.Account.User, servers.Account.Password)
	fmt.Fprintf(text, `Three things to try:
  1. Write there, and read it back:
       CREATE DATABASE shop; CREATE TABLE shop.item (id INT PRIMARY KEY, name VARCHAR(20));
       INSERT INTO shop.item VALUES (1, 'bell'); SELECT * FROM shop.item;
     The write went to the master. Connect once more, SELECT again, and see who answered:
       curl -s http://%s/metrics | grep ^bellwether_statements
  2. Ask where a statement goes, and why:
       %s explain "SELECT * FROM shop.item WHERE id = 1 FOR UPDATE"
`, h.admin.Addr(), program())
	if len(servers.Slaves()) > 0 {
		fmt.Fprintf(text, `  3. Kill the master, and go on writing where you are connected:
       kill -9 %d
     A slave takes its place; %s. What was done, and why:
       %s incidents --config %s
`, servers.Master.PID(), d.fate(), program(), d.folder.config())
	} else {
		fmt.Fprintf(text, "  3. See what each node is, and whether anything has to change:\n       %s check --config %s\n", program(), d.folder.config())
	}
	fmt.Fprintf(text, "\nCtrl-C stops everything%s.\n", d.farewell())
}

// fate is what becomes of a master that is killed.
func (d *demoRun) fate() string {
	if d.options.noRestart {
		return "it stays dead (--no-restart)"
	}
	return fmt.Sprintf("%v later the demo starts it again, and it is a slave", restartAfter)
}

func (d *demoRun) farewell() string {
	if d.options.dir == "" {
		return " and removes the folder"
	}
	return "; the next demo in this folder goes on with its data"
}

// client is a command-line client: the flavour's own, the other one's, or the
// one that came with the servers.
func client(f playground.Flavour) string {
	name := "mysql"
	if f == playground.MariaDB {
		name = "mariadb"
	}
	if _, err := exec.LookPath(name); err == nil {
		return name
	}
	if cache, err := playground.CacheDir(); err == nil {
		fetched := filepath.Join(cache, "bin", name)
		if _, err := os.Stat(fetched); err == nil {
			return fetched
		}
	}
	return name
}

// program is how this binary was called.
func program() string {
	if strings.ContainsRune(os.Args[0], filepath.Separator) {
		return os.Args[0]
	}
	return "bellwether"
}
