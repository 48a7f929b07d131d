package downstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
	"github.com/bellwether-db/bellwether/replicator/storedlog"
	"github.com/bellwether-db/bellwether/wire"
)

// lookout is how often somebody who is owed nothing is looked at: whether it is
// still there.
const lookout = time.Second

// feed is one stream to one slave. It belongs to the goroutine of its session,
// but for info, which does not change once the feed has begun, and progress.
type feed struct {
	session  *session
	info     SlaveInfo
	want     dump
	from     beginning
	reader   Reader
	progress progress

	out          sender
	file         string   // being sent; "" before the first
	at           position // in it
	skipTo       uint64   // events before it are left out
	last         cluster.GTID
	transactions uint64 // begun
	checksum     bool   // the next event of our own has one
	own          uint32 // the slave's server id, 0 for tools
	heartbeat    time.Duration
	sentAt       time.Time
	scratch      []byte
	held         event.Event // a disguised GTID that is not sent yet
	endsXA       bool        // the transaction being sent is XA COMMIT or XA ROLLBACK
}

// errLogEnds ends a stream that is not to wait for more.
var errLogEnds = errors.New("the log ends here")

// ended is a context that has ended: who asks with it does not wait.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// dump serves what a dump command asks for, to the end of the session. Its
// argument are what parseDump or parseDumpGTID returned.
func (x *session) dump(d dump, err error) error {
	if err == nil {
		err = x.feed(d)
	}
	if errors.Is(err, errLogEnds) {
		return x.send(wire.AppendEOF(nil, wire.EOF{}))
	}
	if errors.Is(err, errPacket) || errors.Is(err, cluster.ErrGTIDSyntax) {
		err = fatal("Bellwether cannot read this dump command: %s", clip(err.Error(), mostText))
	}
	if refusal := refusalOf(err); refusal != nil {
		x.allowWrite()
		_ = x.sendError(refusal)
	}
	return fmt.Errorf("serve the log: %w", err)
}

// feed streams until something ends it.
func (x *session) feed(d dump) error {
	v := &x.knows.variables
	from, err := beginningOf(d, v, &x.knows, x.slave != nil)
	if err != nil {
		return err
	}
	f := &feed{session: x, want: d, from: from, heartbeat: v.heartbeat()}
	f.out = newSender(x.conn, &x.server.buffers, x.allowWrite)
	_, f.checksum = v.checksum()
	f.introduce(d, v.uuid())
	x.server.begin(f)
	defer x.server.finish(f)
	if f.reader, err = f.open(); err != nil {
		return err
	}
	defer f.reader.Close()
	x.logger.Info("slave reads", "server_id", f.info.ServerID, "uuid", f.info.UUID, "has", clip(from.have.String(), mostText))
	err = f.run()
	if flushed := f.out.flush(); flushed != nil { // what came before the end, and its buffer
		return errors.Join(err, flushed)
	}
	return err
}

// introduce fills in who the slave is.
func (f *feed) introduce(d dump, uuid string) {
	x := f.session
	f.info = SlaveInfo{
		ServerID: d.serverID, UUID: uuid, Addr: x.socket.RemoteAddr().String(), User: x.login.user,
		Secure: x.login.secure, Since: time.Now(),
	}
	if f.from.gtid {
		f.info.Had = f.from.have
	}
	if x.slave != nil {
		f.info.Registered, f.info.Host, f.info.Port = true, x.slave.host, x.slave.port
		f.own = d.serverID
	}
}

// open opens the log for the slave. One that is ahead may wait for the log to
// get what it has.
func (f *feed) open() (Reader, error) {
	x := f.session
	ctx, cancel := context.WithTimeout(x.ctx, x.server.config.AheadGrace)
	defer cancel()
	for {
		changed := x.server.log.Changed()
		r, err := x.server.log.Read(f.from.have)
		var ahead *storedlog.AheadError
		if !errors.As(err, &ahead) {
			return r, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if cause := context.Cause(x.ctx); cause != nil {
				return nil, cause
			}
			return nil, err
		}
	}
}

// run sends piece after piece.
func (f *feed) run() error {
	at := ended()
	for {
		p, err := f.reader.Next(at)
		if errors.Is(err, context.Canceled) {
			p, err = f.wait()
		}
		if err != nil {
			return err
		}
		if err := f.piece(&p); err != nil {
			return err
		}
		f.progress.set(f)
		if err := context.Cause(f.session.ctx); err != nil {
			return err
		}
	}
}

// wait sends what is collected and waits for the next piece; meanwhile it sends
// the heartbeats.
func (f *feed) wait() (storedlog.Piece, error) {
	if err := f.flush(); err != nil {
		return storedlog.Piece{}, err
	}
	if f.want.flags&flagNonBlocking != 0 {
		return storedlog.Piece{}, errLogEnds
	}
	for {
		p, err := f.nextWithin(f.patience())
		switch {
		case !errors.Is(err, context.DeadlineExceeded):
			if cause := context.Cause(f.session.ctx); err != nil && cause != nil {
				err = cause
			}
			return p, err
		case f.session.conn.PeerGone():
			return p, errGone
		}
		if err := f.beat(); err != nil {
			return p, err
		}
	}
}

func (f *feed) nextWithin(d time.Duration) (storedlog.Piece, error) {
	ctx, cancel := context.WithTimeout(f.session.ctx, d)
	defer cancel()
	return f.reader.Next(ctx)
}

// patience is how long to wait at most before there is something else to do.
func (f *feed) patience() time.Duration {
	if f.heartbeat == 0 || f.file == "" {
		return lookout
	}
	return min(lookout, max(0, time.Until(f.sentAt.Add(f.heartbeat))))
}

// flush writes what is collected, and is then where the log is.
func (f *feed) flush() error {
	if err := f.out.flush(); err != nil {
		return err
	}
	f.sentAt = time.Now()
	f.session.conn.Release()
	f.progress.set(f)
	return nil
}

// beat sends a heartbeat if it is time for one.
func (f *feed) beat() error {
	if f.heartbeat == 0 || f.file == "" || time.Since(f.sentAt) < f.heartbeat {
		return nil
	}
	mariaDB := f.session.server.config.mariaDB()
	v2 := !mariaDB && f.want.have != nil && f.want.flags&flagHeartbeatV2 != 0
	where := f.session.server.shape.place(mariaDB, f.at)
	f.scratch = event.AppendHeartbeat(f.scratch[:0], v2, f.file, where, f.stamp())
	if err := f.out.event(f.scratch); err != nil {
		return err
	}
	return f.flush()
}
