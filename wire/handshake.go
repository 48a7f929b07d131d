package wire

import (
	"encoding/binary"
	"fmt"
	"strings"
)

const (
	protocolVersion   = 10
	greetingAuthSize  = nonceSize + 1 // with the NUL behind the nonce
	nonceFirstPart    = 8
	responseFiller    = 23
	sslRequestSize    = 32
	maxAttributeBytes = 4 << 10 // kept of a client; servers keep 512 bytes by default
	// maxHandshakePacket bounds what a peer may send before it has logged in.
	// Attributes alone may take 64 KB.
	maxHandshakePacket = 80 << 10
)

// helloV10 is a server's greeting (page_protocol_connection_phase_packets_protocol_handshake_v10).
type helloV10 struct {
	version      string
	threadID     uint32
	capabilities Capability
	collation    uint8
	status       uint16
	nonce        []byte
	plugin       string
}

// appendHello appends a greeting's payload; nonce must have 20 bytes.
func appendHello(dst []byte, h *helloV10) []byte {
	dst = append(append(append(dst, protocolVersion), h.version...), 0)
	dst = binary.LittleEndian.AppendUint32(dst, h.threadID)
	dst = append(append(dst, h.nonce[:nonceFirstPart]...), 0)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(h.capabilities)) //nolint:gosec // the low half
	dst = append(dst, h.collation)
	dst = binary.LittleEndian.AppendUint16(dst, h.status)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(h.capabilities>>16))
	dst = append(dst, greetingAuthSize)
	dst = append(dst, make([]byte, 10)...)
	dst = append(append(dst, h.nonce[nonceFirstPart:]...), 0)
	return append(append(dst, h.plugin...), 0)
}

// parseHello reads a greeting. MariaDB's extended capabilities, which stand in
// the reserved bytes, are not read: they are never used here.
func parseHello(payload []byte) (*helloV10, error) {
	r := reader{rest: payload}
	if v := r.uint8(); v != protocolVersion {
		return nil, fmt.Errorf("greeting of protocol version %d: %w", v, ErrMalformed)
	}
	h := &helloV10{version: string(r.nulBytes()), threadID: r.uint32()}
	h.nonce = append(h.nonce, r.bytes(nonceFirstPart)...)
	r.uint8()
	h.capabilities = Capability(r.uint16())
	if len(r.rest) > 0 {
		h.parseSecondHalf(&r)
	}
	return h, r.err()
}

func (h *helloV10) parseSecondHalf(r *reader) {
	h.collation, h.status = r.uint8(), r.uint16()
	h.capabilities |= Capability(r.uint16()) << 16
	authSize := int(r.uint8())
	r.bytes(10)
	if h.capabilities.Has(ClientSecureConnection) {
		rest := r.bytes(max(greetingAuthSize-nonceFirstPart, authSize-nonceFirstPart))
		h.nonce = append(h.nonce, trimNUL(rest)...)
	}
	if h.capabilities.Has(ClientPluginAuth) {
		h.plugin = string(r.nulOrRest())
	}
}

// trimNUL takes the NUL off a nonce, where there is one.
func trimNUL(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == 0 {
		return b[:n-1]
	}
	return b
}

// mariaDBPrefix stands before the version of MariaDB up to 10.x, whose replicas
// of old could not read a major version of two digits.
const mariaDBPrefix = "5.5.5-"

func isMariaDB(version string) bool { return strings.Contains(version, "MariaDB") }

func cleanVersion(version string) string {
	if isMariaDB(version) {
		return strings.TrimPrefix(version, mariaDBPrefix)
	}
	return version
}

// response41 is a client's answer to the greeting
// (page_protocol_connection_phase_packets_protocol_handshake_response).
type response41 struct {
	capabilities Capability
	maxPacket    uint32
	collation    uint16
	user         string
	auth         []byte // owned
	database     string
	plugin       string
	attributes   map[string]string
}

// appendSSLRequest appends the first 32 bytes of a response, which a client sends
// alone before it begins TLS.
func appendSSLRequest(dst []byte, r *response41) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(r.capabilities))
	dst = binary.LittleEndian.AppendUint32(dst, r.maxPacket)
	dst = append(dst, byte(r.collation)) // one byte only, as libmysqlclient does
	return append(dst, make([]byte, responseFiller)...)
}

// appendResponse appends a response's payload.
func appendResponse(dst []byte, r *response41) []byte {
	dst = appendSSLRequest(dst, r)
	dst = append(append(dst, r.user...), 0)
	if r.capabilities.Has(ClientPluginAuthLenencData) {
		dst = AppendLenencBytes(dst, r.auth)
	} else {
		dst = append(append(dst, byte(len(r.auth))), r.auth...)
	}
	if r.capabilities.Has(ClientConnectWithDB) {
		dst = append(append(dst, r.database...), 0)
	}
	if r.capabilities.Has(ClientPluginAuth) {
		dst = append(append(dst, r.plugin...), 0)
	}
	if r.capabilities.Has(ClientConnectAttrs) {
		dst = appendAttributes(dst, r.attributes)
	}
	return dst
}

