package proxy

import (
	"time"

	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

// tally is what is counted of the running statement. Its session owns it.
type tally struct {
	begun time.Time
	// ended is when its last answer was relayed, zero where nothing ran.
	ended  time.Time
	digest *digest // nil where none is kept
	ran    ranOn
	// refused is the number of an error of the proxy's own that the client got.
	refused uint16
	traced  *traced // nil where the statement has no span
}

// ranOn is the kind of node that a statement ran on.
type ranOn uint8

const (
	ranNowhere ranOn = iota
	ranMaster
	ranSlave
	numRanOn
)

func (r ranOn) String() string { return [...]string{"none", "master", "slave"}[min(r, numRanOn-1)] }

// beginTally begins to count a request, and shows it to whoever lists sessions.
func (x *session) beginTally(r *request) {
	x.tally = tally{begun: time.Now()}
	x.answer.Code, x.answer.Rows, x.answer.AffectedRows, x.answer.Bytes = 0, 0, 0, 0
	if s := r.statement; s.Fingerprint != "" && r.answer != wire.AnswerPrepare {
		x.tally.digest = x.digestOf(r)
	}
	if x.server.tracer != nil {
		x.beginTrace(r)
	}
	x.shown.begins(r.statement, x.tally.begun)
}

// schemaOf is the database that a statement speaks of where it names none.
func (x *session) schemaOf(r *request) string {
	if r.prepared != nil {
		return r.prepared.schema
	}
	return x.schema
}

// failedWith reports whether the client got an error, or no answer because of err.
func (x *session) failedWith(err error) bool {
	return err != nil || x.tally.refused != 0 || x.answer.Code != 0
}

// digestOf is where a statement is counted; nil where digests are off.
func (x *session) digestOf(r *request) *digest {
	schema := x.schemaOf(r)
	d := &x.server.digests
	if found := d.find(r.statement, schema); found != nil || d.limit.Load() == 0 {
		return found
	}
	sql := r.payload[1:]
	if r.prepared != nil {
		sql = []byte(r.prepared.sql)
	}
	return d.add(r.statement, schema, sql, x.dialect)
}

// endTally counts a request whose answer the client has, or never gets.
func (x *session) endTally(r *request, err error) {
	y := &x.tally
	if y.ended.IsZero() {
		y.ended = time.Now()
	}
	x.shown.ends(y.ended)
	if y.traced != nil {
		x.endTrace(r, err)
	}
	if y.digest == nil {
		return
	}
	c := y.digest.shard(x.id)
	c.add(y.ended.Sub(y.begun), y.ended)
	switch y.ran {
	case ranMaster:
		c.toMaster.Add(1)
	case ranSlave:
		c.toSlaves.Add(1)
	}
	if x.failedWith(err) {
		c.errors.Add(1)
	}
	if x.answer.Rows > 0 {
		c.rowsSent.Add(x.answer.Rows)
	}
	if x.answer.AffectedRows > 0 && !x.answer.HasRows {
		c.rowsAffected.Add(x.answer.AffectedRows)
	}
	c.bytesIn.Add(uint64(len(r.payload)))
	c.bytesOut.Add(uint64(x.answer.Bytes))
	y.digest = nil
}

// ranOnNode is the kind of node that a statement ran on.
func ranOnNode(target router.Target, master, node string) ranOn {
	if target == router.TargetMaster || master == node {
		return ranMaster
	}
	return ranSlave
}
