package backend

import "github.com/bellwether-db/bellwether/wire"

// Query runs a statement of the proxy's own and returns the first column of
// its last row; where it has none, the value of the variable that it set, if
// the session tracks it.
func (c *Conn) Query(sql string) (string, error) {
	c.Wire.ResetSequence()
	if err := c.Wire.WritePacket(append([]byte{byte(wire.ComQuery)}, sql...)); err != nil {
		return "", err
	}
	if err := c.Wire.Flush(); err != nil {
		return "", err
	}
	return c.readAnswer()
}

// Ping sends a COM_PING.
func (c *Conn) Ping() error { return c.simple([]byte{byte(wire.ComPing)}) }

// SetMulti sends a COM_SET_OPTION.
func (c *Conn) SetMulti(on bool) error {
	c.Multi = on
	return c.simple(append([]byte{byte(wire.ComSetOption)}, option(on)...))
}

// simple sends a command that is answered by one packet.
func (c *Conn) simple(command []byte) error {
	c.Wire.ResetSequence()
	if err := c.Wire.WritePacket(command); err != nil {
		return err
	}
	if err := c.Wire.Flush(); err != nil {
		return err
	}
	_, err := c.readAnswer()
	return err
}

// Reset brings the connection to the state of a new one, ending a transaction
// and dropping locks and temporary tables. Connections are reset as soon as
// their session has left something behind that others would wait for.
func (c *Conn) Reset(mariadb bool) error {
	var s Steps
	if err := c.reset(&s, mariadb); err != nil {
		return err
	}
	return c.Send(&s, &Need{})
}

// readAnswer reads one small answer: OK, ERR, or one result set of text.
func (c *Conn) readAnswer() (value string, err error) {
	c.Wire.ExpectAnswer()
	p, err := c.Wire.ReadPacket()
	if err != nil {
		return "", &wire.SideError{Side: wire.SideNode, Err: err}
	}
	switch {
	case wire.IsError(p):
		e, err := wire.ParseError(p)
		if err != nil {
			return "", err
		}
		return "", e
	case len(p) > 0 && p[0] == wire.HeaderOK:
		var ok wire.OK
		err := wire.ParseOK(p, c.Capabilities, &ok)
		c.Status = ok.Status
		c.told(ok.Track)
		return tracked(ok.Track), err
	case wire.IsEOF(p, c.Capabilities):
		return "", nil
	}
	c.Asked = true
	columns, _ := wire.ReadLenencInt(p)
	err = c.readRows(int(columns), func(first []byte) { value = string(first) })
	return value, err
}

// told notes that an OK of the node's told the schema, or the GTID of a write.
func (c *Conn) told(track []byte) {
	entries := wire.NewTrackReader(track)
	var e wire.TrackEntry
	for entries.Next(&e) {
		switch {
		case e.Type == wire.TrackSchema:
			c.OwesSchema = false
		case e.Type == wire.TrackGTIDs, isLastGTID(e):
			c.OwesGTID = false
		}
	}
}

// isLastGTID reports whether an entry is MariaDB's word of a write.
func isLastGTID(e wire.TrackEntry) bool {
	name, _, err := e.Variable()
	return err == nil && string(name) == "last_gtid"
}

// tracked returns the value of the last variable that an OK told; of a write
// before it MariaDB tells as of a variable, too.
func tracked(track []byte) (value string) {
	entries := wire.NewTrackReader(track)
	var e wire.TrackEntry
	for entries.Next(&e) {
		if _, v, err := e.Variable(); err == nil && !isLastGTID(e) {
			value = string(v)
		}
	}
	return value
}

// QueryAll is Query for an answer of many rows of one column, joined by lines.
func (c *Conn) QueryAll(sql string) (string, error) {
	c.Wire.ResetSequence()
	if err := c.Wire.WritePacket(append([]byte{byte(wire.ComQuery)}, sql...)); err != nil {
		return "", err
	}
	if err := c.Wire.Flush(); err != nil {
		return "", err
	}
	c.Wire.ExpectAnswer()
	p, err := c.Wire.ReadPacket()
	if err != nil {
		return "", err
	}
	if wire.IsError(p) {
		e, err := wire.ParseError(p)
		if err != nil {
			return "", err
		}
		return "", e
	}
	columns, _ := wire.ReadLenencInt(p)
	var all []byte
	err = c.readRows(int(columns), func(first []byte) { all = append(append(all, first...), '\n') })
	return string(all), err
}

// readRows reads a result set behind its column count and calls row with the
// first column of each row.
func (c *Conn) readRows(columns int, row func(first []byte)) error {
	ends := 1
	if !c.Capabilities.Has(wire.ClientDeprecateEOF) {
		ends = 2
	}
	for read := 0; ends > 0; read++ {
		p, err := c.Wire.ReadPacket()
		if err != nil {
			return &wire.SideError{Side: wire.SideNode, Err: err}
		}
		switch {
		case wire.IsError(p):
			e, err := wire.ParseError(p)
			if err != nil {
				return err
			}
			return e
		case wire.IsEOF(p, c.Capabilities) && read >= columns:
			ends--
		case read >= columns:
			first, _ := wire.ReadLenencBytes(p)
			row(first)
		}
	}
	c.Wire.Release()
	return nil
}
