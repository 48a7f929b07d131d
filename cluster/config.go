package cluster

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"time"
)

// Config says which nodes there are and how they are watched. It is a value;
// do not change what its slices hold once it was handed over.
type Config struct {
	Nodes []NodeConfig
	// Operator is the account with which Bellwether itself logs in on nodes.
	Operator Account
	// TLS for the operator's connections; nil means plain.
	TLS *tls.Config
	// TLSOptional lets a node that offers no TLS be talked to in plain.
	TLSOptional bool
	// ProbeInterval is the time between two probes of a node; jitter is added.
	ProbeInterval time.Duration
	// ProbeTimeout bounds one probe, connecting included.
	ProbeTimeout time.Duration
	// HeartbeatInterval is the time between two writes of Bellwether's own on the
	// master, 0 for none: see Heartbeat.
	HeartbeatInterval time.Duration
	// ChangedAlone says that single slaves may be changed by hand, outside the
	// stream: Inspect looks for the privileges that this takes.
	ChangedAlone bool
	// MaxLag is how far a slave may be behind and still serve reads. It comes
	// back at half of it, or after some probes below it.
	MaxLag time.Duration
	// CatalogueInterval is how often the nodes are asked whether their stored
	// functions and views changed behind Bellwether's back.
	CatalogueInterval time.Duration
	// SafeFunctions are names of stored functions and views that only read, as
	// "name" or "schema.name"; statements that use them may go to slaves.
	SafeFunctions []string
}

// NodeConfig is one node of the configuration.
type NodeConfig struct {
	Name string
	Addr string // host:port
	// Weight is the relative share of reads; 0 takes none. See DefaultWeight.
	Weight int
	// Master names the node that is master at the very first start; after that
	// the state file rules.
	Master      bool
	Drain       bool
	Maintenance bool
}

// Account is a user of the nodes. It is a value; it never prints its password.
type Account struct{ User, Password string }

// String returns the user.
func (a Account) String() string { return a.User }

// LogValue keeps the password out of logs.
func (a Account) LogValue() slog.Value { return slog.StringValue(a.User) }

// GoString keeps the password out of %#v.
func (a Account) GoString() string { return fmt.Sprintf("cluster.Account{User:%q}", a.User) }

// leastHeartbeat keeps the heartbeat from being a load.
const leastHeartbeat = 50 * time.Millisecond

// DefaultWeight is a node's share of reads where none is configured, and
// MostWeight the largest that can be.
const (
	DefaultWeight = 1
	MostWeight    = 1000
)

// Default is the configuration of a cluster without nodes.
func Default() Config {
	return Config{
		ProbeInterval:     250 * time.Millisecond,
		ProbeTimeout:      500 * time.Millisecond,
		HeartbeatInterval: 500 * time.Millisecond,
		MaxLag:            10 * time.Second,
		CatalogueInterval: 2 * time.Second,
	}
}

// Validate says everything that is wrong with the configuration, one error a
// line.
func (c Config) Validate() error {
	problems := []error{c.validateNodes(), c.validateMaster()}
	if c.Operator.User == "" {
		problems = append(problems, errors.New("operator account: no user; Bellwether needs an account of its own on every node"))
	}
	for _, d := range []struct {
		name  string
		value time.Duration
		least time.Duration
	}{
		{"probe_interval", c.ProbeInterval, 10 * time.Millisecond}, {"probe_timeout", c.ProbeTimeout, 10 * time.Millisecond},
		{"max_lag", c.MaxLag, time.Millisecond}, {"catalogue_interval", c.CatalogueInterval, 100 * time.Millisecond},
	} {
		if d.value < d.least {
			problems = append(problems, fmt.Errorf("%s: %v is less than %v", d.name, d.value, d.least))
		}
	}
	if c.HeartbeatInterval != 0 && c.HeartbeatInterval < leastHeartbeat {
		problems = append(problems, fmt.Errorf("heartbeat: %v is neither 0 (none) nor at least %v", c.HeartbeatInterval, leastHeartbeat))
	}
	if slices.Contains(c.SafeFunctions, "") {
		problems = append(problems, errors.New("safe_functions: an empty name"))
	}
	return errors.Join(problems...)
}

// validateNodes refuses an empty list, doubles, and addresses without a port.
func (c Config) validateNodes() error {
	if len(c.Nodes) == 0 {
		return errors.New("nodes: the list is empty; an empty list is never accepted")
	}
	var problems []error
	names, addrs := map[string]bool{}, map[string]string{}
	for i, n := range c.Nodes {
		switch {
		case n.Name == "":
			problems = append(problems, fmt.Errorf("nodes: number %d has no name", i+1))
		case names[n.Name]:
			problems = append(problems, fmt.Errorf("node %s: the name is there twice", n.Name))
		case addrs[n.Addr] != "":
			problems = append(problems, fmt.Errorf("node %s: the address %s is that of %s, too", n.Name, n.Addr, addrs[n.Addr]))
		}
		names[n.Name], addrs[n.Addr] = true, n.Name
		problems = append(problems, n.validate())
	}
	return errors.Join(problems...)
}

// CheckAddr refuses an address that no node can have.
func CheckAddr(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if number, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || host == "" || number == 0 {
		return fmt.Errorf("address %q is not of the form host:port", addr)
	}
	return nil
}

func (n NodeConfig) validate() error {
	if err := CheckAddr(n.Addr); err != nil {
		return fmt.Errorf("node %s: %w", n.Name, err)
	}
	if n.Weight < 0 {
		return fmt.Errorf("node %s: weight %d is negative", n.Name, n.Weight)
	}
	return nil
}

// validateMaster refuses two masters.
func (c Config) validateMaster() error {
	var names []string
	for _, n := range c.Nodes {
		if n.Master {
			names = append(names, n.Name)
		}
	}
	if len(names) > 1 {
		return fmt.Errorf("nodes: %q are each named the master; name one", names)
	}
	return nil
}

// MasterName returns the node that the configuration names the master, or "".
func (c Config) MasterName() string {
	for _, n := range c.Nodes {
		if n.Master {
			return n.Name
		}
	}
	return ""
}
