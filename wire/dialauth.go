package wire

import (
	"bytes"
	"crypto/rsa"
	"crypto/tls"
	"fmt"
)

// step reads the node's next packet of the exchange and does what it asks; true
// when the connection is logged in.
func (h *nodeHandshake) step() (bool, error) {
	payload, err := h.conn.ReadPacket()
	if err != nil {
		return false, fmt.Errorf("read node's verdict: %w", err)
	}
	if len(payload) == 0 {
		return false, ErrMalformed
	}
	switch payload[0] {
	case HeaderOK:
		return true, h.loggedIn(payload)
	case HeaderError:
		return false, serverError(payload)
	case HeaderEOF:
		return false, h.switchPlugin(payload)
	case authMoreData:
		return false, h.more(payload[1:])
	}
	return false, fmt.Errorf("packet 0x%02x in the exchange: %w", payload[0], ErrMalformed)
}

func (h *nodeHandshake) loggedIn(payload []byte) error {
	var ok OK
	if err := ParseOK(payload, h.hello.Capabilities, &ok); err != nil {
		return err
	}
	h.hello.Status, h.hello.Track = ok.Status, bytes.Clone(ok.Track)
	return nil
}

// switchPlugin answers an AuthSwitchRequest.
func (h *nodeHandshake) switchPlugin(payload []byte) error {
	s, err := parseAuthSwitch(payload)
	if err != nil {
		return err
	}
	h.plugin, h.nonce = s.plugin, s.nonce
	switch s.plugin {
	case pluginSHA2, pluginNative:
		auth, ok := h.secret.answer(s.plugin, s.nonce)
		if !ok {
			return ErrNeedPassword
		}
		return h.send(auth)
	case pluginSHA256:
		return h.sha256()
	}
	return fmt.Errorf("%w: %q", ErrAuthPlugin, s.plugin)
}

// sha256RequestKey asks for the public key in sha256_password's exchange.
const sha256RequestKey = 0x01

// sha256 answers sha256_password, which always wants the password itself. MySQL
// names it for accounts that do not exist, too, so as not to give them away.
func (h *nodeHandshake) sha256() error {
	_, encrypted := h.conn.NetConn().(*tls.Conn) // a socket will not do for this plugin
	if h.secret.empty() {
		encrypted = true
	}
	return h.sendPassword(encrypted, sha256RequestKey)
}

// more takes up an AuthMoreData, which only caching_sha2_password sends.
func (h *nodeHandshake) more(data []byte) error {
	if h.plugin != pluginSHA2 || len(data) != 1 {
		return fmt.Errorf("unexpected authentication data for %s: %w", h.plugin, ErrMalformed)
	}
	switch data[0] {
	case sha2FastSuccess:
		return nil // the OK packet follows
	case sha2FullRequired:
		return h.full()
	}
	return fmt.Errorf("authentication data 0x%02x: %w", data[0], ErrMalformed)
}

// full sends the password itself, as caching_sha2_password wants it.
func (h *nodeHandshake) full() error {
	return h.sendPassword(private(h.conn.NetConn()), sha2RequestKey)
}

// sendPassword sends the password in clear, or else encrypted with the node's
// public key, which it asks for with the byte request.
func (h *nodeHandshake) sendPassword(inClear bool, request byte) error {
	password, ok := h.secret.Password()
	if !ok {
		return ErrNeedPassword
	}
	if inClear {
		return h.send(append([]byte(password), 0))
	}
	key, err := h.publicKey(request)
	if err != nil {
		return err
	}
	message, err := encryptPassword(password, h.nonce, key)
	if err != nil {
		return err
	}
	return h.send(message)
}

func (h *nodeHandshake) publicKey(request byte) (*rsa.PublicKey, error) {
	if err := h.send([]byte{request}); err != nil {
		return nil, err
	}
	text, err := h.conn.ReadPacket()
	if err != nil {
		return nil, fmt.Errorf("read node's public key: %w", err)
	}
	if IsError(text) {
		return nil, serverError(text)
	}
	if len(text) == 0 || text[0] != authMoreData {
		return nil, fmt.Errorf("read node's public key: %w", ErrMalformed)
	}
	return parsePublicKey(text[1:])
}

func (h *nodeHandshake) send(payload []byte) error {
	if err := send(h.conn, payload); err != nil {
		return fmt.Errorf("answer node: %w", err)
	}
	return nil
}
