package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/terminal"
	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/internal/playground"
	"github.com/bellwether-db/bellwether/replicator"
)

// demoOptions are the flags of demo.
type demoOptions struct {
	dir      string
	servers  string
	proxy    string
	admin    string
	slaves   int
	basePort int
	feed     string
	// noRestart leaves a server dead that has ended.
	noRestart bool
}

func demoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Start real servers and Bellwether in front of them",
		Long: `Demo starts a master and its slaves as child processes, and Bellwether in front of them, all on
this machine. Ctrl-C stops everything and removes the folder, unless --dir names it: then the
next demo in that folder goes on with its data. A server that ends meanwhile, by kill -9 for example,
is started again after a moment: the demo is the service manager of its servers. --no-restart says otherwise.

The servers are those that scripts/servers.sh fetches (make demo calls it), or what is on PATH.`,
		Args: cobra.NoArgs,
		RunE: terminal.Running(func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), o, cmd.OutOrStdout())
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.dir, "dir", "", "keep everything in this `folder`")
	flags.StringVar(&o.servers, "servers", "auto", "which servers: auto, mysql or mariadb")
	flags.IntVar(&o.slaves, "slaves", 2, "how many slaves the master has, 0 to 15")
	flags.StringVar(&o.proxy, "proxy", "127.0.0.1:3307", "the `address` for clients")
	flags.StringVar(&o.admin, "admin", "127.0.0.1:8001", "the `address` for metrics and health")
	flags.IntVar(&o.basePort, "base-port", demoBasePort, "the servers take two ports each from this one on, the stored log the one behind them, and the nodes' own REST addresses those behind that (with 3310: 8010, 8009, 8002, 8011, ...); 0 takes free ones")
	flags.StringVar(&o.feed, "feed", "relay", "what slaves replicate from: relay (Bellwether's stored log) or direct (the master)")
	flags.BoolVar(&o.noRestart, "no-restart", false, "leave a server dead that has ended, killed for example, instead of starting it again after a moment")
	_ = cmd.MarkFlagDirname("dir")
	_ = cmd.RegisterFlagCompletionFunc("servers",
		cobra.FixedCompletions([]string{"auto", "mysql", "mariadb"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// demoRun is one demo. It belongs to one goroutine.
type demoRun struct {
	options demoOptions
	folder  demoFolder
	record  demoRecord
	out     io.Writer
	logs    io.Writer
	begun   time.Time
}

// demo runs until ctx ends.
func demo(ctx context.Context, o demoOptions, out io.Writer) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	folder, remove, err := openFolder(o.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	logs, err := os.OpenFile(folder.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer func() { err = errors.Join(err, logs.Close()) }()
	record, err := folder.recall()
	if err != nil {
		return err
	}
	d := &demoRun{options: o, folder: folder, record: record, out: &turns{to: out}, logs: logs, begun: time.Now()}
	return d.run(ctx)
}

// check refuses flags that cannot work before anything is started.
func (o demoOptions) check() error {
	if _, err := replicator.ParseFeed(o.feed); err != nil {
		return fmt.Errorf("--feed: %w", err)
	}
	if most := 65535 - 3*(o.slaves+1); o.basePort != 0 && (o.basePort < 1024 || o.basePort > most) {
		return fmt.Errorf("--base-port %d: choose one between 1024 and %d", o.basePort, most)
	}
	listeners := []struct{ flag, address string }{{"--proxy", o.proxy}, {"--admin", o.admin}, {"--base-port", o.log()}}
	for i := range o.slaves + 1 {
		listeners = append(listeners, struct{ flag, address string }{"--base-port", o.rest(i)})
	}
	for _, listener := range listeners {
		l, err := net.Listen("tcp", listener.address)
		if err == nil {
			err = l.Close()
		}
		if err != nil {
			return withAdvice(fmt.Errorf("%s %s: %w", listener.flag, listener.address, err), listener.flag)
		}
	}
	return nil
}

// openFolder makes the demo's folder, and what removes it at the end if
// nobody has named it.
func openFolder(dir string) (demoFolder, func() error, error) {
	if dir == "" {
		made, err := os.MkdirTemp("", "bellwether-demo-")
		if err != nil {
			return "", nil, fmt.Errorf("make folder: %w", err)
		}
		return demoFolder(made), func() error { return os.RemoveAll(made) }, nil
	}
	absolute, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(absolute, 0o700)
	}
	if err != nil {
		return "", nil, fmt.Errorf("make folder: %w", err)
	}
	folder := demoFolder(absolute)
	// The file says that everything is ready, and nothing is.
	if err := os.Remove(folder.environment()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", nil, fmt.Errorf("remove what an earlier demo left: %w", err)
	}
	forget := func() error {
		err := os.Remove(folder.environment())
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	}
	return folder, forget, nil
}

// run starts the servers, then Bellwether, and tells once both are ready.
func (d *demoRun) run(ctx context.Context) (err error) {
	servers, err := d.startServers(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stopServers(servers)) }()
	h, err := d.furnish(servers)
	if err != nil {
		return err
	}
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return h.run(running) })
	group.Go(func() error { return h.reloadOnHangup(running) })
	group.Go(func() error {
		ready, err := d.waitReady(running, h)
		if err == nil && ready {
			err = d.announce(h, servers)
		}
		if err == nil {
			err = d.supervise(running, h, servers)
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			fmt.Fprintln(d.out, "\nStopping. Open transactions have 10 s to end; Ctrl-C again does not wait.")
		}
		return nil
	})
	return group.Wait()
}

// furnish writes the configuration, reads it as `serve` would, and builds the
// house from it.
func (d *demoRun) furnish(servers *playground.Cluster) (*house, error) {
	if err := writeWhole(d.folder.secret(), servers.Operator.Password+"\n"); err != nil {
		return nil, err
	}
	if err := writeWhole(d.folder.appSecret(), servers.Account.Password+"\n"); err != nil {
		return nil, err
	}
	if err := writeWhole(d.folder.slaveSecret(), servers.Replication.Password+"\n"); err != nil {
		return nil, err
	}
	if err := d.shareToken(); err != nil {
		return nil, err
	}
	text := demoConfig(d.options, servers.Operator.User, servers.Replication.User, servers.Account.User, d.nodes(servers))
	if err := writeWhole(d.folder.config(), text); err != nil {
		return nil, err
	}
	c, err := config.Load(d.folder.config())
	if err != nil {
		return nil, fmt.Errorf("load the demo's own configuration: %w", err)
	}
	level := new(slog.LevelVar)
	return build(c, newLogger(c.Log, level, d.logs), level)
}
