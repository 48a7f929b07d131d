//go:build !linux

package wire

// PeerGone would report whether the peer has closed its side; it is not known
// on this system.
func (c *Conn) PeerGone() bool { return false }

// Quiet reports whether nothing is buffered; more is not known on this system.
func (c *Conn) Quiet() bool { return c.Buffered() == 0 }