// isSSLRequest reports whether a first packet is just an SSLRequest.
func isSSLRequest(payload []byte) bool {
	return len(payload) == sslRequestSize && Capability(binary.LittleEndian.Uint32(payload)).Has(ClientSSL)
}

// parseResponse reads a response of protocol 4.1. What is in it goes by the flags
// that the client itself set.
func parseResponse(payload []byte) (*response41, error) {
	r := reader{rest: payload}
	resp := &response41{capabilities: Capability(r.uint32()), maxPacket: r.uint32(), collation: uint16(r.uint8())}
	if !resp.capabilities.Has(ClientProtocol41 | ClientSecureConnection) {
		return nil, fmt.Errorf("client of before protocol 4.1: %w", ErrMalformed)
	}
	r.bytes(responseFiller)
	resp.user = string(r.nulBytes())
	if resp.capabilities.Has(ClientPluginAuthLenencData) {
		resp.auth = append(resp.auth, r.lenencBytes()...)
	} else {
		resp.auth = append(resp.auth, r.bytes(int(r.uint8()))...)
	}
	if resp.capabilities.Has(ClientConnectWithDB) {
		resp.database = string(r.nulOrRest())
	}
	resp.parseTail(&r)
	return resp, r.err()
}

// parseTail reads plugin and attributes, which some clients cut short.
func (resp *response41) parseTail(r *reader) {
	resp.plugin = pluginNative
	if resp.capabilities.Has(ClientPluginAuth) && len(r.rest) > 0 {
		resp.plugin = string(r.nulOrRest())
	}
	if resp.capabilities.Has(ClientConnectAttrs) && len(r.rest) > 0 {
		resp.attributes = parseAttributes(r)
	}
}

func appendAttributes(dst []byte, attributes map[string]string) []byte {
	var all []byte
	for name, value := range attributes {
		all = AppendLenencString(AppendLenencString(all, name), value)
	}
	return AppendLenencBytes(dst, all)
}

// parseAttributes reads connection attributes and keeps those that fit into
// maxAttributeBytes; the rest is read over, as servers do.
func parseAttributes(r *reader) map[string]string {
	all := reader{rest: r.lenencBytes()}
	attributes := make(map[string]string)
	for kept := 0; len(all.rest) > 0 && !all.bad; {
		name, value := all.lenencBytes(), all.lenencBytes()
		if kept += len(name) + len(value); kept <= maxAttributeBytes && !all.bad {
			attributes[string(name)] = string(value)
		}
	}
	r.bad = r.bad || all.bad
	return attributes
}

// authSwitch is an AuthSwitchRequest
// (page_protocol_connection_phase_packets_protocol_auth_switch_request).
type authSwitch struct {
	plugin string
	nonce  []byte
}

func appendAuthSwitch(dst []byte, plugin string, nonce []byte) []byte {
	dst = append(append(append(dst, HeaderEOF), plugin...), 0)
	return append(append(dst, nonce...), 0)
}

// parseAuthSwitch reads it; a packet of the header alone asks for the passwords
// of before 4.1 and is malformed here.
func parseAuthSwitch(payload []byte) (authSwitch, error) {
	r := reader{rest: payload}
	header := r.uint8()
	s := authSwitch{plugin: string(r.nulBytes())}
	s.nonce = append(s.nonce, trimNUL(r.rest)...)
	if header != HeaderEOF {
		return s, ErrMalformed
	}
	return s, r.err()
}

// changeUser is a COM_CHANGE_USER (page_protocol_com_change_user). Its answer to
// the challenge of the login is read over: a new challenge is always sent.
type changeUser struct {
	user       string
	database   string
	collation  uint16 // 0: not given
	plugin     string
	attributes map[string]string
}

func parseChangeUser(payload []byte, caps Capability) (*changeUser, error) {
	r := reader{rest: payload}
	if Command(r.uint8()) != ComChangeUser {
		return nil, ErrMalformed
	}
	u := &changeUser{user: string(r.nulBytes())}
	r.bytes(int(r.uint8()))
	u.database = string(r.nulOrRest())
	if len(r.rest) >= 2 {
		u.collation = r.uint16()
	}
	if caps.Has(ClientPluginAuth) && len(r.rest) > 0 {
		u.plugin = string(r.nulOrRest())
	}
	if caps.Has(ClientConnectAttrs) && len(r.rest) > 0 {
		u.attributes = parseAttributes(&r)
	}
	return u, r.err()
}
