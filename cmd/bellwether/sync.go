package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bellwether-db/bellwether/admin/operation"
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/running"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/terminal"
	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/failover"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/fullcopy"
	"github.com/bellwether-db/bellwether/replicator/fullcopy/schema"
)

// syncOptions are the flags of sync.
type syncOptions struct {
	config  string
	from    string
	workers int
	rate    int64 // MB a second
	fresh   bool
	hold    bool
	method  string
	restart time.Duration
}

// usualSync is sync without flags.
var usualSync = syncOptions{workers: 4, method: fullcopy.MethodCopy.String(), restart: 10 * time.Minute}

// asked is whether a Bellwether that runs is to copy, to node or to "" for all.
func (o syncOptions) asked(f *fleet, node string) bool {
	o.config = ""
	return o == usualSync && f.file.Replication.Feed != "direct" && (node == "" || !f.inMaintenance(node))
}

func syncCommand() *cobra.Command {
	o := usualSync
	cmd := &cobra.Command{
		Use:   "sync [NODE] --config FILE",
		Short: "Make a slave a full copy of the master",
		Long: `Sync replaces everything that a slave has by a copy of the master: rows, definitions, accounts. The
master's writes stand still for milliseconds, once. Until it is done the slave has no source, and a
GTID position that no source accepts, so that it serves nothing; an interrupted sync is run again, and
copies only what differs.

Without NODE it takes one slave after the other, each only while another slave could become master.

While bellwether serve runs on this configuration, it is the one that copies: it takes the slave out of
service, and gives it back. Ctrl-C ends the copy; the slave then stays in maintenance until sync is run
again. With any of the flags, or with feed direct, this command copies by itself, and takes only nodes
whose configuration says maintenance: true: set that, sync (it has the configuration read again, and
waits until Bellwether has let go of the node), set it back, reload. Where none runs, none can be
started until sync has ended. A slave that is in sync gets its source from Bellwether.

--method clone has MySQL clone itself (InnoDB tables only, servers of one series): faster with much
data. The slave's server ends and has to be started again, by its supervisor or by you; sync says so,
and waits for it. The operator account needs BACKUP_ADMIN on the source and CLONE_ADMIN on the slave.`,
		Args: cobra.MaximumNArgs(1),
		RunE: terminal.Running(func(cmd *cobra.Command, args []string) error {
			return syncNodes(cmd.Context(), o, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		}),
	}
	terminal.RequireConfig(cmd, &o.config)
	flags := cmd.Flags()
	flags.StringVar(&o.from, "from", "", "copy from this `node`, a slave that has caught up, instead of the master")
	flags.IntVar(&o.workers, "workers", o.workers, "how many ranges are copied at a time")
	flags.Int64Var(&o.rate, "rate", 0, "read at most this many `MB` a second (0: no bound)")
	flags.BoolVar(&o.fresh, "fresh", false, "copy everything anew where an earlier sync was interrupted")
	flags.BoolVar(&o.hold, "hold-definitions", false, "have CREATE, ALTER and DROP wait on a MySQL source until the rows are copied")
	flags.StringVar(&o.method, "method", o.method, "copy: over client connections; clone: MySQL's CLONE INSTANCE")
	flags.DurationVar(&o.restart, "restart-wait", o.restart, "how long the slave may take to be started again after a clone")
	return cmd
}

// syncNodes copies to the node named, or to one slave after the other.
func syncNodes(ctx context.Context, o syncOptions, args []string, out, progress io.Writer) error {
	f, err := loadFleet(o.config)
	if err != nil {
		return err
	}
	alone, release, err := running.HoldState(f.stateDir)
	if err != nil {
		return err
	}
	defer release()
	if node := first(args); !alone && o.asked(f, node) {
		_, err := terminal.Operate(ctx, o.config, operation.Request{Kind: "sync", Node: node}, out, progress)
		return err
	}
	targets, err := f.targets(args, alone)
	if err != nil {
		return err
	}
	source, err := f.source(o.from)
	if err != nil {
		return err
	}
	if !alone {
		if err := letGo(ctx, f.file, targets); err != nil {
			return err
		}
		defer fmt.Fprintf(out, "To let Bellwether use it: set maintenance back in %s, and reload.\n", o.config)
	}
	for _, target := range targets {
		if len(args) == 0 {
			if err := f.keepsCandidate(ctx, target.Name); err != nil {
				return err
			}
		}
		if alone {
			if err := f.endLeft(ctx, target); err != nil {
				return err
			}
		}
		if err := o.copy(ctx, f, source, target, out, progress); err != nil {
			return err
		}
		if alone {
			if err := f.giveBack(target.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o syncOptions) copy(ctx context.Context, f *fleet, source, target control.Node, out, progress io.Writer) error {
	method, err := fullcopy.ParseMethod(o.method)
	if err != nil {
		return err
	}
	c := fullcopy.New(fullcopy.Config{
		Source: source, Target: target, Nodes: f.nodes, Workers: o.workers,
		BytesPerSecond: o.rate << 20, Fresh: o.fresh, HoldDefinitions: o.hold, Method: method, RestartWait: o.restart,
	}, slog.New(slog.NewTextHandler(progress, nil)))
	var result fullcopy.Result
	err = terminal.Showing(ctx, progress, func() string { return target.Name + ": " + c.Progress().String() }, func(ctx context.Context) (err error) {
		result, err = c.Run(ctx)
		return err
	})
	if err != nil {
		if c.Progress().Phase >= fullcopy.PhaseMark {
			err = fmt.Errorf("%w\n%s is an unfinished copy and serves nothing; run sync again, it goes on from there", err, target.Name)
		}
		return err
	}
	if p := c.Progress(); method == fullcopy.MethodClone {
		fmt.Fprintf(out, "%s is a clone of %s at %v: %.1f MB\n", target.Name, source.Name, result.Position, float64(p.Bytes)/1e6)
	} else {
		fmt.Fprintf(out, "%s is a copy of %s at %v: %d tables, %d rows (%d were there), writes stood still for %v\n",
			target.Name, source.Name, result.Position, p.Tables, p.Rows, p.Reused, result.Held.Round(100_000))
	}
	for _, note := range result.Notes {
		fmt.Fprintf(out, "note: %s\n", note)
	}
	if !f.attaches {
		fmt.Fprintf(out, "It has no source: with feed direct and no replication.account Bellwether sets none. Its position is set; give it one with GTID auto-positioning.\n")
	}
	return nil
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// fleet is what sync and verify know of the nodes from files.
type fleet struct {
	file     *config.File
	stateDir string
	nodes    cluster.Config
	master   control.Node
	attaches bool // Bellwether gives slaves their source
}

func loadFleet(path string) (*fleet, error) {
	c, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	wanted, err := withRecordedMaster(c)
	if err != nil {
		return nil, err
	}
	recorded, err := failover.Recorded(c.StateDir)
	if err != nil {
		return nil, err
	}
	f := &fleet{file: c, stateDir: c.StateDir, nodes: wanted, attaches: c.Replication.Feed != "direct" || c.Replication.Account.User != ""}
	f.master, err = f.node(wanted.MasterName())
	f.master.Identity = recorded.Identity
	return f, err
}

// node is a node of the configuration.
func (f *fleet) node(name string) (control.Node, error) {
	for _, n := range f.nodes.Nodes {
		if n.Name == name {
			return control.Node{Name: n.Name, Addr: n.Addr}, nil
		}
	}
	return control.Node{}, fmt.Errorf("node %q: %w", name, cluster.ErrNoNode)
}

// source is whom to copy from.
func (f *fleet) source(name string) (control.Node, error) {
	if name == "" || name == f.master.Name {
		return f.master, nil
	}
	return f.node(name)
}

// slaves are the nodes named, or all but the master.
func (f *fleet) slaves(names []string) (out []control.Node, err error) {
	if len(names) > 0 {
		n, err := f.node(names[0])
		if err == nil && n.Name == f.master.Name {
			err = fmt.Errorf("node %s: %w", n.Name, cluster.ErrIsMaster)
		}
		return []control.Node{n}, err
	}
	for _, n := range f.nodes.Nodes {
		if n.Name != f.master.Name {
			out = append(out, control.Node{Name: n.Name, Addr: n.Addr})
		}
	}
	return out, nil
}

// targets are the slaves that may be copied to: while another Bellwether acts on
// the nodes, only those that it leaves alone.
func (f *fleet) targets(names []string, alone bool) ([]control.Node, error) {
	slaves, err := f.slaves(names)
	if err != nil || alone {
		return slaves, err
	}
	free := slices.DeleteFunc(slices.Clone(slaves), func(s control.Node) bool { return !f.inMaintenance(s.Name) })
	if len(free) < len(slaves) && (len(names) > 0 || len(free) == 0) {
		return nil, fmt.Errorf("a bellwether runs on %s, and acts on every slave that is not in maintenance: set maintenance: true for the node in the configuration, and sync then", f.stateDir)
	}
	return free, nil
}

func (f *fleet) inMaintenance(name string) bool {
	return slices.ContainsFunc(f.nodes.Nodes, func(n cluster.NodeConfig) bool { return n.Name == name && n.Maintenance })
}

// errLastCandidate is why a slave is not taken.
var errLastCandidate = errors.New("no other slave could become master meanwhile")

// keepsCandidate insists on another slave that could become master while one is
// copied to.
func (f *fleet) keepsCandidate(ctx context.Context, target string) error {
	others, err := f.slaves(nil)
	if err != nil {
		return err
	}
	master, err := position(ctx, f.master, f.nodes)
	if err != nil {
		return err
	}
	var why []string
	for _, other := range others {
		if other.Name == target {
			continue
		}
		if f.inMaintenance(other.Name) {
			why = append(why, other.Name+" is in maintenance")
			continue
		}
		set, err := position(ctx, other, f.nodes)
		switch {
		case err != nil:
			why = append(why, err.Error())
		case set.IsEmpty() || !master.ContainsSet(set):
			why = append(why, fmt.Sprintf("%s has %v, which is not of the master's history", other.Name, set))
		default:
			return nil
		}
	}
	return fmt.Errorf("%s is not copied to: %w (name it, to do it all the same): %s", target, errLastCandidate, strings.Join(why, "; "))
}

// position is what a usable node has executed.
func position(ctx context.Context, n control.Node, c cluster.Config) (*cluster.GTIDSet, error) {
	conn, err := schema.Connect(ctx, n, c)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	unfinished, err := fullcopy.Unfinished(ctx, conn)
	if err != nil {
		return nil, err
	}
	if unfinished {
		return nil, fmt.Errorf("%s is an unfinished copy", n.Name)
	}
	set, _, err := conn.Executed(ctx)
	return set, err
}
