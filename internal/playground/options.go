package playground

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// Options say what Start starts. It is a value.
type Options struct {
	// Flavour of every node; required.
	Flavour Flavour
	// Dir holds everything the cluster writes; made where it is missing, used
	// again where it holds a cluster already. Empty: a temporary folder that
	// Stop removes.
	Dir string
	// Slaves beside the master; may be 0.
	Slaves int
	// Master is the name of the node that the others replicate from; empty
	// means node1.
	Master string
	// BasePort: node N listens on BasePort+2(N-1) (its relay) and the port
	// after it (the server). 0: free ports below 32768.
	BasePort int
	// Replicate sets up the servers' own GTID replication from the master to
	// the slaves. Without it the nodes stand alone.
	Replicate bool
	// Relaxed gives up durability against a crash of the machine (not of a
	// server) for speed, as tests want it.
	Relaxed bool
	// GeneralLog has every node log each statement; see Node.GeneralLog.
	GeneralLog bool
	// MaxConnections of each node; 0 means 500.
	MaxConnections int
	// ExtraArgs are added to every server's command line, last.
	ExtraArgs []string
	// Environment is added to that of every server, as KEY=value. Each server is
	// started in a folder of its own, below Dir and named like the node.
	Environment []string
	// App, Operator and Replication are the accounts to create; what is empty
	// is filled in (users app, bellwether and repl; password "app" for the
	// first, random ones for the others). On a folder that holds a cluster
	// already, the accounts are those it was made with.
	App, Operator, Replication Account
	// Logger gets what happens to the nodes; nil means nobody is told.
	Logger *slog.Logger
}

// maxSlaves keeps the fixed ports of one cluster together.
const maxSlaves = 15

func (o Options) withDefaults() (Options, error) {
	if o.Slaves < 0 || o.Slaves > maxSlaves {
		return o, fmt.Errorf("start playground: %d slaves, want 0 to %d", o.Slaves, maxSlaves)
	}
	if o.Master == "" {
		o.Master = nodeName(0)
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = 500
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.App = o.App.or("app", "app")
	o.Operator = o.Operator.or("bellwether", randomPassword())
	o.Replication = o.Replication.or("repl", randomPassword())
	return o, nil
}

// folder makes the cluster's folder, whose path it returns as an absolute one.
func (o Options) folder() (dir string, temporary bool, err error) {
	if o.Dir == "" {
		dir, err = os.MkdirTemp("", "bellwether-")
		return dir, true, err
	}
	if dir, err = filepath.Abs(o.Dir); err != nil {
		return "", false, err
	}
	return dir, false, os.MkdirAll(dir, 0o700)
}

func nodeName(i int) string { return fmt.Sprintf("node%d", i+1) }
