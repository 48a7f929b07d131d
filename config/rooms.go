package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// ClusterConfig returns what the room of that name is to know.
func (f *File) ClusterConfig() cluster.Config {
	c := cluster.Default()
	c.Operator = cluster.Account{User: f.Operator.User, Password: f.Operator.Value()}
	c.TLS, c.TLSOptional = f.nodeTLS, f.NodeTLS.Mode == "preferred"
	c.ProbeInterval, c.ProbeTimeout = time.Duration(f.Probes.Interval), time.Duration(f.Probes.Timeout)
	c.CatalogueInterval = time.Duration(f.Probes.CatalogueInterval)
	c.MaxLag, c.SafeFunctions = time.Duration(f.Reads.MaxLag), f.Reads.SafeFunctions
	for _, node := range f.Nodes {
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

// AdminConfig returns what the room of that name is to know.
func (f *File) AdminConfig() admin.Config { return admin.Config{Listen: f.Admin.Listen} }

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
