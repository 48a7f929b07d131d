package failover

import (
	"errors"
	"path/filepath"
	"time"
)

// Config says where the state lives and who is the first master. It is a value.
type Config struct {
	// StateDir is a directory of this process alone; made if it is missing.
	StateDir string
	// Master is the name of the node that is master at the very first start.
	// Once a state file exists it is not looked at.
	Master string
	// Interval is how often the topology is looked at.
	Interval time.Duration
	// StepTimeout bounds each question to a node, and each order.
	StepTimeout time.Duration
	// Policy at first; see Controller.Configure.
	Policy Policy
}

// Default is the configuration without a directory and a master.
func Default() Config {
	return Config{Interval: 50 * time.Millisecond, StepTimeout: 2 * time.Second, Policy: DefaultPolicy()}
}

// DefaultPolicy promotes by itself, and loses nothing. The window is short: it
// is there against a fault that kills one master after the other, and counts
// from the fifth failover within it. A fleet without a master waits for nothing
// else.
func DefaultPolicy() Policy {
	return Policy{Automatic: true, Window: 30 * time.Second, Frozen: 2 * time.Second, Rejoin: RejoinCopy}
}

// Validate says what is wrong with the configuration. That no master is named
// is only wrong at the first start.
func (c Config) Validate() error {
	var problems []error
	if c.StateDir == "" {
		problems = append(problems, errors.New("state_dir: no directory; the roles must be kept on disk"))
	} else if !filepath.IsAbs(c.StateDir) {
		problems = append(problems, errors.New("state_dir: not an absolute path"))
	}
	if c.Interval <= 0 || c.StepTimeout <= 0 {
		problems = append(problems, errors.New("failover: interval and step timeout must be more than 0"))
	}
	return errors.Join(problems...)
}
