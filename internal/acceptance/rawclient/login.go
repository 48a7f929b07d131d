package rawclient

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // mysql_native_password is made of it
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
)

// ErrNoTLS is a server that does not offer the TLS that was asked for.
var ErrNoTLS = errors.New("log in: the server offers no TLS")

func (c *Conn) login() error {
	if err := c.begin(); err != nil {
		return err
	}
	greeting, err := c.readPacket()
	if err != nil {
		return err
	}
	if len(greeting) > 0 && greeting[0] == 0xff {
		return &Refused{Packet{Kind: KindErr, Payload: greeting}}
	}
	plugin, scramble, err := c.parseGreeting(greeting)
	if err != nil {
		return err
	}
	if err := c.respond(plugin, scramble); err != nil {
		return err
	}
	c.Login, err = c.authenticate(plugin, scramble)
	return err
}

func (c *Conn) parseGreeting(b []byte) (plugin string, scramble []byte, err error) {
	end := bytes.IndexByte(b, 0)
	if end < 1 || b[0] != 10 || len(b) < end+45 {
		return "", nil, errors.New("parse greeting: malformed")
	}
	c.Version = string(b[1:end])
	b = b[end+1:]
	c.ID = binary.LittleEndian.Uint32(b)
	scramble = slices.Clone(b[4:12])
	c.Offered = uint32(binary.LittleEndian.Uint16(b[13:])) | uint32(binary.LittleEndian.Uint16(b[18:]))<<16
	scramble = append(scramble, b[31:43]...)
	name, _, _ := bytes.Cut(b[44:], []byte{0})
	return string(name), scramble, nil
}

func (c *Conn) capabilities() uint32 {
	flags := always | c.config.Flags
	if c.config.Database != "" {
		flags |= connectWithDB
	}
	if c.config.TLS {
		flags |= useTLS
	}
	if len(c.config.Attributes) > 0 {
		flags |= connectAttrs
	}
	return flags
}

func (c *Conn) respond(plugin string, scramble []byte) error {
	flags := c.capabilities()
	if c.config.TLS && c.Offered&useTLS == 0 {
		return ErrNoTLS
	}
	if missing := flags &^ c.Offered &^ longPassword; missing != 0 {
		return fmt.Errorf("log in: the server does not offer capabilities %#x", missing)
	}
	head := binary.LittleEndian.AppendUint32(nil, flags)
	head = binary.LittleEndian.AppendUint32(head, 1<<30)
	head = append(append(head, c.config.Collation), make([]byte, 23)...)
	if c.config.TLS {
		if err := c.writePacket(head); err != nil {
			return err
		}
		if err := c.upgrade(); err != nil {
			return err
		}
	}
	return c.writePacket(c.appendIdentity(head, plugin, scramble))
}

func (c *Conn) appendIdentity(b []byte, plugin string, scramble []byte) []byte {
	b = append(append(b, c.config.User...), 0)
	proof := answer(plugin, c.config.Password, scramble)
	b = append(appendLenenc(b, uint64(len(proof))), proof...)
	if c.config.Database != "" {
		b = append(append(b, c.config.Database...), 0)
	}
	b = append(append(b, plugin...), 0)
	if len(c.config.Attributes) > 0 {
		b = appendAttributes(b, c.config.Attributes)
	}
	return b
}

func appendAttributes(b []byte, attributes map[string]string) []byte {
	var all []byte
	for name, value := range attributes {
		all = append(appendLenenc(all, uint64(len(name))), name...)
		all = append(appendLenenc(all, uint64(len(value))), value...)
	}
	return append(appendLenenc(b, uint64(len(all))), all...)
}

// authenticate goes on until the server says OK or ERR.
func (c *Conn) authenticate(plugin string, scramble []byte) (Packet, error) {
	c.FullAuth = false
	for {
		b, err := c.readPacket()
		if err != nil {
			return Packet{}, err
		}
		c.Plugin = plugin
		switch {
		case len(b) == 0:
			return Packet{}, errors.New("log in: empty packet")
		case b[0] == 0:
			return Packet{Kind: KindOK, Payload: b}, nil
		case b[0] == 0xff:
			return Packet{}, &Refused{Packet{Kind: KindErr, Payload: b}}
		case b[0] == 0xfe:
			name, data, _ := bytes.Cut(b[1:], []byte{0})
			plugin, scramble = string(name), slices.Clone(bytes.TrimSuffix(data, []byte{0}))
			err = c.writePacket(answer(plugin, c.config.Password, scramble))
		case b[0] == 1 && len(b) == 2 && b[1] == 3:
		case b[0] == 1 && len(b) == 2 && b[1] == 4:
			c.FullAuth = true
			err = c.sendPassword(scramble)
		default:
			return Packet{}, fmt.Errorf("log in with %s: unexpected packet %#x", plugin, b[0])
		}
		if err != nil {
			return Packet{}, err
		}
	}
}

// sendPassword is the full exchange of caching_sha2_password.
func (c *Conn) sendPassword(scramble []byte) error {
	secret := append([]byte(c.config.Password), 0)
	if c.config.TLS {
		return c.writePacket(secret)
	}
	if err := c.writePacket([]byte{2}); err != nil {
		return err
	}
	b, err := c.readPacket()
	if err != nil {
		return err
	}
	block, _ := pem.Decode(b[1:])
	if block == nil {
		return errors.New("log in: no RSA key in the server's answer")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return fmt.Errorf("parse RSA key: %w", err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return errors.New("log in: the server's key is not RSA")
	}
	for i := range secret {
		secret[i] ^= scramble[i%len(scramble)]
	}
	sealed, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, key, secret, nil)
	if err != nil {
		return fmt.Errorf("encrypt password: %w", err)
	}
	return c.writePacket(sealed)
}

func answer(plugin, password string, scramble []byte) []byte {
	if password == "" {
		return nil
	}
	if plugin == "mysql_native_password" {
		return nativeAnswer(password, scramble)
	}
	first := sha256.Sum256([]byte(password))
	second := sha256.Sum256(first[:])
	mask := sha256.Sum256(append(second[:], scramble...))
	return xor(first[:], mask[:])
}

func nativeAnswer(password string, scramble []byte) []byte {
	first := sha1.Sum([]byte(password)) //nolint:gosec // see above
	second := sha1.Sum(first[:])        //nolint:gosec // see above
	mask := sha1.Sum(append(slices.Clone(scramble), second[:]...))
	return xor(first[:], mask[:])
}

func xor(a, b []byte) []byte {
	out := make([]byte, len(a))
	for i := range a {
		out[i] = a[i] ^ b[i]
	}
	return out
}
