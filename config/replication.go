package config

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy"
	"github.com/bellwether-db/bellwether/replicator"
)

// Replication says how writes get to the slaves. What of it cannot change while
// the stored log is in use is refused by replicator.Accepts.
type Replication struct {
	Feed         string       `yaml:"feed" oneof:"relay direct" reload:"live"`
	Listen       string       `yaml:"listen" reload:"live"`
	Advertise    string       `yaml:"advertise" reload:"live"`
	Policy       string       `yaml:"policy" oneof:"durable degrade" reload:"live"`
	DegradeAfter Duration     `yaml:"degrade_after" reload:"live"`
	Account      SlaveAccount `yaml:"account"`
	Log          StoredLog    `yaml:"stored_log"`
	SlowWriters  SlowWriters  `yaml:"slow_writers"`
}

// SlaveAccount is what slaves log in with on the master where the feed is
// direct.
type SlaveAccount struct {
	User     string `yaml:"user" reload:"live"`
	Password `yaml:",inline"`
}

// SlowWriters says when writers are slowed down for the slaves, and how much.
type SlowWriters struct {
	Lag  Duration `yaml:"lag" reload:"live"`
	Most Duration `yaml:"most" reload:"live"`
}

// StoredLog says where the stored log is and how much of it is kept.
type StoredLog struct {
	Dir      string   `yaml:"dir" reload:"live"`
	FileSize Size     `yaml:"file_size" reload:"live"`
	MaxSize  Size     `yaml:"max_size" reload:"live"`
	MaxAge   Duration `yaml:"max_age" reload:"live"`
	KeyFile  string   `yaml:"key_file" reload:"live"`

	key []byte
}

func defaultReplication() Replication {
	c := replicator.Default()
	return Replication{
		Feed: c.Feed.String(), Listen: c.Listen, Policy: c.Policy.String(), DegradeAfter: Duration(c.DegradeAfter),
		Log:         StoredLog{FileSize: Size(c.FileSize), MaxSize: Size(c.MaxBytes), MaxAge: Duration(c.MaxAge)},
		SlowWriters: SlowWriters{Most: Duration(proxy.Defaults().SlowWriters.Most)},
	}
}

// ReplicatorConfig returns what the room of that name is to know. TLS and RSA
// are the caller's to set.
func (f *File) ReplicatorConfig() replicator.Config {
	c := replicator.Default()
	c.Feed, _ = replicator.ParseFeed(f.Replication.Feed)       // the decoder
	c.Policy, _ = replicator.ParsePolicy(f.Replication.Policy) // checked both
	c.Dir, c.LogDir = filepath.Join(f.StateDir, "replicator"), f.Replication.Log.Dir
	c.Listen, c.Advertise = f.Replication.Listen, f.Replication.Advertise
	c.DegradeAfter = time.Duration(f.Replication.DegradeAfter)
	c.FileSize, c.MaxBytes = int64(f.Replication.Log.FileSize), int64(f.Replication.Log.MaxSize)
	c.MaxAge, c.Key = time.Duration(f.Replication.Log.MaxAge), f.Replication.Log.key
	c.Nodes, c.NodeTLS = f.ClusterConfig(), tlsMode(f.NodeTLS.Mode)
	c.Direct = cluster.Account{User: f.Replication.Account.User, Password: f.Replication.Account.Value()}
	return c
}

func checkReplication(f *File) (problems Problems) {
	r := f.Replication
	problems = f.oneSecret("replication.account", r.Account.Password, 0)
	if r.Account.User == "" && r.Account.Password != (Password{}) {
		problems = append(problems, f.problem("replication.account.user", "is missing: name the account that the slaves use"))
	}
	if s := r.SlowWriters; s.Lag != 0 && s.Lag < Duration(time.Second) {
		problems = append(problems, f.problem("replication.slow_writers.lag", "%s is neither 0s (never) nor at least 1s: probes do not see less", s.Lag))
	}
	if s := r.SlowWriters; s.Most < Duration(time.Millisecond) || s.Most > Duration(10*time.Second) {
		problems = append(problems, f.problem("replication.slow_writers.most", "%s is not between 1ms and 10s", s.Most))
	}
	if r.Feed != replicator.FeedRelay.String() {
		return problems
	}
	if r.Advertise != "" {
		if err := checkAddress(r.Advertise, 1); err != nil {
			problems = append(problems, f.problem("replication.advertise", "%v", err))
		}
	}
	if r.DegradeAfter < Duration(10*time.Millisecond) {
		problems = append(problems, f.problem("replication.degrade_after", "%s is less than 10ms", r.DegradeAfter))
	}
	if r.Log.FileSize < 1<<20 || r.Log.FileSize > 1<<30 {
		problems = append(problems, f.problem("replication.stored_log.file_size", "%s is not between 1MB and 1GB", r.Log.FileSize))
	}
	if r.Log.MaxSize < 2*r.Log.FileSize {
		problems = append(problems, f.problem("replication.stored_log.max_size", "%s is less than two files of %s", r.Log.MaxSize, r.Log.FileSize))
	}
	return problems
}

// loadKey reads what encrypts the stored log; nil where nothing does.
func (f *File) loadKey() ([]byte, error) {
	path := f.Replication.Log.KeyFile
	if path == "" {
		return nil, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(content)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("%s does not hold 64 hexadecimal digits: openssl rand -hex 32 makes them", path)
	}
	return key, nil
}
