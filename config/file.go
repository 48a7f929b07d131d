// Package config reads Bellwether's one YAML file and maps it into each
// room's own Config. It is strict: an unknown key, a value of the wrong kind
// or a setting that cannot work is an error with its line, and every such
// error is told at once. It holds no state.
package config

import (
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy"
	"github.com/bellwether-db/bellwether/proxy/backend"
)

// File is the whole configuration. It is not changed once loaded and may then
// be read by any number of goroutines. bellwether.example.yaml explains every
// key.
type File struct {
	StateDir string   `yaml:"state_dir"`
	Log      Log      `yaml:"log"`
	Operator Operator `yaml:"operator"`
	Nodes    []Node   `yaml:"nodes"`
	NodeTLS  NodeTLS  `yaml:"node_tls"`
	Probes   Probes   `yaml:"probes"`
	Proxy    Proxy    `yaml:"proxy"`
	Pool     Pool     `yaml:"pool"`
	Reads    Reads    `yaml:"reads"`
	Users    []User   `yaml:"users"`
	Admin    Admin    `yaml:"admin"`

	Replication Replication `yaml:"replication"`
	Failover    Failover    `yaml:"failover"`

	path     string
	source   []byte
	lines    map[string]int
	warnings []string
	nodeTLS  *tls.Config
	served   *tls.Certificate

	adminServed *tls.Certificate
}

// Path returns the name of the file this configuration was read from.
func (f *File) Path() string { return f.path }

// Source returns the text that this configuration was read from, secrets
// included. It must not be changed.
func (f *File) Source() []byte { return f.source }

// Warnings returns what is no error but should be known, one sentence each.
func (f *File) Warnings() []string { return f.warnings }

// Log says what is logged and how.
type Log struct {
	Level  slog.Level `yaml:"level" reload:"live"`
	Format string     `yaml:"format" oneof:"text json"`
}

// Password is a secret that comes from a file, from the environment or, for a
// demo, from the configuration itself.
type Password struct {
	Inline string `yaml:"password" secret:"true" reload:"live"`
	File   string `yaml:"password_file" reload:"live"`
	Env    string `yaml:"password_env" reload:"live"`

	value string
}

// Value returns the secret. It is empty where none is configured.
func (p Password) Value() string { return p.value }

// Operator is the account that Bellwether itself uses on the nodes.
type Operator struct {
	User     string `yaml:"user" reload:"live"`
	Password `yaml:",inline"`
}

// Node is one database server.
type Node struct {
	Name        string `yaml:"name"`
	Address     string `yaml:"address" reload:"live"`
	Master      bool   `yaml:"master" reload:"ignored"`
	Weight      int    `yaml:"weight" reload:"live"`
	Drain       bool   `yaml:"drain" reload:"live"`
	Maintenance bool   `yaml:"maintenance" reload:"live"`
	DataCentre  string `yaml:"datacentre" reload:"live"`
	REST        string `yaml:"rest" reload:"live"`
}

func (n *Node) setDefaults() { n.Weight = cluster.DefaultWeight }

// NodeTLS says how connections to the nodes are protected.
type NodeTLS struct {
	Mode string `yaml:"mode" oneof:"off preferred required verify" reload:"live"`
	CA   string `yaml:"ca" reload:"live"`
}

// Probes say how the nodes are watched.
type Probes struct {
	Interval          Duration `yaml:"interval" reload:"live"`
	Timeout           Duration `yaml:"timeout" reload:"live"`
	CatalogueInterval Duration `yaml:"catalogue_interval" reload:"live"`
	Heartbeat         Duration `yaml:"heartbeat" reload:"live"`
}

// Proxy is the address that clients use.
type Proxy struct {
	Listen           string   `yaml:"listen"`
	MaxClients       int      `yaml:"max_clients" reload:"live"`
	HandshakeTimeout Duration `yaml:"handshake_timeout" reload:"live"`
	MaxPacket        Size     `yaml:"max_packet" reload:"live"`
	HoldTimeout      Duration `yaml:"hold_timeout" reload:"live"`
	ShutdownTimeout  Duration `yaml:"shutdown_timeout" reload:"live"`
	Consistency      string   `yaml:"consistency" oneof:"session global eventual" reload:"live"`
	Digests          int      `yaml:"digests" reload:"live"`
	Traces           Traces   `yaml:"traces"`
	TLS              TLS      `yaml:"tls"`

	Failover ClientsFailover `yaml:"failover"`
}

