package downstream

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
)

// mostScratch is what a stream keeps of the memory that an event took which it
// had to make or change.
const mostScratch = 64 << 10

// piece sends one piece of the log.
func (f *feed) piece(p *storedlog.Piece) error {
	if p.Start {
		return f.startFile(p)
	}
	f.at.offset = uint64(p.Offset) //nolint:gosec // a file offset
	for rest := p.Events; len(rest) > 0; {
		e, after, err := cut(rest)
		if err != nil {
			return fmt.Errorf("read %s at %d: %w", p.File, f.at.offset, err)
		}
		if err := f.stored(e); err != nil {
			return err
		}
		rest = after
	}
	if !p.Last.IsZero() {
		f.last = p.Last
	}
	return nil
}

// stored sends one stored event, unless it stands before what was asked for.
func (f *feed) stored(e event.Event) error {
	begin := f.at.offset
	f.at.offset += uint64(len(e))
	switch {
	case begin >= f.skipTo:
		if e.Type().BeginsTransaction() {
			f.transactions++
		}
		return f.visible(e)
	case f.at.offset > f.skipTo:
		return fatal("Client requested source to start replication from impossible position: no event begins at %d", f.skipTo)
	}
	return nil
}

// visible sends an event as this slave is to see it.
func (f *feed) visible(e event.Event) error {
	s := f.session.server
	if s.config.mariaDB() && e.Type() == event.MariaAnnotateRows && f.want.flags&flagAnnotate == 0 {
		return nil
	}
	switch {
	case f.own != 0 && e.ServerID() == f.own && s.shape.disguise:
		return f.disguise(e)
	case f.own != 0 && s.config.mariaDB() && s.shape.exact:
		return f.exact(e)
	}
	return f.send(e)
}

// disguise sends an event of the slave's own under our server id, or refuses
// the slave before the transaction has begun.
func (f *feed) disguise(e event.Event) error {
	const why = "this slave lacks transactions that carry its own server id (%d) and would ignore them: %s"
	kind := e.Type()
	switch {
	case kind == event.FormatDescription:
	case f.session.server.config.mariaDB():
		return fatal(why, f.own, "give it another one, STOP SLAVE; SET GLOBAL server_id = ...; START SLAVE, or, if it has them, set gtid_slave_pos to its gtid_binlog_pos")
	case kind == event.TransactionPayload: // the ids are inside, too
		return fatal(why, f.own, "they are compressed, so start it with --replicate-same-server-id=1, or copy it anew with /sync")
	}
	e = disguised(f.scratch[:0], e, f.session.server.config.ServerID)
	if kind == event.GTID || kind == event.TaggedGTID {
		f.held = append(f.held[:0], e...) // until it is known that the rest can follow
		return nil
	}
	if len(f.held) > 0 {
		if err := f.send(f.held); err != nil {
			return err
		}
		f.held = f.held[:0]
	}
	return f.make(e)
}

// make sends an event that stands in scratch, of which it keeps little.
func (f *feed) make(e event.Event) error {
	if f.scratch = e[:0]; cap(f.scratch) > mostScratch {
		f.scratch = nil
	}
	return f.send(e)
}

// send sends an event of the file and counts as the slave does.
func (f *feed) send(e event.Event) error {
	if pos := e.LogPos(); pos != 0 {
		f.at.counted += uint64(len(e))
		f.at.logPos = max(f.at.logPos, pos)
	}
	return f.out.event(e)
}

// startFile opens a file: a made-up rotation to it, its format, and what came
// before it.
func (f *feed) startFile(p *storedlog.Piece) error {
	first := f.file == ""
	at := uint64(beginningOfFile)
	if first && p.File == f.from.file {
		at = f.from.position
	}
	f.file, f.skipTo = p.File, at
	f.at = position{offset: uint64(p.Offset), counted: at} //nolint:gosec // a file offset
	if err := f.rotate(at); err != nil {
		return err
	}
	f.checksum = true // the log has no others
	partial := at > beginningOfFile || first && f.from.gtid && !p.Before.ContainsSet(f.from.have)
	keep := at == beginningOfFile && !f.session.server.config.mariaDB()
	if err := f.visible(openingFormat(nil, p.Format, partial, keep)); err != nil {
		return err
	}
	if at > beginningOfFile {
		return nil
	}
	return f.before(p.Before, beginningOfFile+len(p.Format))
}

// rotate tells the slave which file it is in.
func (f *feed) rotate(at uint64) error {
	stamp := f.stamp()
	stamp.Flags = event.FlagArtificial
	f.scratch = event.AppendRotate(f.scratch[:0], f.file, at, stamp)
	return f.out.event(f.scratch)
}

// before sends what came before a file, as a server writes it there, at an
// offset.
func (f *feed) before(set *cluster.GTIDSet, at int) error {
	list := event.AppendPreviousGTIDs
	if f.session.server.config.mariaDB() {
		list = event.AppendGTIDList
	}
	e := event.Event(list(f.scratch[:0], set, f.stamp()))
	binary.LittleEndian.PutUint32(e[logPosOffset:], uint32(at+len(e))) //nolint:gosec // the beginning of a file
	return f.make(sealed(e))
}

// stamp is the header of an event of our own.
func (f *feed) stamp() event.Stamp {
	return event.Stamp{ServerID: f.session.server.config.ServerID, Checksum: f.checksum}
}

// progress is how far a stream is, for whoever asks. Any goroutine may use it.
type progress struct {
	mu   sync.Mutex
	file string
	at   uint64
	last cluster.GTID
	sent uint64
	txs  uint64
	when time.Time
}

// set notes how far f is; only f's goroutine calls it.
func (p *progress) set(f *feed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.file, p.at, p.last, p.sent, p.txs, p.when = f.file, f.at.offset, f.last, f.out.sent, f.transactions, f.sentAt
}

// status is what is known of the feed now.
func (f *feed) status() SlaveInfo {
	f.progress.mu.Lock()
	defer f.progress.mu.Unlock()
	info, p := f.info, &f.progress
	info.File, info.Offset, info.Last = p.file, int64(p.at), p.last //nolint:gosec // a file offset
	info.Bytes, info.Transactions, info.LastSent = p.sent, p.txs, p.when
	return info
}
