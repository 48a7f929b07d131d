// Package running finds the Bellwether that runs on a configuration, by the lock of
// its state directory and the address in the file, and calls it as its operator. It
// starts none, and acts on no node.
package running

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/config"
)

// callTimeout bounds one call to a Bellwether that runs.
const callTimeout = 30 * time.Second

// Bellwether is the one that runs on a configuration. It is a value, and safe for
// concurrent use.
type Bellwether struct {
	address, token string
	scheme         string
	client         *http.Client
}

// On finds the one that runs on the configuration in a file.
func On(path string) (Bellwether, error) {
	c, err := config.Load(path)
	if err != nil {
		return Bellwether{}, err
	}
	return Of(c)
}

// Of finds it: by the file, which it was started with, and state_dir.
func Of(c *config.File) (Bellwether, error) {
	alone, release, err := HoldState(c.StateDir)
	if err != nil {
		return Bellwether{}, err
	}
	release()
	if alone {
		return Bellwether{}, fmt.Errorf("no bellwether runs on %s: start it with bellwether serve, or, where there is none yet, set replication.feed in the file beforehand", c.StateDir)
	}
	host, port, err := net.SplitHostPort(c.Admin.Listen)
	if err != nil || port == "0" {
		return Bellwether{}, fmt.Errorf("admin.listen %q does not say where bellwether is: give it a port", c.Admin.Listen)
	}
	switch ip := net.ParseIP(host); {
	case ip == nil || !ip.IsUnspecified():
	case ip.To4() != nil:
		host = "127.0.0.1"
	default:
		host = "::1"
	}
	token, err := Token(c.StateDir)
	found := Bellwether{address: net.JoinHostPort(host, port), token: token, scheme: "http"}
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

// Reload has the file read again.
func (b Bellwether) Reload(ctx context.Context) error {
	_, err := b.whole(ctx, http.MethodPost, "/reload")
	return err
}

// Get is what it answers to a GET, which is to be a 200.
func (b Bellwether) Get(ctx context.Context, path string) ([]byte, error) {
	return b.whole(ctx, http.MethodGet, path)
}

// whole calls without a document, and wants a 200.
func (b Bellwether) whole(ctx context.Context, method, path string) ([]byte, error) {
	status, body, err := b.send(ctx, method, path, nil)
	if err == nil && status != http.StatusOK {
		err = b.refusal(body)
	}
	return body, err
}

// refusal is an answer that says no.
func (b Bellwether) refusal(body []byte) error {
	return fmt.Errorf("bellwether at %s: %s", b.address, detail(body))
}

// Ready is what /readyz says, and whether that is a plain yes.
func (b Bellwether) Ready(ctx context.Context) (text string, yes bool) {
	status, body, err := b.send(ctx, http.MethodGet, "/readyz", nil)
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

// Do calls, with a document or nil, and reads the answer into what is not nil.
func (b Bellwether) Do(ctx context.Context, method, path string, what, into any) error {
	status, body, err := b.send(ctx, method, path, what)
	switch {
	case err != nil:
		return err
	case status >= http.StatusMultipleChoices:
		return b.refusal(body)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read the answer of bellwether at %s: %w", b.address, err)
	}
	return nil
}

// send calls with a document, nil for none.
func (b Bellwether) send(ctx context.Context, method, path string, what any) (status int, body []byte, err error) {
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
	request, err := http.NewRequestWithContext(ctx, method, b.scheme+"://"+b.address+path, document)
	if err != nil {
		return 0, nil, fmt.Errorf("call bellwether: %w", err)
	}
	if what != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Authorization", "Bearer "+b.token)
	answer, err := b.client.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("call bellwether: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	if body, err = io.ReadAll(io.LimitReader(answer.Body, 64<<20)); err != nil {
		return 0, nil, fmt.Errorf("call bellwether: %w", err)
	}
	return answer.StatusCode, body, nil
}

// oneLine makes a text fit for a line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
