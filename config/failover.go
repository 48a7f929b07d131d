package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/bellwether-db/bellwether/failover"
)

// Failover says what may be done when the master fails.
type Failover struct {
	Automatic bool     `yaml:"automatic" reload:"live"`
	Window    Duration `yaml:"window" reload:"live"`
	MaxLoss   int      `yaml:"max_loss" reload:"live"`
	Prefer    []string `yaml:"prefer" reload:"live"`
	Never     []string `yaml:"never" reload:"live"`
	Frozen    Duration `yaml:"frozen" reload:"live"`
	Rejoin    string   `yaml:"rejoin" oneof:"copy leave" reload:"live"`
}

func defaultFailover() Failover {
	p := failover.DefaultPolicy()
	return Failover{Automatic: p.Automatic, Window: Duration(p.Window), Frozen: Duration(p.Frozen), Rejoin: p.Rejoin.String()}
}

// FailoverConfig returns what the room of that name is to know.
func (f *File) FailoverConfig() failover.Config {
	c := failover.Default()
	c.StateDir, c.Master = f.StateDir, f.ClusterConfig().MasterName()
	c.Policy = failover.Policy{
		Automatic: f.Failover.Automatic, Window: time.Duration(f.Failover.Window), MaxLoss: uint64(max(0, f.Failover.MaxLoss)),
		Prefer: f.Failover.Prefer, Never: f.Failover.Never, DataCentre: map[string]string{},
		Frozen: time.Duration(f.Failover.Frozen), Rejoin: failover.RejoinCopy,
	}
	if f.Failover.Rejoin == failover.RejoinLeave.String() {
		c.Policy.Rejoin = failover.RejoinLeave
	}
	for _, n := range f.Nodes {
		c.Policy.DataCentre[n.Name] = n.DataCentre
	}
	return c
}

func checkFailover(f *File) (problems Problems) {
	for _, list := range []struct {
		path  string
		names []string
	}{{"failover.prefer", f.Failover.Prefer}, {"failover.never", f.Failover.Never}} {
		for i, name := range list.names {
			if !slices.ContainsFunc(f.Nodes, func(n Node) bool { return n.Name == name }) {
				problems = append(problems, f.problem(fmt.Sprintf("%s[%d]", list.path, i), "%q is no node", name))
			}
		}
	}
	if f.Failover.MaxLoss < 0 {
		problems = append(problems, f.problem("failover.max_loss", "%d is less than 0: it is how many acknowledged transactions may be lost, 0 for none", f.Failover.MaxLoss))
	}
	if f.Failover.Frozen < Duration(500*time.Millisecond) {
		problems = append(problems, f.problem("failover.frozen", "%s is less than 500ms: a master that is slow is not dead", f.Failover.Frozen))
	}
	return problems
}
