package wire

import (
	"bytes"
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
	if s.plugin != pluginSHA2 && s.plugin != pluginNative {
		return fmt.Errorf("%w: %q", ErrAuthPlugin, s.plugin)
	}
	auth, ok := h.secret.answer(s.plugin, s.nonce)
	if !ok {
		return ErrNeedPassword
	}
	h.plugin, h.nonce = s.plugin, s.nonce
	return h.send(auth)
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

// full sends the password itself: in clear where nobody can listen, else
// encrypted with the node's public key.
func (h *nodeHandshake) full() error {
	password, ok := h.secret.Password()
	if !ok {
		return ErrNeedPassword
	}
	if private(h.conn.NetConn()) {
		return h.send(append([]byte(password), 0))
	}
	if err := h.send([]byte{sha2RequestKey}); err != nil {
		return err
	}
	text, err := h.conn.ReadPacket()
	if err != nil {
		return fmt.Errorf("read node's public key: %w", err)
	}
	if IsError(text) {
		return serverError(text)
	}
	if len(text) == 0 || text[0] != authMoreData {
		return fmt.Errorf("read node's public key: %w", ErrMalformed)
	}
	key, err := parsePublicKey(text[1:])
	if err != nil {
		return err
	}
	message, err := encryptPassword(password, h.nonce, key)
	if err != nil {
		return err
	}
	return h.send(message)
}

func (h *nodeHandshake) send(payload []byte) error {
	if err := send(h.conn, payload); err != nil {
		return fmt.Errorf("answer node: %w", err)
	}
	return nil
}
