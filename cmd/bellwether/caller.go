package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/bellwether-db/bellwether/config"
)

// callTimeout bounds one call to a Bellwether that runs.
const callTimeout = 30 * time.Second

// caller talks to the Bellwether that runs on a configuration. It is a value, and
// safe for concurrent use.
type caller struct {
	address, token string
	scheme         string
	client         *http.Client
}

// newCaller finds it: by the file, which it was started with, and state_dir.
func newCaller(c *config.File) (caller, error) {
	alone, release, err := holdState(c.StateDir)
	if err != nil {
		return caller{}, err
	}
	release()
	if alone {
		return caller{}, fmt.Errorf("no bellwether runs on %s: start it with bellwether serve, or, where there is none yet, set replication.feed in the file beforehand", c.StateDir)
	}
	host, port, err := net.SplitHostPort(c.Admin.Listen)
	if err != nil || port == "0" {
		return caller{}, fmt.Errorf("admin.listen %q does not say where bellwether is: give it a port", c.Admin.Listen)
	}
	switch ip := net.ParseIP(host); {
	case ip == nil || !ip.IsUnspecified():
	case ip.To4() != nil:
		host = "127.0.0.1"
	default:
		host = "::1"
	}
	token, err := adminToken(c.StateDir)
	found := caller{address: net.JoinHostPort(host, port), token: token, scheme: "http"}
	transport := &http.Transport{IdleConnTimeout: callTimeout}
	if shown := c.AdminConfig().TLS; shown != nil {
		found.scheme, transport.TLSClientConfig = "https", pinned(shown.Certificates[0].Certificate[0], c.Admin.TLS.Certificate)
	}
	found.client = &http.Client{Transport: transport}
	return found, err
}

// pinned wants the one certificate of the configuration, whichever name it is
// for: a command line knows an address only, and what is listened on there.
func pinned(certificate []byte, file string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, VerifyConnection: func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, certificate) {
			return fmt.Errorf("the certificate that is shown is not that of %s: if that was renewed, reload", file)
		}
		return nil
	}}
}

// reload has the file read again.
func (c caller) reload(ctx context.Context) error {
	status, body, err := c.call(ctx, http.MethodPost, "/reload")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("bellwether at %s: %s", c.address, detail(body))
	}
	return err
}

// ready is what /readyz says, and whether that is a plain yes.
func (c caller) ready(ctx context.Context) (text string, yes bool) {
	status, body, err := c.call(ctx, http.MethodGet, "/readyz")
	if err != nil {
		return err.Error(), false
	}
	return detail(body), status == http.StatusOK && string(body) == "ok\n"
}

// detail is what an answer says for people.
func detail(body []byte) string {
	var problem struct{ Title, Detail, Remedy string }
	if json.Unmarshal(body, &problem) != nil {
		return oneLine(string(body))
	}
	says := problem.Title + ": " + problem.Detail
	if problem.Remedy != "" {
		says += " (" + problem.Remedy + ")"
	}
	return oneLine(says)
}

func (c caller) call(ctx context.Context, method, path string) (status int, body []byte, err error) {
	return c.send(ctx, method, path, nil)
}

// do calls, with a document or nil, and reads the answer into what is not nil.
func (c caller) do(ctx context.Context, method, path string, what, into any) error {
	status, body, err := c.send(ctx, method, path, what)
	switch {
	case err != nil:
		return err
	case status >= http.StatusMultipleChoices:
		return fmt.Errorf("bellwether at %s: %s", c.address, detail(body))
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read the answer of bellwether at %s: %w", c.address, err)
	}
	return nil
}

// send calls with a document, nil for none.
func (c caller) send(ctx context.Context, method, path string, what any) (status int, body []byte, err error) {
	var document io.Reader
	if what != nil {
		text, err := json.Marshal(what)
		if err != nil {
			return 0, nil, fmt.Errorf("call bellwether: %w", err)
		}
		document = bytes.NewReader(text)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.scheme+"://"+c.address+path, document)
	if err != nil {
		return 0, nil, fmt.Errorf("call bellwether: %w", err)
	}
	if what != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	answer, err := c.client.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("call bellwether: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	if body, err = io.ReadAll(io.LimitReader(answer.Body, 64<<20)); err != nil {
		return 0, nil, fmt.Errorf("call bellwether: %w", err)
	}
	return answer.StatusCode, body, nil
}
