package upstream

import (
	"errors"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
	"github.com/bellwether-db/bellwether/wire"
)

var (
	// errEnded says that the master ended the stream in order, as it does when
	// it shuts down.
	errEnded = errors.New("the master ended the stream")
	// errRepeated says that the master sent what it was told is stored.
	errRepeated = errors.New("a transaction that is stored already was sent again")
)

// stream relays the events of one connection to the sink. One goroutine.
//
// Invariant: a reply is only sent for a position behind which nothing of a
// transaction was open when the sink was last synced.
type stream struct {
	frames *frames
	sink   Sink
	board  *board
	// semiSync says that the master can be replied to.
	semiSync bool
	// opened is called when the stream has begun: at its first format.
	opened func()
	// bared is called when a file begins that has no checksums, or has them again.
	bared func(bare bool)
	// backoff hears that the connection is of use.
	backoff *backoff

	have    *cluster.GTIDSet // what was stored when the connection began
	format  event.Format
	bare    bool           // the master's file has no checksums: they are added here
	scratch []byte         // an event with its checksum
	tracker *event.Tracker // nil before the format
	at      position
	open    bool // the sink has the beginning of a transaction and not its end
	asked   bool // the master waits for a reply, for which a transaction must end first
	beats   int  // heartbeats of this connection
	greeted bool // the reply that nobody asked for is on its way; see heartbeat
	group   group
	last    cluster.GTID // of the last whole transaction
	counted uint64       // bytes since the last sync, for the status
	told    time.Time    // what the status was told last of when something arrived
}

// run relays until the connection breaks, which is always an error. What was
// whole by then is durable when it returns, and nothing else is in the sink.
func (s *stream) run() error {
	err := s.relay()
	if refused := (*Refusal)(nil); errors.As(err, &refused) {
		return err // the sink can take nothing more
	}
	if s.group.waits() {
		s.group.asked = false // nobody is there to hear it
		if err := s.settle(); err != nil {
			return err
		}
	}
	if s.open {
		if err := s.sink.Abort(); err != nil {
			return sinkRefusal("cut", err)
		}
	}
	return err
}

func (s *stream) relay() error {
	for {
		p, err := s.frames.packet()
		if err != nil {
			return err
		}
		if err := s.packet(p); err != nil {
			return err
		}
		s.tellHeard()
		if s.group.waits() && s.group.due(time.Now(), s.frames.arrived()) {
			if err := s.settle(); err != nil {
				return err
			}
		}
	}
}

// heardInterval is how often the status says when the last byte arrived, while a
// transaction arrives that takes longer than that.
const heardInterval = 200 * time.Millisecond

// tellHeard keeps the status from showing silence meanwhile.
func (s *stream) tellHeard() {
	if s.frames.heard.Sub(s.told) < heardInterval {
		return
	}
	s.told = s.frames.heard
	s.board.write(func(now *Status) { now.Heard = s.told })
}

// packet takes one packet of the stream.
func (s *stream) packet(p []byte) error {
	switch {
	case len(p) > 0 && p[0] == wire.HeaderError:
		return fmt.Errorf("read binary log: %w", refusedBy(p))
	case wire.IsEOF(p, 0):
		return errEnded
	case len(p) == 0 || p[0] != wire.HeaderOK:
		return fmt.Errorf("read packet that is no event at %s: %w", s.at, event.ErrMalformed)
	}
	e, asked, err := stripSemiSync(p[1:])
	if err != nil {
		return err
	}
	s.asked = s.asked || asked
	return s.event(e)
}

// event takes one event.
func (s *stream) event(e event.Event) error {
	switch e.Type() {
	case event.Heartbeat:
		return s.heartbeat(e)
	case event.Rotate:
		return s.rotate(e)
	case event.FormatDescription:
		return s.begin(e)
	}
	return s.relayed(e)
}

// heartbeat hears that the master has nothing more to send. The first one of a
// connection is replied to, though nobody asked: a transaction whose reply was
// lost with the connection before is stored here, is not sent again, and would
// wait there until another is replied to.
func (s *stream) heartbeat(e event.Event) error {
	s.board.write(func(now *Status) { now.Heard = s.frames.heard })
	if s.beats++; s.beats > 1 {
		s.backoff.useful()
	}
	if s.open || s.greeted || !s.semiSync {
		return nil
	}
	p, err := parseHeartbeat(e)
	if err != nil {
		return err
	}
	s.greeted = true
	s.group.ask(p, time.Now())
	return nil
}

