package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/failover"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator"
)

// startServers starts the playground of the demo's folder, or goes on with it.
func (d *demoRun) startServers(ctx context.Context) (*playground.Cluster, error) {
	flavour, err := d.flavour()
	if err != nil {
		return nil, err
	}
	recorded, err := failover.Recorded(d.folder.state())
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(d.out, "Starting %s: a master and %s in %s\n", title(flavour), count(d.options.slaves, "slave"), d.folder)
	servers, err := playground.Start(ctx, playground.Options{
		Flavour:   flavour,
		Dir:       d.folder.servers(),
		Slaves:    d.options.slaves,
		Master:    recorded.Master,
		BasePort:  d.options.basePort,
		Replicate: d.options.feed == replicator.FeedDirect.String(),
		App:       playground.Account{User: "demo", Password: d.record.Password},
		Logger:    slog.New(slog.NewTextHandler(d.logs, nil)),
	})
	if err != nil {
		return nil, withAdvice(err, "--base-port")
	}
	return servers, nil
}

// stopServers ends every child process.
func (d *demoRun) stopServers(servers *playground.Cluster) error {
	if err := servers.Stop(); err != nil {
		return fmt.Errorf("stop the servers: %w", err)
	}
	return nil
}

// flavour is what --servers asks for, that of the folder's servers for auto,
// or the first one that can be had.
func (d *demoRun) flavour() (playground.Flavour, error) {
	word := d.options.servers
	if word == "auto" && d.record.Flavour != "" {
		word = d.record.Flavour
	}
	if word != "auto" {
		flavour, err := playground.ParseFlavour(word)
		if err != nil {
			return flavour, fmt.Errorf("--servers: %w", err)
		}
		return flavour, d.remember(flavour)
	}
	var problems []error
	for _, flavour := range []playground.Flavour{playground.MySQL, playground.MariaDB} {
		if _, err := playground.Find(flavour); err != nil {
			problems = append(problems, err)
			continue
		}
		return flavour, d.remember(flavour)
	}
	return 0, fmt.Errorf("no server to start; run scripts/servers.sh or make demo, which fetch MySQL and MariaDB without root:\n%w", errors.Join(problems...))
}

// nodes describes the servers as the configuration and demo.env want them.
func (d *demoRun) nodes(servers *playground.Cluster) []demoNode {
	var nodes []demoNode
	for _, node := range servers.Nodes {
		nodes = append(nodes, demoNode{name: node.Name, addr: node.Addr(), pid: node.PID(), master: node == servers.Master})
	}
	return nodes
}

// readyTimeout bounds how long the nodes may take to be seen ready.
const readyTimeout = 30 * time.Second

// waitReady waits until the master takes writes, every slave serves reads, and
// /readyz has nothing to say against it.
// It reports false once ctx has ended.
func (d *demoRun) waitReady(ctx context.Context, h *house) (bool, error) {
	bounded, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for weak := "unknown"; weak != "" || !serveBut(h.store.Load(), putAside(h.store.Load())); weak, _ = h.replicator.Unprotected() {
		select {
		case <-tick.C:
		case <-bounded.Done():
			if ctx.Err() != nil {
				return false, nil
			}
			return false, fmt.Errorf("the servers were not ready within %v (log: %s): %s %s", readyTimeout, d.folder.log(), unready(h.store.Load()), weak)
		}
	}
	return true, nil
}

// allServe reports whether the master takes writes and every other node reads.
func allServe(t *cluster.Topology) bool { return serveBut(t, 0) }

// serveBut is allServe, but for so many slaves at most.
func serveBut(t *cluster.Topology, slaves int) bool {
	master := t.MasterNode()
	return master != nil && master.Health == cluster.HealthUp && !master.ReadOnly &&
		t.Writes == cluster.WritesOpen && len(t.Readable)+slaves >= len(t.Nodes)-1 && t.Catalogue.Known
}

// putAside is how many slaves serve nothing because somebody wants it so: a demo
// goes on with what was done in it.
func putAside(t *cluster.Topology) (slaves int) {
	for i := range t.Nodes {
		if n := &t.Nodes[i]; i != t.Master && (n.Drain || n.Maintenance || n.Touched != "" || n.Weight == 0) {
			slaves++
		}
	}
	return slaves
}

func title(f playground.Flavour) string {
	if f == playground.MariaDB {
		return "MariaDB"
	}
	return "MySQL"
}

func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
