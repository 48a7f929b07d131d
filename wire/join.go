package wire

// WriteJoined is WritePacket for a payload in two parts, which together must be
// shorter than MaxPiece.
func (c *Conn) WriteJoined(head, tail []byte) error {
	size := len(head) + len(tail)
	if size >= MaxPiece {
		return ErrPacketTooLarge
	}
	c.grow(HeaderSize + size)
	c.out = append(c.out, byte(size), byte(size>>8), byte(size>>16), c.seq)
	c.seq++
	if err := c.WriteRaw(head); err != nil {
		return err
	}
	return c.WriteRaw(tail)
}
