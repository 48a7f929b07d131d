package main

import (
	"crypto/tls"
	"fmt"

	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/proxy"
	"github.com/bellwether-db/bellwether/wire"
)

// apply takes over a configuration that differs only in what a running house
// can change. What can still be refused comes first.
func (h *house) apply(next *config.File) error {
	clients, err := proxyConfig(next)
	if err != nil {
		return err
	}
	if _, err := h.registry.Apply(next.ClusterConfig()); err != nil {
		return err
	}
	h.monitor.Apply(next.ClusterConfig())
	h.operator.apply(next.ClusterConfig())
	h.pools.Configure(next.BackendConfig())
	h.proxy.Configure(clients)
	h.level.Set(next.Log.Level)
	return nil
}

// proxyConfig completes what the file says of the proxy with the certificate
// of state_dir, which is made here if there is none. Its RSA key serves those
// who log in without TLS, also where the file names a certificate of another
// kind.
func proxyConfig(c *config.File) (proxy.Config, error) {
	p := c.ProxyConfig()
	if p.RSA == nil {
		certificate, key, err := wire.LoadOrMakeCertificate(c.StateDir)
		if err != nil {
			return p, err
		}
		p.RSA = key
		if p.TLS == nil && c.Proxy.TLS.Mode != "off" {
			p.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}
		}
	}
	if err := p.Validate(); err != nil {
		return p, fmt.Errorf("configure: %w", err)
	}
	return p, nil
}
