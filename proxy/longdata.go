package proxy

import (
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/wire"
)

// sendLongData keeps a piece of a parameter until the execution, which may
// run on any connection. There is no answer to it, so that what is wrong with
// it shows then.
func (x *session) sendLongData(p *prepared, payload []byte) error {
	if p == nil {
		return nil
	}
	p.longSize += len(payload)
	if x.longSize() > x.server.config.Load().MaxPacket {
		p.long = nil
		return nil
	}
	p.long = append(p.long, append([]byte(nil), payload...))
	return nil
}

// longSize is what all the session's statements keep of long data, in bytes.
func (x *session) longSize() (size int) {
	for _, p := range x.statements {
		size += p.longSize
	}
	return size
}

// passLongData queues the pieces that the client has sent.
func (p *prepared) passLongData(c *backend.Conn, id uint32) error {
	for _, piece := range p.long {
		wire.PutStmtID(piece, id)
		c.Wire.ResetSequence()
		if err := c.Wire.WritePacket(piece); err != nil {
			return &sendError{sent: true, err: err}
		}
	}
	return nil
}

// tooLong is the error of an execution whose long data went over the limit.
func tooLong() *wire.ServerError {
	return &wire.ServerError{Code: wire.CodePacketTooLarge, State: "08S01",
		Message: "Parameter of prepared statement which is set through mysql_send_long_data() is longer than " +
			"proxy.max_packet of Bellwether; raise it, and max_allowed_packet of the nodes"}
}
