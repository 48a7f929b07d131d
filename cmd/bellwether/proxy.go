package main

import (
	"crypto/tls"
	"fmt"

	"github.com/bellwether-db/bellwether/config"
	"github.com/bellwether-db/bellwether/proxy"
	"github.com/bellwether-db/bellwether/wire"
)

// proxyConfig completes what the file says of the proxy with the certificate
// of state_dir, which is made here if there is none. Its RSA key serves those
// who log in without TLS, also where the file names a certificate of another
// kind.
func proxyConfig(c *config.File) (proxy.Config, error) {
	p := c.ProxyConfig()
	p.Traces.Version, _ = buildVersion()
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