// rotate notes which of the master's files comes next. The one that opens a
// stream is in no file, and only this package's business.
func (s *stream) rotate(e event.Event) error {
	next, err := parseRotate(e)
	if err != nil {
		return err
	}
	if e.Flags()&event.FlagArtificial == 0 {
		if err := s.relayed(e); err != nil {
			return err
		}
	}
	s.at = next
	return nil
}

// begin starts a new stored file: a new connection, or a new file of the master.
func (s *stream) begin(e event.Event) error {
	format, err := event.ParseFormat(e)
	if err != nil {
		return err
	}
	if format.Checksum && !e.ChecksumOK() {
		return fmt.Errorf("read %s at %s: %w", e.Type(), s.at, errChecksum)
	}
	if s.open {
		return fmt.Errorf("read %s inside a transaction at %s: %w", e.Type(), s.at, event.ErrStream)
	}
	bare := !format.Checksum
	if bare {
		e = event.WithChecksums(e)
		if format, err = event.ParseFormat(e); err != nil {
			return err
		}
	}
	if err := s.sink.Rotate(e); err != nil {
		return sinkRefusal("begin a file of", err)
	}
	if s.tracker == nil {
		s.opened()
	}
	if bare != s.bare {
		s.bared(bare)
	}
	s.format, s.tracker, s.bare = format, event.NewTracker(format), bare
	s.at = s.at.after(e)
	s.answer()
	return nil
}

// relayed hands an event on and follows where in a transaction it stands.
func (s *stream) relayed(e event.Event) error {
	if s.tracker == nil {
		return fmt.Errorf("read %s before the format: %w", e.Type(), event.ErrStream)
	}
	if s.bare {
		e = s.summed(e)
	}
	if s.format.Checksum && !e.ChecksumOK() {
		return fmt.Errorf("read %s at %s: %w", e.Type(), s.at, errChecksum)
	}
	m, err := s.tracker.Next(e)
	if err != nil {
		return fmt.Errorf("read %s at %s: %w", e.Type(), s.at, err)
	}
	if m.Part == event.Begin && s.have.Contains(m.GTID) {
		return fmt.Errorf("read %s at %s: %w", m.GTID, s.at, errRepeated)
	}
	switch err := s.sink.Append(e, m); {
	case errors.Is(err, storedlog.ErrOrder):
		s.open = true // there is something to take back
		return fmt.Errorf("read %s at %s: %w: %w", e.Type(), s.at, errRepeated, err)
	case err != nil:
		return sinkRefusal("append to", err)
	}
	s.appended(e, m)
	return nil
}

// summed is an event with a checksum, borrowed until the next one. The memory of a large
// one is let go then.
func (s *stream) summed(e event.Event) event.Event {
	if cap(s.scratch) > readBuffer {
		s.scratch = nil
	}
	s.scratch = event.AppendChecksum(s.scratch[:0], e)
	return event.Event(s.scratch)
}

// appended accounts for an event that the sink has.
func (s *stream) appended(e event.Event, m event.Mark) {
	s.at = s.at.after(e)
	s.group.appended(len(e))
	s.counted += uint64(len(e))
	switch m.Part {
	case event.Begin:
		s.open = true
	case event.End:
		s.open, s.last = false, m.GTID
		s.group.ended(time.Now())
	}
	s.answer()
}

// answer notes the reply that the master waits for, once nothing is open.
func (s *stream) answer() {
	if s.asked && !s.open {
		s.asked = false
		s.group.ask(s.at, time.Now())
	}
}

// settle makes durable what is whole, and only then answers the master.
func (s *stream) settle() error {
	begun := time.Now()
	if err := s.sink.Harden(); err != nil {
		return sinkRefusal("sync", err)
	}
	g, took := s.group, time.Since(begun)
	s.group = group{}
	if g.transactions > 0 {
		s.backoff.useful()
	}
	var err error
	if g.asked {
		err = s.frames.write(appendReply(nil, g.reply))
	}
	if err := s.sink.Tidy(); err != nil {
		return sinkRefusal("tidy", err)
	}
	s.record(g, took, g.asked && err == nil)
	return err
}

// record puts a sync on the board.
func (s *stream) record(g group, took time.Duration, answered bool) {
	s.board.write(func(now *Status) {
		now.Heard, now.LastGTID = s.frames.heard, s.last
		now.File, now.Offset = s.at.file, s.at.offset
		now.Transactions += uint64(g.transactions)
		now.Bytes += s.counted
		now.Syncs++
		now.SyncTime += took
		if answered {
			now.Acknowledged++
		}
	})
	s.counted = 0
}
