package failover

import (
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// hearing is what the stream says of the master. The zero value is deaf.
type hearing uint8

const (
	hearDeaf    hearing = iota // it says nothing about the master: the stored log fails or is not open, or there is nobody to ask
	hearRunning                // what the master writes arrives
	hearWaiting                // it runs, but no row has come since a write began to hang, or no byte for a moment
	hearSilent                 // so for as long as the policy bears
	hearBroken                 // it is broken
)

const (
	// heardPatience is the least time without a byte that says anything: the
	// protocol's heartbeats come every second.
	heardPatience = 1500 * time.Millisecond
	// rowPatience is the same without a row, while one is due.
	rowPatience = 500 * time.Millisecond
)

// hear returns what the stream says, and a sentence with it.
func (s *sight) hear() (hearing, string) {
	if s.Stream.Direct {
		return s.hearSlaves()
	}
	stream := &s.Stream
	silent, rowless := s.lasting(stream.Heard), s.rowless()
	switch {
	case stream.Failing != "":
		return hearDeaf, say("the stream cannot tell: the stored log cannot be written: %s", stream.Failing)
	case !stream.Known:
		return hearDeaf, "the stream cannot tell: the stored log is not open yet"
	case !stream.Connected:
		return hearBroken, say("the stream from it is broken for %v", brief(s.lasting(stream.Since)))
	case silent >= max(s.frozen(), heardPatience):
		return hearSilent, say("nothing has come over its stream for %v", brief(silent))
	case rowless >= s.frozen():
		return hearSilent, say("no row has come over its stream for %v, only the protocol's heartbeats at most", brief(rowless))
	case rowless >= rowPatience:
		return hearWaiting, say("no row has come over its stream for %v, and one is due", brief(rowless))
	case silent >= heardPatience:
		return hearWaiting, say("nothing has come over its stream for %v", brief(silent))
	}
	return hearRunning, say("its stream runs: the last byte came %v ago", brief(silent))
}

// rowless is for how long no row has come while one was due, which is so while a
// write of the probe hangs: heartbeats of the protocol say nothing then, a server
// whose disk hangs sends them for ever.
func (s *sight) rowless() time.Duration {
	pending := s.master.Heartbeat.Pending
	if pending.IsZero() {
		return 0
	}
	return min(s.age(pending), s.age(s.Stream.Stored))
}

// hearSlaves asks the slaves' own receivers, where they follow the master by
// themselves. One that still receives is enough: then the master lives.
func (s *sight) hearSlaves() (hearing, string) {
	var receiving, lost []string
	for _, n := range s.slaves {
		switch {
		case n.Health != cluster.HealthUp:
		case n.Replication == cluster.ReplicationRunning:
			receiving = append(receiving, n.Name)
		case n.Replication == cluster.ReplicationConnecting:
			lost = append(lost, n.Name)
		}
	}
	switch {
	case len(receiving) > 0 && s.slavesIdle():
		return hearSilent, say("no row comes to its slaves %s, which have all that they know of", strings.Join(receiving, ", "))
	case len(receiving) > 0:
		return hearRunning, say("its slaves still receive from it: %s", strings.Join(receiving, ", "))
	case len(lost) > 0:
		return hearBroken, say("its slaves have lost it, too: %s", strings.Join(lost, ", "))
	}
	return hearDeaf, "no slave can tell: none is up with a receiver that runs"
}

// slavesIdle says that a write of the probe hangs on a master that answers, and
// no slave has got it: the receivers would say Yes for ever.
func (s *sight) slavesIdle() bool {
	n := s.master
	if n.Outcome != cluster.OutcomeAnswered || s.lasting(n.Heartbeat.Pending) < s.frozen() {
		return false
	}
	for _, slave := range s.slaves {
		if slave.Health == cluster.HealthUp && slave.LagGTIDs > 0 {
			return false
		}
	}
	return true
}
