package backend

import "github.com/bellwether-db/bellwether/cluster"

// Writes is what finds a write of a connection's again in the server's binary
// log, once the answer to it is lost. It belongs to whoever leases the connection.
type Writes struct {
	// Number is the connection's own among all of this process, 0 until the first
	// statement that is marked.
	Number uint64
	// Sequence counts the transactions that were marked.
	Sequence uint64
	// Told is what the server told last of what was committed here, nil for nothing,
	// and Missed is set after what may have been committed untold, until it tells
	// the next.
	Told   *cluster.GTIDSet
	Missed bool
	// Annotates says whether the server writes statements into its log with their
	// rows, which is asked once.
	Annotates Annotates
	// Mark is a buffer for the next mark.
	Mark []byte
}

// Annotates says whether a server writes statements into its log with their rows.
type Annotates uint8

// The answers.
const (
	AnnotatesUnknown Annotates = iota
	AnnotatesYes
	AnnotatesNo
)

// AskAnnotates asks, where that is not known, whether the server annotates rows
// (binlog_annotate_row_events). It is done by a SET that fails where it does not,
// because that leaves FOUND_ROWS() alone.
func (c *Conn) AskAnnotates() error {
	if c.Writes.Annotates != AnnotatesUnknown {
		return nil
	}
	_, err := c.Query("SET collation_connection = IF(@@binlog_annotate_row_events, @@collation_connection, 'off')")
	if c.wasBehind(err) {
		c.Writes.Annotates = AnnotatesNo
		return nil
	}
	if err == nil {
		c.Writes.Annotates = AnnotatesYes
	}
	return err
}
