package event

import (
	"errors"
	"fmt"

	"github.com/bellwether-db/bellwether/cluster"
)

// ErrStream is what an error of Tracker.Next wraps where the events are no
// sound stream: a transaction in a transaction, an end without a beginning, a
// change without a GTID.
var ErrStream = errors.New("not a sound stream of transactions")

// Part says where in a transaction an event stands. The zero value is unknown.
type Part uint8

// The parts.
const (
	PartUnknown Part = iota
	// Control events belong to no transaction: format, rotate, previous GTIDs,
	// checkpoint, heartbeat, stop.
	Control
	// Begin is the GTID event that leads a transaction.
	Begin
	// Inside is neither the first nor the last event of a transaction.
	Inside
	// End is the last event of a transaction.
	End
)

// String is the name in lower case.
func (p Part) String() string {
	switch p {
	case Control:
		return "control"
	case Begin:
		return "begin"
	case Inside:
		return "inside"
	case End:
		return "end"
	}
	return "unknown"
}

// Mark is what Tracker.Next says of an event. It is a value.
type Mark struct {
	Part Part
	// GTID of the transaction, on each of its parts.
	GTID cluster.GTID
	// ThreadID is the id of the connection that wrote the transaction, as the
	// transaction's first Query event says it: on MySQL its BEGIN or DDL. It is
	// set on that event alone, and 0 where it is not known (MariaDB's row
	// transactions, compressed transactions).
	ThreadID uint32
}

// state is where in a transaction a tracker stands.
type state uint8

const (
	between state = iota
	begun         // a GTID came, and what may precede a statement
	open          // a statement came; a commit has to come
)

// Tracker finds transactions in a stream of events. One goroutine uses it.
//
// It follows the servers' own rules: MySQL's sql/rpl_trx_boundary_parser.cc,
// MariaDB's Log_event::is_part_of_group and the checks of its dump thread.
type Tracker struct {
	format Format
	state  state
	gtid   cluster.GTID
	named  bool // the transaction's thread is told already
	single bool // MariaDB: one statement, no commit behind it
}

// NewTracker begins between two transactions of a stream that has format f. A
// format description in the stream replaces it.
func NewTracker(f Format) *Tracker { return &Tracker{format: f} }

// Inside says whether a transaction has begun and not ended.
func (t *Tracker) Inside() bool { return t.state != between }

// Next says what e, which has passed Check, is in the stream. An error wraps
// ErrStream or ErrMalformed, and the tracker is then of no more use.
func (t *Tracker) Next(e Event) (Mark, error) {
	switch e.Type() {
	case Heartbeat, HeartbeatV2, MariaBinlogCheckpoint, MariaGTIDList, MariaStartEncryption:
		return Mark{Part: Control}, nil
	case FormatDescription:
		return t.reformat(e)
	case Rotate, Stop, PreviousGTIDs:
		return t.between(e)
	case GTID, TaggedGTID, MariaGTID:
		return t.begin(e)
	case AnonymousGTID:
		return t.broken(e, "a transaction without a GTID: set gtid_mode=ON on the master")
	case Incident:
		return t.incident(e)
	case Query, MariaQueryCompressed:
		return t.query(e)
	case XID, XAPrepare, TransactionPayload:
		return t.end(e)
	}
	return t.other(e)
}

// between takes an event that may stand between transactions only.
func (t *Tracker) between(e Event) (Mark, error) {
	if t.Inside() {
		return t.broken(e, "in the middle of a transaction")
	}
	return Mark{Part: Control}, nil
}

func (t *Tracker) reformat(e Event) (Mark, error) {
	f, err := ParseFormat(e)
	if err != nil {
		return Mark{}, err
	}
	t.format = f
	return t.between(e)
}

func (t *Tracker) begin(e Event) (m Mark, err error) {
	if t.Inside() {
		return t.broken(e, "the transaction before it has not ended")
	}
	var g cluster.GTID
	t.single, t.named = false, false
	switch body := e.body(t.format.Checksum); e.Type() {
	case GTID:
		g, err = parseGTID(body)
	case TaggedGTID:
		g, err = parseTaggedGTID(body)
	default:
		g, t.single, err = parseMariaGTID(e.ServerID(), body)
	}
	if err != nil {
		return Mark{}, err
	}
	t.gtid, t.state = g, begun
	return Mark{Part: Begin, GTID: g}, nil
}

// incident: the master has lost changes. MySQL writes a transaction that
// stops every slave, which they must get; elsewhere it would be passed over.
func (t *Tracker) incident(e Event) (Mark, error) {
	if t.Inside() {
		return t.end(e)
	}
	return t.broken(e, "the master says that changes are missing from its binary log")
}

// query: on MariaDB only the texts that commit count, for the GTID event says
// the rest; on MySQL the first text says whether more follows.
func (t *Tracker) query(e Event) (Mark, error) {
	if !t.Inside() {
		return t.broken(e, "a change without a GTID: GTIDs must be on")
	}
	q, err := parseQuery(e.body(t.format.Checksum))
	if err != nil {
		return Mark{}, err
	}
	m := Mark{Part: Inside, GTID: t.gtid}
	if t.queryEnds(e, q) {
		m.Part, t.state = End, between
	} else {
		t.state = open
	}
	if !t.named {
		m.ThreadID, t.named = q.threadID, true
	}
	return m, nil
}

func (t *Tracker) queryEnds(e Event, q query) bool {
	switch {
	case t.maria() && t.single:
		return true
	case t.maria():
		return e.Type() == Query && q.commits()
	case t.state == begun:
		return !q.begins()
	}
	return q.commits() || q.endsXA()
}

// other takes rows and whatever else belongs to a statement.
func (t *Tracker) other(e Event) (Mark, error) {
	switch {
	case t.state == begun && t.endsAlone(e):
		return t.end(e)
	case t.Inside():
		return Mark{Part: Inside, GTID: t.gtid}, nil
	case e.Flags()&FlagIgnorable != 0:
		return Mark{Part: Control}, nil
	}
	return t.broken(e, "a change without a GTID: GTIDs must be on")
}

// endsAlone says whether an event that is no query is a statement which
// nothing commits: LOAD DATA, and on MariaDB the rows of one.
func (t *Tracker) endsAlone(e Event) bool {
	alone := t.single || !t.maria()
	return alone && e.Type() == ExecuteLoadQuery || t.single && e.endsRows(t.format.Checksum)
}

func (t *Tracker) end(e Event) (Mark, error) {
	if !t.Inside() {
		return t.broken(e, "a transaction's end without its beginning")
	}
	t.state = between
	return Mark{Part: End, GTID: t.gtid}, nil
}

func (t *Tracker) maria() bool { return t.gtid.Flavour == cluster.FlavourMariaDB }

func (t *Tracker) broken(e Event, what string) (Mark, error) {
	return Mark{}, fmt.Errorf("%s event at %d, after %s: %s: %w", e.Type(), e.LogPos(), t.gtid, what, ErrStream)
}
