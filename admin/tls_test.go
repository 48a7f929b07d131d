package admin

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// certified is a certificate for loopback that signs itself.
func certified(t *testing.T, name string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	raw, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
}

// running is a server on a free port until the test ends.
func running(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestTLS: a certificate that comes with a reload is shown to who connects
// next, and TLS comes and goes.
func TestTLS(t *testing.T) {
	s := serving(healthy())
	running(t, s)
	if shown := ping(t, s, "http"); shown != "" {
		t.Errorf("without TLS: %q", shown)
	}
	for _, name := range []string{"first", "second"} {
		s.Configure(Config{TLS: certified(t, name)})
		if shown := ping(t, s, "https"); shown != name {
			t.Errorf("shown %q, want %q", shown, name)
		}
	}
	s.Configure(Config{})
	if shown := ping(t, s, "http"); shown != "" {
		t.Errorf("without TLS again: %q", shown)
	}
}

// ping calls on a connection of its own and returns whose certificate it saw.
func ping(t *testing.T, s *Server, scheme string) string {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	client := http.Client{Transport: transport, Timeout: time.Minute}
	answer, err := client.Get(scheme + "://" + s.Addr().String() + "/ping")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || strings.TrimSpace(string(body)) != `{"status":"ok"}` {
		t.Fatalf("%q, %v", body, err)
	}
	if answer.TLS == nil {
		return ""
	}
	return answer.TLS.PeerCertificates[0].Subject.CommonName
}
