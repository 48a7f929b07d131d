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

// heardPatience is the least time without a byte that says anything: the
// protocol's heartbeats come every second.
const heardPatience = 1500 * time.Millisecond

// hear returns what the stream says, and a sentence with it.
func (s *sight) hear() (hearing, string) {
	if s.Stream.Direct {
		return s.hearSlaves()
	}
	stream := &s.Stream
	switch silent := s.lasting(stream.Heard); {
	case stream.Failing != "":
		return hearDeaf, say("the stream cannot tell: the stored log cannot be written: %s", stream.Failing)
	case !stream.Known:
		return hearDeaf, "the stream cannot tell: the stored log is not open yet"
	case !stream.Connected:
		return hearBroken, say("the stream from it is broken for %v", brief(s.lasting(stream.Since)))
	case silent >= max(s.frozen(), heardPatience):
		return hearSilent, say("nothing has come over its stream for %v", brief(silent))
	case s.rowMissing():
		return s.hearRows()
	case silent >= heardPatience:
		return hearWaiting, say("nothing has come over its stream for %v", brief(silent))
	}
	return hearRunning, say("its stream runs: the last byte came %v ago", brief(s.lasting(stream.Heard)))
}

// rowMissing says that the heartbeat's row is under way and nothing has been
// stored since: heartbeats of the protocol say nothing then, a server whose disk
// hangs sends them for ever.
func (s *sight) rowMissing() bool {
	pending := s.master.Heartbeat.Pending
	return !pending.IsZero() && s.Stream.Stored.Before(pending)
}

func (s *sight) hearRows() (hearing, string) {
	hangs := s.lasting(s.master.Heartbeat.Pending)
	if hangs >= s.frozen() {
		return hearSilent, say("no row has come over its stream for %v, only the protocol's heartbeats at most", brief(hangs))
	}
	return hearWaiting, say("no row has come over its stream since the probe's write began to hang %v ago", brief(hangs))
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
