package rawmysql

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const (
	capLongPassword     = 1 << 0
	capLongFlag         = 1 << 2
	capConnectWithDB    = 1 << 3
	capProtocol41       = 1 << 9
	capTransactions     = 1 << 13
	capSecureConnection = 1 << 15
	capPluginAuth       = 1 << 19
	capDeprecateEOF     = 1 << 24

	wanted   = capLongPassword | capLongFlag | capProtocol41 | capTransactions | capSecureConnection | capPluginAuth | capDeprecateEOF
	required = capProtocol41 | capSecureConnection | capPluginAuth | capDeprecateEOF

	utf8mb4GeneralCI = 45
	nonceSize        = 20
)

// greeting is what is used of the server's first packet.
type greeting struct {
	version      string
	threadID     uint32
	capabilities uint32
	plugin       string
	nonce        [nonceSize]byte
}

// login runs the connection phase up to the final OK.
func (c *Conn) login(cfg *Config) error {
	payload, err := c.read()
	if err != nil {
		return fmt.Errorf("read greeting: %w", err)
	}
	g, err := parseGreeting(payload)
	if err != nil {
		return err
	}
	c.info = ServerInfo{Version: g.version, ThreadID: g.threadID}
	a := &exchange{conn: c, password: cfg.Password, plugin: g.plugin, nonce: g.nonce}
	if err := c.sendResponse(cfg, a); err != nil {
		return err
	}
	return a.run()
}

// parseGreeting reads a HandshakeV10 packet.
func parseGreeting(p []byte) (*greeting, error) {
	if len(p) > 0 && p[0] == headerError {
		return nil, parseError(p)
	}
	end := bytes.IndexByte(p, 0)
	if end < 1 || p[0] != 10 || len(p) < end+1+4+8+1+2+1+2+2+1+10+13 {
		return nil, fmt.Errorf("greeting of %d bytes: %w", len(p), ErrProtocol)
	}
	g := &greeting{version: string(p[1:end])}
	p = p[end+1:]
	g.threadID = binary.LittleEndian.Uint32(p)
	copy(g.nonce[:8], p[4:12])
	p = p[13:]
	g.capabilities = uint32(binary.LittleEndian.Uint16(p)) | uint32(binary.LittleEndian.Uint16(p[5:]))<<16
	p = p[2+1+2+2+1+10:]
	copy(g.nonce[8:], p[:12])
	name, _, _ := bytes.Cut(p[13:], []byte{0})
	g.plugin = string(name)
	if g.capabilities&required != required {
		return nil, fmt.Errorf("server capabilities %#x lack %#x: %w", g.capabilities, required&^g.capabilities, ErrProtocol)
	}
	return g, nil
}

// sendResponse answers the greeting. A plugin that is not known here is
// answered with caching_sha2_password; the server then switches or refuses.
func (c *Conn) sendResponse(cfg *Config, a *exchange) error {
	if a.plugin != pluginNative {
		a.plugin = pluginSHA2
	}
	flags := uint32(wanted)
	if cfg.Database != "" {
		flags |= capConnectWithDB
	}
	answer := a.scramble()
	c.begin()
	c.out = binary.LittleEndian.AppendUint32(c.out, flags)
	c.out = binary.LittleEndian.AppendUint32(c.out, maxPayload)
	c.out = append(c.out, utf8mb4GeneralCI)
	c.out = append(c.out, make([]byte, 23)...)
	c.out = append(append(c.out, cfg.User...), 0)
	c.out = append(append(c.out, byte(len(answer))), answer...)
	if cfg.Database != "" {
		c.out = append(append(c.out, cfg.Database...), 0)
	}
	c.out = append(append(c.out, a.plugin...), 0)
	return c.send()
}
