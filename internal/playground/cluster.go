package playground

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// Cluster is a set of running nodes, made by Start. Its fields do not change;
// its methods may be called concurrently.
type Cluster struct {
	Flavour Flavour
	// Version of the servers, such as "9.7.1".
	Version string
	// Dir holds the nodes' data and logs.
	Dir string
	// Nodes in order: node1 first.
	Nodes []*Node
	// Master is the node that the others were set up to replicate from.
	Master *Node
	// Account has all privileges, with grant option, from everywhere: for
	// clients. Operator likewise, for Bellwether itself. Replication may only
	// replicate.
	Account, Operator, Replication Account

	options   Options
	temporary []string // folders that Stop removes
	forker    *forker
	relays    *errgroup.Group
	endRelays context.CancelFunc
	unlock    func()
	stop      func() error
}

// stopPatience is how long a server may take to shut down before it is killed.
const stopPatience = 60 * time.Second

// Start starts one master and its slaves and returns when all answer, and,
// where replication is asked for, when every slave replicates and has caught
// up. All nodes are read-only. On a folder that holds a cluster already it
// goes on with that. The context bounds the start only; Stop ends the cluster.
// An error of Find is returned as it is.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	install, err := Find(o.Flavour)
	if err != nil {
		return nil, err
	}
	c := &Cluster{Flavour: o.Flavour, Version: install.Version, options: o, forker: newForker()}
	c.stop = sync.OnceValue(c.stopAll)
	c.forker.open()
	if err := c.start(ctx, install); err != nil {
		return nil, errors.Join(fmt.Errorf("start playground: %w", err), c.Stop())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, install Install) error {
	relayCtx, cancel := context.WithCancel(context.Background()) //nolint:contextcheck // lives until Stop
	c.endRelays = cancel
	c.relays, relayCtx = errgroup.WithContext(relayCtx)
	if err := c.claimFolder(); err != nil {
		return err
	}
	rec, err := loadRecord(c.Dir, c.options)
	if err != nil {
		return err
	}
	c.Account, c.Operator, c.Replication = rec.App, rec.Operator, rec.Replication
	if err := c.makeNodes(relayCtx, install, rec); err != nil {
		return err
	}
	if err := c.startServers(ctx, install); err != nil {
		return err
	}
	if !c.options.Replicate {
		return nil
	}
	return c.replicate(ctx)
}

// claimFolder makes the folder and locks it against a second cluster.
func (c *Cluster) claimFolder() error {
	dir, temporary, err := c.options.folder()
	if err != nil {
		return err
	}
	c.Dir = dir
	if temporary {
		c.temporary = append(c.temporary, dir)
	}
	c.unlock, err = tryLock(filepath.Join(dir, ".lock"))
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("folder %s is in use by another cluster", dir)
	}
	return err
}

// makeNodes opens a relay for each node, and knows its folders.
func (c *Cluster) makeNodes(ctx context.Context, install Install, rec record) error {
	for i := range c.options.Slaves + 1 {
		relay, direct, err := placeRelay(c.options.BasePort, i)
		if err != nil {
			return err
		}
		c.relays.Go(func() error { return relay.Run(ctx) })
		name := nodeName(i)
		n := &Node{
			Name: name, index: i, dir: filepath.Join(c.Dir, name), directAddr: direct, relay: relay,
			install: install, options: c.options, record: rec, forker: c.forker,
			logger: c.options.Logger.With("node", name),
		}
		c.Nodes = append(c.Nodes, n)
		if name == c.options.Master {
			c.Master = n
		}
		if n.socket, err = c.socketPath(n); err != nil {
			return err
		}
	}
	if c.Master == nil {
		return fmt.Errorf("no node %q among %d", c.options.Master, len(c.Nodes))
	}
	return nil
}

// longestSocket leaves room in the 108 bytes that a Unix socket's path may have.
const longestSocket = 100

// socketPath is in the node's folder, or in a short temporary one where that
// is too long.
func (c *Cluster) socketPath(n *Node) (string, error) {
	if path := filepath.Join(n.dir, "sock"); len(path) <= longestSocket {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "bw-")
	if err != nil {
		return "", fmt.Errorf("make folder for socket: %w", err)
	}
	c.temporary = append(c.temporary, dir)
	return filepath.Join(dir, "sock"), nil
}

func (c *Cluster) startServers(ctx context.Context, install Install) error {
	var template string
	for _, n := range c.Nodes {
		if n.initialised() || template != "" {
			continue
		}
		var err error
		if template, err = install.template(ctx, c.forker); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, n := range c.Nodes {
		group.Go(func() error { return n.firstStart(ctx, template) })
	}
	return group.Wait()
}

// Node returns the node of that name, or nil.
func (c *Cluster) Node(name string) *Node {
	for _, n := range c.Nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// Slaves are all nodes but the master that Start was told of.
func (c *Cluster) Slaves() []*Node {
	var slaves []*Node
	for _, n := range c.Nodes {
		if n != c.Master {
			slaves = append(slaves, n)
		}
	}
	return slaves
}

// Stop shuts all servers down cleanly, in parallel, and returns when no child
// and no goroutine of the cluster is left; a temporary folder is removed. Only
// the first call does so, the others return its result.
func (c *Cluster) Stop() error { return c.stop() }

func (c *Cluster) stopAll() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	c.endRelays() // first: a MySQL with idle clients takes ten seconds to shut down
	err := c.relays.Wait()
	var servers errgroup.Group
	for _, n := range c.Nodes {
		servers.Go(func() error { return n.StopServer(ctx) })
	}
	err = errors.Join(err, servers.Wait())
	c.forker.close()
	if c.unlock != nil {
		c.unlock()
	}
	for _, dir := range c.temporary {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// Logs is the end of every node's error log, for a report on what went wrong.
func (c *Cluster) Logs() string {
	var text string
	for _, n := range c.Nodes {
		text += fmt.Sprintf("--- %s (%s)\n%s\n", n.Name, n.logPath(), tail(n.logPath()))
	}
	return text
}
