package wire

func (x *Relay) firstPacket(frame []byte) error {
	payload := frame[HeaderSize:]
	switch payload[0] {
	case HeaderOK:
		return x.okPacket(frame)
	case HeaderLocalFile:
		x.answer.File, x.done = true, true
		x.scan += len(frame)
		return nil
	}
	columns, n := ReadLenencInt(payload)
	if n != len(payload) || columns == 0 || columns > 1<<16 {
		return ErrMalformed
	}
	x.answer.HasRows, x.answer.AnyRows, x.answer.Rows = true, true, 0
	x.phase, x.left = phaseColumns, int(columns)
	x.scan += len(frame)
	return nil
}

// okPacket handles an OK packet, header 0x00 or, at the end of rows, 0xfe.
func (x *Relay) okPacket(frame []byte) error {
	payload := frame[HeaderSize:]
	ok := &x.ok
	if err := ParseOK(payload, x.NodeCapabilities, ok); err != nil {
		return err
	}
	a := x.answer
	a.HasStatus, a.Status, a.Warnings = true, ok.Status, ok.Warnings
	if payload[0] == HeaderOK {
		a.AffectedRows, a.InsertID, a.HasRows = ok.AffectedRows, ok.InsertID, false
	}
	if x.Digest != nil {
		x.digestRaw()
		x.digestOK(payload[0], ok)
		defer x.digestedSoFar()
	}
	if x.Watch != nil {
		x.Watch(ok)
	}
	if ok.Status&StatusSessionStateChanged != 0 || x.Owed != nil {
		if err := x.filter(frame); err != nil {
			return err
		}
	} else {
		x.scan += len(frame)
	}
	x.resultOver(ok.Status)
	return nil
}

// filter replaces the OK packet in the buffer by what the client may see of it.
func (x *Relay) filter(frame []byte) error {
	payload, err := FilterOK(x.scratch[:0], frame[HeaderSize:], x.ClientCapabilities, x.Keep)
	if err == nil && x.Owed != nil && x.ClientCapabilities.Has(ClientSessionTrack) {
		payload, err = x.payOwed(payload)
	}
	if err != nil {
		return err
	}
	if len(payload) == len(frame)-HeaderSize {
		x.scan += len(frame)
		return nil
	}
	return x.replace(frame, payload)
}

// payOwed adds what the client is to be told besides.
func (x *Relay) payOwed(payload []byte) ([]byte, error) {
	var ok OK
	if err := ParseOK(payload, ClientSessionTrack, &ok); err != nil {
		return nil, err
	}
	track := x.Owed(ok.Track)
	if len(track) == len(ok.Track) {
		return payload, nil
	}
	ok.Track = track
	return AppendOK(nil, payload[0], ClientSessionTrack, &ok), nil
}

// replace puts payload in the place of the frame at scan, in the buffer.
func (x *Relay) replace(frame, payload []byte) error {
	n := x.node
	x.scratch = payload[:0]
	end, grown := x.scan+len(frame), HeaderSize+len(payload)-len(frame)
	if n.w+grown > len(n.in) {
		from := x.scan - n.r
		n.makeRoom(n.w - n.r + max(grown, 1))
		x.scan = n.r + from
		end = x.scan + len(frame)
		if n.w+grown > len(n.in) {
			return ErrPacketTooLarge
		}
	}
	n.w = end + grown + copy(n.in[end+grown:n.w+grown], n.in[end:n.w])
	b := n.in[x.scan : end+grown]
	b[0], b[1], b[2] = byte(len(payload)), byte(len(payload)>>8), byte(len(payload)>>16)
	copy(b[HeaderSize:], payload)
	x.scan = end + grown
	return nil
}

// resultOver ends the answer or begins the next result of it.
func (x *Relay) resultOver(status uint16) {
	if status&StatusMoreResults == 0 {
		x.done = true
		return
	}
	x.phase = phaseFirst
}

func (x *Relay) rowsEnd(frame []byte) error {
	if x.NodeCapabilities.Has(ClientDeprecateEOF) {
		return x.okPacket(frame)
	}
	status, err := x.eofPacket(frame)
	if err == nil {
		x.resultOver(status | x.owed)
	}
	x.owed = 0
	return err
}

func (x *Relay) columnsEnd(frame []byte) error {
	status, err := x.eofPacket(frame)
	if err != nil {
		return err
	}
	// Behind the OUT parameters of a prepared CALL comes an OK, but only this
	// EOF says so and not the one behind the row.
	if status&StatusOutParameters != 0 {
		x.owed = status & StatusMoreResults
	}
	if x.phase = phaseRows; status&StatusCursorExists != 0 {
		x.resultOver(status) // the rows are fetched later
	}
	return nil
}

func (x *Relay) eofPacket(frame []byte) (status uint16, err error) {
	var eof EOF
	if err := ParseEOF(frame[HeaderSize:], &eof); err != nil {
		return 0, err
	}
	x.answer.HasStatus, x.answer.Status, x.answer.Warnings = true, eof.Status, eof.Warnings
	// An EOF has no room for what has changed, so the flag is only there because
	// the proxy has asked to be told.
	frame[len(frame)-1] &^= byte(StatusSessionStateChanged >> 8)
	if x.Digest != nil {
		x.digestRaw()
		x.digestOK(HeaderEOF, &OK{Status: eof.Status, Warnings: eof.Warnings})
		defer x.digestedSoFar()
	}
	x.scan += len(frame)
	return eof.Status, nil
}

func (x *Relay) prepareOK(frame []byte) error {
	payload := frame[HeaderSize:]
	a := x.answer
	if err := ParseStmtPrepareOK(payload, &a.Prepared); err != nil {
		return err
	}
	PutStmtID(payload, x.StatementID)
	a.Warnings = a.Prepared.Warnings
	x.scan += len(frame)
	if x.left = int(a.Prepared.Parameters); x.left > 0 {
		x.phase = phaseParameters
		return nil
	}
	x.prepareColumns()
	return nil
}

// errorPacket ends the answer. It is kept back where the client has seen
// nothing yet.
func (x *Relay) errorPacket(frame []byte) error {
	e, err := ParseError(frame[HeaderSize:])
	if err != nil {
		return err
	}
	n := x.node
	x.answer.Code = e.Code
	x.done = true
	if !x.answer.Sent && x.scan == n.r {
		if x.Digest != nil {
			_, _ = x.Digest.Write(frame)
		}
		x.answer.Held = frame
		n.r += len(frame)
		return nil
	}
	x.scan += len(frame)
	return nil
}
