package wire

import "hash/maphash"

// AnswerKind is the form of the answer that a command gets.
type AnswerKind uint8

// The forms.
const (
	AnswerUnknown AnswerKind = iota
	AnswerQuery              // OK, ERR, a file request, or result sets, to the last of them
	AnswerPrepare            // the answer to COM_STMT_PREPARE
	AnswerRows               // rows up to their end: COM_STMT_FETCH, COM_FIELD_LIST
	AnswerText               // one packet of text: COM_STATISTICS
)

// Answer is what a relayed answer said. It is filled by Relay.Run and valid
// until the next one.
type Answer struct {
	// Status and Warnings are those of the last OK or EOF; HasStatus is set when
	// there was one.
	HasStatus bool
	Status    uint16
	Warnings  uint16
	// AffectedRows and InsertID are those of the last OK that was not the end of rows.
	AffectedRows, InsertID uint64
	// Rows counts the rows of the last result set.
	Rows uint64
	// HasRows is set when the last result had columns, AnyRows when some result had.
	HasRows, AnyRows bool
	// File is set when the node asked for a file of the client's: the request
	// was relayed, and the client's packets are next.
	File bool
	// Code is the number of the error that ended the answer, 0 without one.
	Code uint16
	// Held is the whole error packet, framed, where Code is set and nothing had
	// been sent to the client: it was kept back, so that the caller may try
	// elsewhere or Send it. Borrowed until the next use of the node's connection.
	Held []byte
	// Bytes counts those of the answer that were sent to the client.
	Bytes int
	// Sent reports whether any byte of the answer was sent to the client.
	Sent bool
	// Prepared is the answer to COM_STMT_PREPARE, with the node's statement id.
	Prepared StmtPrepareOK
}

// Relay moves answers from a node to a client, looking at headers only. One
// goroutine uses it; it is kept between answers so that none allocates.
type Relay struct {
	// Client is where answers go; its capabilities decide what an OK may carry.
	// Without one, answers are read and thrown away.
	Client             *Conn
	ClientCapabilities Capability
	// NodeCapabilities are those of the node's connection. Apart from
	// ClientSessionTrack, which the node's always has, they must agree with the
	// client's on the form of answers.
	NodeCapabilities Capability
	// Watch is called with every OK (and OK that ends rows) before it is sent;
	// it must not keep what it is given.
	Watch func(*OK)
	// Keep says which entries of a session-track block the client is to see.
	Keep func(TrackEntry) bool
	// Owed, where set, is called with the session-track block of every OK for a
	// client with session tracking, as Keep has left it, and returns it with what
	// that must tell too.
	Owed func(track []byte) []byte
	// StatementID is given to the client in place of the node's in AnswerPrepare.
	StatementID uint32
	// ReplaceRow, where set, makes the payload of the next row from the node's,
	// which it must not change, appended to dst. It is used once.
	ReplaceRow func(dst, row []byte) []byte
	// Digest, where set, takes in what the answer says to a client, so that two
	// answers can be compared: every byte but for what may differ where the data do
	// not, which is session tracking and the flags of StatusMayDiffer. It does so
	// without a Client, too.
	Digest *maphash.Hash

	node      *Conn
	answer    *Answer
	phase     phase
	left      int    // column or parameter definitions that are still to come
	scan      int    // node.in[r:scan] has been examined and may be sent
	skip      int    // bytes of a row that are still to come
	owed      uint16 // StatusMoreResults, where the end of rows forgets it
	continued bool   // the next frame continues a packet of 16 MB or more
	done      bool
	scratch   []byte
	ok        OK  // here so that handing it to Watch allocates nothing
	digested  int // bytes of node.in[r:scan] that are in the digest, or need not be
}

// phase is where in an answer the next packet stands.
type phase uint8

const (
	phaseFirst   phase = iota // the first packet of a result
	phaseColumns              // column definitions
	phaseColumnsEnd
	phaseRows
	phasePrepare // the first packet of a prepare's answer
	phaseParameters
	phaseParametersEnd
	phasePrepareColumns
	phasePrepareColumnsEnd
	phaseText
)

// Run relays one answer from node, filling answer. An error is a *SideError
// that tells whose connection failed; an error packet of the node is not an
// error here.
func (x *Relay) Run(node *Conn, kind AnswerKind, answer *Answer) error {
	*answer = Answer{}
	x.node, x.answer = node, answer
	x.phase = firstPhase(kind)
	x.scan, x.skip, x.left = node.r, 0, 0
	x.continued, x.done, x.owed, x.digested = false, false, 0, 0
	for {
		if err := x.examine(); err != nil {
			return &SideError{Side: SideNode, Err: err}
		}
		if answer.Held != nil {
			return nil
		}
		if err := x.send(); err != nil {
			return &SideError{Side: SideClient, Err: err}
		}
		if x.done && x.skip == 0 {
			node.Release()
			return nil
		}
		if err := x.more(); err != nil {
			return &SideError{Side: SideNode, Err: err}
		}
	}
}

