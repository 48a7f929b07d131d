package failover

import (
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// Bounds of what is a problem at all.
const (
	// hangsAfter is how long a write of the probe may take on a busy master.
	hangsAfter = time.Second
	// brokenAfter is how long a stream may be away before it is told: a new
	// attempt takes less.
	brokenAfter = time.Second
	// stuckTimes is how many times the policy's patience commits may wait for a
	// stream that runs: a master that looks for our place in a large binary log
	// takes a while.
	stuckTimes = 5
)

// masterRule says what the master does: one problem at most, or the several
// that may be there together while it answers.
func masterRule(s *sight) []Problem {
	n := s.master
	switch {
	case n == nil:
		return nil
	case n.Failing.IsZero() && n.Health == cluster.HealthUnknown:
		return one(KindNodeUnseen, n.Name)
	case n.Failing.IsZero():
		return answeringMaster(s)
	}
	switch n.Outcome {
	case cluster.OutcomeRefused, cluster.OutcomeLost, cluster.OutcomeUnknown:
		return goneMaster(s)
	case cluster.OutcomeTimeout:
		return muteMaster(s)
	}
	return one(KindOperatorRefused, n.Name, s.probed())
}

// goneMaster is one where nobody listens or that breaks connections. It is dead
// if its stream is broken, too, and a second probe saw the same.
func goneMaster(s *sight) []Problem {
	n := s.master
	heard, sentence := s.hear()
	switch {
	case s.isolated():
		return one(KindIsolated, "", s.probed(), s.others())
	case heard == hearRunning && s.Stream.Direct:
		return one(KindMasterCutOff, n.Name, s.probed(), sentence, s.hurt())
	case heard == hearRunning:
		return s.brokenProbe(sentence)
	case heard >= hearSilent && n.Health == cluster.HealthDown:
		return one(KindMasterDead, n.Name, s.probed(), sentence, s.hurt())
	}
	return one(KindMasterSuspect, n.Name, s.probed(), sentence, s.hurt())
}

// muteMaster is one that answers no probe in time. It may be slow, so this has
// to last, and the stream has to be silent, too.
func muteMaster(s *sight) []Problem {
	n := s.master
	heard, sentence := s.hear()
	switch {
	case s.isolated():
		return one(KindIsolated, "", s.probed(), s.others())
	case heard == hearRunning && s.Stream.Direct && s.lasting(n.Failing) >= s.frozen():
		return one(KindMasterCutOff, n.Name, s.probed(), sentence, s.hurt())
	case heard == hearRunning:
		return s.brokenProbe(sentence)
	case heard >= hearSilent && s.lasting(n.Failing) >= s.frozen():
		return one(KindMasterFrozen, n.Name, s.probed(), sentence, s.hurt())
	}
	return one(KindMasterSuspect, n.Name, s.probed(), sentence, s.hurt())
}

// brokenProbe is told where it lasts: a probe in a thousand fails.
func (s *sight) brokenProbe(sentence string) []Problem {
	if s.lasting(s.master.Failing) < hangsAfter {
		return nil
	}
	return one(KindProbeBroken, s.master.Name, s.probed(), sentence, s.hurt())
}

// answeringMaster is one that answers the probe.
func answeringMaster(s *sight) []Problem {
	n := s.master
	if s.foreignMaster() {
		return one(KindAnotherServer, n.Name, s.strangeServer(n, s.Record.Identity))
	}
	if lost := s.lostByMaster(); lost != nil {
		return one(KindMasterBehind, n.Name,
			say("it was restarted %v ago and lacks %s of the stored log: %v", brief(s.lasting(n.Since)), counted(lost.Count()), lost))
	}
	if n.ReadOnly && s.Record.Promotion != nil {
		return nil // unfinishedRule has it
	}
	if n.ReadOnly {
		return s.closedMaster()
	}
	if out := s.fullMaster(); out != nil {
		return out
	}
	if !n.Heartbeat.Pending.IsZero() && s.lasting(n.Heartbeat.Pending) >= hangsAfter {
		return s.hangingWrite()
	}
	return append(s.brokenHeartbeat(), s.brokenStream()...)
}

// hangingWrite judges a write of the probe that does not end: by what the server
// says that it waits for, and by what the stream says.
func (s *sight) hangingWrite() []Problem {
	n := s.master
	hangs := say("the probe answers, but its write hangs for %v", brief(s.lasting(n.Heartbeat.Pending)))
	if n.Heartbeat.Wait != "" {
		hangs += say("; the server says: %s", n.Heartbeat.Wait)
	}
	heard, sentence := s.hear()
	switch {
	case waitsForLock(n.Heartbeat.Wait):
		return one(KindWritesLocked, n.Name, hangs, "no other node would be better off: a lock is somebody's wish; SHOW PROCESSLIST there tells whose")
	case waitsForStream(n.Heartbeat.Wait):
		return s.unanswered(hangs)
	case s.Stream.Failing != "":
		return nil // storeRule has it
	case heard == hearBroken && !s.Stream.Direct:
		return s.unanswered(hangs) // all commits wait behind one that waits for its acknowledgement
	case heard >= hearSilent && s.lasting(n.Heartbeat.Pending) >= s.hangPatience():
		return one(KindMasterFrozen, n.Name, hangs, sentence, s.hurt())
	case heard == hearRunning:
		return one(KindProbeBroken, n.Name, hangs, sentence)
	}
	return one(KindMasterSuspect, n.Name, hangs, sentence, s.hurt())
}

// hangPatience is how long a write may hang. Where the server has not said yet
// what it waits for, it may be a lock: that takes a look more.
func (s *sight) hangPatience() time.Duration {
	if s.master.Heartbeat.Wait == "" {
		return s.frozen() * 3 / 2
	}
	return s.frozen()
}

// unanswered is a master that waits for the stream's acknowledgement: its disk
// works, since what waits is in its binary log.
func (s *sight) unanswered(hangs string) []Problem {
	switch {
	case s.Stream.Failing != "" || !s.Stream.Known && !s.Stream.Direct:
		return nil // it waits for us; storeRule has it
	case s.stuck():
		return one(KindStreamStuck, s.master.Name, hangs, s.streamState())
	}
	return one(KindStreamBroken, s.master.Name, hangs, s.streamState())
}

// stuck says that commits have waited for longer than a new stream takes. The
// master answers, so it can be closed in order and nothing is lost by that; a
// little more than the policy's patience leaves time for dialling anew.
func (s *sight) stuck() bool {
	waits := s.lasting(s.master.Heartbeat.Pending)
	switch {
	case s.Stream.Direct:
		return false
	case !s.Stream.Connected || s.lasting(s.Stream.Heard) >= heardPatience:
		return waits >= s.frozen()*3/2
	}
	return min(waits, s.lasting(s.Stream.Since)) >= stuckTimes*s.frozen()
}

// brokenStream is told where clients are served all the same.
func (s *sight) brokenStream() []Problem {
	stream := &s.Stream
	if stream.Direct || !stream.Known || stream.Connected || s.lasting(stream.Since) < brokenAfter {
		return nil
	}
	return one(KindStreamBroken, s.master.Name, s.streamState())
}

func (s *sight) streamState() string {
	switch silent := s.lasting(s.Stream.Heard); {
	case s.Stream.Direct:
	case !s.Stream.Connected:
		return say("the stream from it is broken for %v", brief(s.lasting(s.Stream.Since)))
	case silent >= heardPatience:
		return say("nothing has come over its stream for %v", brief(silent))
	}
	return "the stream from it runs, and no acknowledgement reaches it"
}

func (s *sight) brokenHeartbeat() []Problem {
	if s.master.Heartbeat.Problem == "" {
		return nil
	}
	return one(KindHeartbeatBroken, s.master.Name, say("the server says: %s", s.master.Heartbeat.Problem))
}

// closedMaster tells a master that waits to be opened from one that somebody
// closed: then writes are refused for that reason. Where they are open, the probe
// is of a moment before that, or of the moment in which it was closed.
func (s *sight) closedMaster() []Problem {
	switch {
	case s.Writes == cluster.WritesOpen || s.Lock != "":
		return nil
	case s.Writes == cluster.WritesRefused:
		return one(KindMasterReadOnly, s.master.Name, "SET GLOBAL read_only = 0 there opens it again")
	}
	return one(KindMasterClosed, s.master.Name)
}

// fullMaster is one that takes no writes for want of room, for as long as the
// policy bears: others may have room.
func (s *sight) fullMaster() []Problem {
	n := s.master
	failing := n.Heartbeat.Problem != "" || !n.Heartbeat.Pending.IsZero()
	if !n.Settings.DiskFull || !failing || s.lasting(n.Heartbeat.Written) < s.frozen() || s.lasting(s.Stream.Stored) < s.frozen() && !s.Stream.Direct {
		return nil
	}
	sentence := say("the probe's last write ended %v ago", brief(s.lasting(n.Heartbeat.Written)))
	if n.Heartbeat.Problem != "" {
		sentence += "; the server says: " + n.Heartbeat.Problem
	}
	return one(KindMasterFull, n.Name, sentence)
}

// lostByMaster is what the stored log has and a master that came back lacks, nil
// for nothing. A commit that waits for its acknowledgement is not counted as
// executed by the server, so what a writable one lacks says something only after
// a while.
func (s *sight) lostByMaster() *cluster.GTIDSet {
	n, stream := s.master, &s.Stream
	if stream.Direct || stream.Connected || !n.Since.After(stream.Stored) || n.Applied == nil || n.Applied.ContainsSet(stream.End) {
		return nil
	}
	if n.Applied.Flavour() != stream.End.Flavour() || !n.ReadOnly && s.lasting(stream.Since) < stuckTimes*s.frozen() {
		return nil
	}
	return stream.End.Subtract(n.Applied)
}

// waitsForLock says whether a thread's state is a wait for somebody's lock:
// FLUSH TABLES WITH READ LOCK, a backup, LOCK TABLES.
func waitsForLock(state string) bool {
	state = strings.ToLower(state)
	return strings.HasPrefix(state, "waiting for ") && (strings.HasSuffix(state, " lock") || strings.HasSuffix(state, "table flush"))
}

// waitsForStream says whether a thread's state is a wait for a reply of the
// semi-synchronous kind.
func waitsForStream(state string) bool { return strings.Contains(strings.ToLower(state), "semi-sync") }