// Traces says where spans of statements go.
type Traces struct {
	Endpoint string `yaml:"endpoint"`
	OneIn    int    `yaml:"one_in" reload:"live"`
}

// TLS says how connections of clients are protected.
type TLS struct {
	Mode        string `yaml:"mode" oneof:"off preferred required" reload:"live"`
	Certificate string `yaml:"certificate" reload:"live"`
	Key         string `yaml:"key" reload:"live"`
}

// Pool bounds the connections to each node.
type Pool struct {
	MaxPerNode     int      `yaml:"max_per_node" reload:"live"`
	WaitTimeout    Duration `yaml:"wait_timeout" reload:"live"`
	ConnectTimeout Duration `yaml:"connect_timeout" reload:"live"`
	IdleTimeout    Duration `yaml:"idle_timeout" reload:"live"`
	VerifyInterval Duration `yaml:"verify_interval" reload:"live"`
}

// Reads says which slaves may answer.
type Reads struct {
	MaxLag        Duration `yaml:"max_lag" reload:"live"`
	CausalWait    Duration `yaml:"causal_wait" reload:"live"`
	SafeFunctions []string `yaml:"safe_functions" reload:"live"`
	IgnoreHints   bool     `yaml:"ignore_hints" reload:"live"`
	MasterOnly    bool     `yaml:"master_only" reload:"live"`
}

// User is an account of the nodes that Bellwether is told beforehand, for
// clients that cannot hand their password through, or with a wish for its reads.
type User struct {
	Name        string `yaml:"name"`
	Password    `yaml:",inline"`
	NativeHash  string `yaml:"native_hash" secret:"true" reload:"live"`
	Hash        string `yaml:"hash" secret:"true" reload:"live"`
	Consistency string `yaml:"consistency" oneof:"session global eventual" reload:"live"`
}

// passesThrough reports whether nothing is told of the user's password.
func (u User) passesThrough() bool {
	return u.NativeHash == "" && u.Hash == "" && u.Password == (Password{})
}

// defaults returns the configuration of an empty file: what each room has
// where nothing is said.
func defaults() *File {
	watch, clients, pools := cluster.Default(), proxy.Defaults(), backend.Defaults()
	return &File{
		Log:     Log{Level: slog.LevelInfo, Format: "text"},
		NodeTLS: NodeTLS{Mode: "preferred"},
		Probes: Probes{
			Interval:          Duration(watch.ProbeInterval),
			Timeout:           Duration(watch.ProbeTimeout),
			CatalogueInterval: Duration(watch.CatalogueInterval),
			Heartbeat:         Duration(watch.HeartbeatInterval),
		},
		Proxy: Proxy{
			Listen:           clients.Listen,
			MaxClients:       clients.MaxClients,
			HandshakeTimeout: Duration(clients.HandshakeTimeout),
			MaxPacket:        Size(clients.MaxPacket),
			HoldTimeout:      Duration(clients.HoldTimeout),
			Failover:         defaultClientsFailover(),
			ShutdownTimeout:  Duration(10 * time.Second),
			Consistency:      clients.Consistency.String(),
			Digests:          clients.Digests,
			Traces:           Traces{OneIn: clients.Traces.OneIn},
			TLS:              TLS{Mode: "preferred"},
		},
		Pool: Pool{
			MaxPerNode:     pools.MaxPerNode,
			WaitTimeout:    Duration(pools.AcquireTimeout),
			ConnectTimeout: Duration(pools.ConnectTimeout),
			IdleTimeout:    Duration(pools.IdleTimeout),
			VerifyInterval: Duration(pools.VerifyInterval),
		},
		Reads: Reads{MaxLag: Duration(watch.MaxLag), CausalWait: Duration(clients.CausalWait)},
		Admin: defaultAdmin(),

		Replication: defaultReplication(),
		Failover:    defaultFailover(),
	}
}
