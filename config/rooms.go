package config

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/proxy/trace"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// ClusterConfig returns what the room of that name is to know.
func (f *File) ClusterConfig() cluster.Config {
	c := cluster.Default()
	c.Operator = cluster.Account{User: f.Operator.User, Password: f.Operator.Value()}
	c.TLS, c.TLSOptional = f.nodeTLS, f.NodeTLS.Mode == "preferred"
	c.ProbeInterval, c.ProbeTimeout = time.Duration(f.Probes.Interval), time.Duration(f.Probes.Timeout)
	c.CatalogueInterval, c.HeartbeatInterval = time.Duration(f.Probes.CatalogueInterval), time.Duration(f.Probes.Heartbeat)
	c.MaxLag, c.SafeFunctions = time.Duration(f.Reads.MaxLag), f.Reads.SafeFunctions
	for _, node := range f.Nodes {
		c.ChangedAlone = c.ChangedAlone || node.REST != ""
		c.Nodes = append(c.Nodes, cluster.NodeConfig{
			Name: node.Name, Addr: node.Address, Weight: node.Weight,
			Master: node.Master || len(f.Nodes) == 1,
			Drain:  node.Drain, Maintenance: node.Maintenance,
		})
	}
	return c
}

// BackendConfig returns what the pools of connections are to know.
func (f *File) BackendConfig() backend.Config {
	return backend.Config{
		MaxPerNode:     f.Pool.MaxPerNode,
		IdleTimeout:    time.Duration(f.Pool.IdleTimeout),
		ConnectTimeout: time.Duration(f.Pool.ConnectTimeout),
		AcquireTimeout: time.Duration(f.Pool.WaitTimeout),
		VerifyInterval: time.Duration(f.Pool.VerifyInterval),
		TLS:            tlsMode(f.NodeTLS.Mode),
		TLSConfig:      f.nodeTLS,
	}
}

func tlsMode(word string) wire.TLSMode {
	for _, mode := range []wire.TLSMode{wire.TLSOff, wire.TLSPreferred, wire.TLSRequired, wire.TLSVerify} {
		if mode.String() == word {
			return mode
		}
	}
	return wire.TLSUnknown
}

// loadNodeTLS makes the settings for TLS towards the nodes; nil where it is off.
func (f *File) loadNodeTLS() (*tls.Config, error) {
	if f.NodeTLS.Mode == "off" {
		return nil, nil
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: f.NodeTLS.Mode != "verify"}
	if f.NodeTLS.CA == "" {
		return settings, nil
	}
	content, err := os.ReadFile(f.NodeTLS.CA)
	if err != nil {
		return nil, err
	}
	settings.RootCAs = x509.NewCertPool()
	if !settings.RootCAs.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", f.NodeTLS.CA)
	}
	return settings, nil
}

// ProxyConfig returns what the room of that name is to know. TLS and RSA are
// set where the file names a certificate; else they are the caller's to make,
// unless the mode is off.
func (f *File) ProxyConfig() proxy.Config {
	c := proxy.Config{
		Listen:           f.Proxy.Listen,
		MaxClients:       f.Proxy.MaxClients,
		HandshakeTimeout: time.Duration(f.Proxy.HandshakeTimeout),
		MaxPacket:        int(f.Proxy.MaxPacket),
		CausalWait:       time.Duration(f.Reads.CausalWait),
		HoldTimeout:      time.Duration(f.Proxy.HoldTimeout),
		Failover:         f.Proxy.Failover.settings(),
		SlowWriters: proxy.SlowWriters{
			Lag: time.Duration(f.Replication.SlowWriters.Lag), Most: time.Duration(f.Replication.SlowWriters.Most),
		},
		Digests:    f.Proxy.Digests,
		Traces:     trace.Config{Endpoint: f.Proxy.Traces.Endpoint, OneIn: f.Proxy.Traces.OneIn},
		Rules:      *f.Rules(),
		RequireTLS: f.Proxy.TLS.Mode == "required",
	}
	if f.served != nil {
		c.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*f.served}}
		c.RSA, _ = f.served.PrivateKey.(*rsa.PrivateKey)
	}
	c.Consistency, _ = router.ParseConsistency(f.Proxy.Consistency) // the word was checked
	for _, user := range f.Users {
		if !user.passesThrough() {
			c.Users = append(c.Users, user.account())
		}
		if wish, err := router.ParseConsistency(user.Consistency); err == nil {
			if c.Consistencies == nil {
				c.Consistencies = map[string]router.Consistency{}
			}
			c.Consistencies[user.Name] = wish
		}
	}
	return c
}

// account is what the proxy is to know of a configured user.
func (u User) account() proxy.User {
	account := proxy.User{Name: u.Name}
	if u.NativeHash != "" {
		account.NativeHash, _ = wire.ParseNativeHash(u.NativeHash) // it was checked
		return account
	}
	if u.Hash != "" {
		account.SHA2Hash, _ = wire.ParseSHA2Hash(u.Hash) // so was this
		return account
	}
	account.Secret = wire.PasswordSecret(u.Value())
	hash := account.Secret.NativeHash()
	account.NativeHash = hash[:]
	return account
}

// loadCertificate reads what the proxy shows its clients; nil where the file
// names nothing or TLS is off.
func (f *File) loadCertificate() (*tls.Certificate, error) {
	if f.Proxy.TLS.Mode == "off" || f.Proxy.TLS.Certificate == "" {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(f.Proxy.TLS.Certificate, f.Proxy.TLS.Key)
	if err != nil {
		return nil, err
	}
	return &certificate, nil
}

// Rules returns what the router is to know.
func (f *File) Rules() *router.Rules {
	rules := &router.Rules{
		IgnoreHints: f.Reads.IgnoreHints, MasterOnly: f.Reads.MasterOnly,
		SafeFunctions: make(map[string]struct{}, len(f.Reads.SafeFunctions)),
	}
	for _, name := range f.Reads.SafeFunctions {
		name = strings.ToLower(name)
		rules.SafeFunctions[name[strings.LastIndexByte(name, '.')+1:]] = struct{}{}
	}
	return rules
}