func firstPhase(kind AnswerKind) phase {
	switch kind {
	case AnswerPrepare:
		return phasePrepare
	case AnswerRows:
		return phaseRows
	case AnswerText:
		return phaseText
	default:
		return phaseFirst
	}
}

// send passes on what was examined.
func (x *Relay) send() error {
	n := x.node
	if x.scan == n.r {
		return nil
	}
	b := n.in[n.r:x.scan]
	if x.Digest != nil {
		x.digestRaw()
		x.digested = 0
	}
	n.r = x.scan
	if x.Client == nil {
		return nil
	}
	x.answer.Sent = true
	x.answer.Bytes += len(b)
	return x.Client.Send(b)
}

// more waits for more of the answer, into a large buffer once a small one
// was filled.
func (x *Relay) more() error {
	n := x.node
	if n.in != nil {
		if n.w == len(n.in) && len(n.in) < largeBuffer {
			n.makeRoom(len(n.in) + 1)
		} else {
			n.makeRoom(n.w - n.r + 1)
		}
	}
	err := n.readMore()
	x.scan = n.r
	return err
}

// examine walks over the frames that are in the buffer, until the answer is
// over or the next one is not there as far as it is needed.
func (x *Relay) examine() error {
	n := x.node
	for !x.done || x.skip > 0 {
		rest := n.in[x.scan:n.w]
		if x.skip > 0 {
			k := min(x.skip, len(rest))
			x.skip -= k
			x.scan += k
			if x.skip > 0 {
				return nil
			}
			continue
		}
		if len(rest) < HeaderSize {
			return nil
		}
		size, _ := frameHeader(rest)
		if size > 0 && len(rest) == HeaderSize {
			return nil // its first byte is needed
		}
		if x.passes(rest, size) {
			x.scan += HeaderSize
			x.skip = size
			continue
		}
		if size > DefaultMaxPacket || size == 0 {
			return ErrMalformed
		}
		if len(rest) < HeaderSize+size {
			return nil
		}
		if err := x.packet(rest[:HeaderSize+size]); err != nil {
			return err
		}
		if x.answer.Held != nil {
			return nil
		}
	}
	return nil
}

// passes reports whether the frame needs no more than its header: a row, a
// column definition, or the continuation of a large packet.
func (x *Relay) passes(frame []byte, size int) bool {
	if x.continued {
		x.continued = size == MaxPiece
		return true
	}
	switch x.phase {
	case phaseRows:
		if size > 0 {
			first := frame[HeaderSize]
			if first == HeaderError || first == HeaderEOF && size < MaxPiece {
				return false
			}
		}
		if x.ReplaceRow != nil && size < smallBuffer/2 {
			return false
		}
		x.answer.Rows++
		x.continued = size == MaxPiece
		return true
	case phaseColumns, phaseParameters, phasePrepareColumns:
		if size > 0 && frame[HeaderSize] == HeaderError {
			return false // a definition begins with the length of "def"
		}
		x.continued = size == MaxPiece
		if x.left--; x.left == 0 {
			x.definitionsOver()
		}
		return true
	default:
		return false
	}
}

// definitionsOver goes to the phase behind the last definition.
func (x *Relay) definitionsOver() {
	switch deprecated := x.NodeCapabilities.Has(ClientDeprecateEOF); {
	case !deprecated:
		x.phase++ // the EOF packet behind them
	case x.phase == phaseColumns:
		x.phase = phaseRows
	case x.phase == phaseParameters:
		x.prepareColumns()
	default:
		x.done = true
	}
}

func (x *Relay) prepareColumns() {
	if x.left = int(x.answer.Prepared.Columns); x.left == 0 {
		x.done = true
		return
	}
	x.phase = phasePrepareColumns
}

// packet handles a whole frame that means something.
func (x *Relay) packet(frame []byte) error {
	payload := frame[HeaderSize:]
	if payload[0] == HeaderError && x.phase != phaseText {
		return x.errorPacket(frame)
	}
	if x.phase == phaseRows && payload[0] != HeaderEOF {
		x.answer.Rows++
		row := x.ReplaceRow(x.scratch[:0], payload)
		x.ReplaceRow = nil
		return x.replace(frame, row)
	}
	switch x.phase {
	case phaseFirst:
		return x.firstPacket(frame)
	case phaseRows:
		return x.rowsEnd(frame)
	case phaseColumnsEnd:
		return x.columnsEnd(frame)
	case phasePrepare:
		return x.prepareOK(frame)
	case phaseParametersEnd:
		x.scan += len(frame)
		x.prepareColumns()
	default: // phasePrepareColumnsEnd, phaseText
		x.scan += len(frame)
		x.done = true
	}
	return nil
}
