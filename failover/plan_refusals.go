package failover

import (
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// refuseFailover says why the master must not be given up, "" where it may, and
// until when if that ends by itself.
func (s *sight) refuseFailover(p Problem, o Order) (string, time.Time) {
	if why := s.refuseAny(); why != "" {
		return why, time.Time{}
	}
	if o.Given {
		return s.refuseOrdered(p, o), time.Time{}
	}
	if why := s.refuseAutomatic(p); why != "" {
		return why, time.Time{}
	}
	if s.Policy.Window > 0 && !s.Last.IsZero() && s.age(s.Last) < s.Policy.Window {
		until := s.Last.Add(s.Policy.Window)
		// Times of the clock, which stay the same: this is published as long as it lasts.
		return say("the roles were changed at %s, and too often within %v: it is done at %s (UTC); an order does it now",
			clock(s.Last), s.Policy.Window, clock(until)), until
	}
	return s.refuseStream(o), time.Time{}
}

// refuseAny is what keeps from every change of roles, ordered or not.
func (s *sight) refuseAny() string {
	switch {
	case s.Lock != "":
		return say("this Bellwether may not act: %s; give the order to the one that holds the lock, or stop that one", s.Lock)
	case s.Record.Master == "":
		return "no master is recorded yet: the first start has to be completed"
	}
	return ""
}

// refuseAutomatic is for a failover that nobody ordered.
func (s *sight) refuseAutomatic(p Problem) string {
	switch {
	case p.Kind.Definition().Asks != RecoveryFailover:
		return "nothing asks for a failover" + s.wellOr(p)
	case s.master != nil && s.master.Maintenance:
		return say("%s is under maintenance: end that, or order the failover", s.master.Name)
	case !s.Policy.Automatic:
		return "automatic failover is off: bellwether failover orders it"
	}
	return ""
}

func (s *sight) wellOr(p Problem) string {
	if p.Kind == KindUnknown {
		return ""
	}
	return ": " + p.Kind.Definition().Description
}

// refuseOrdered is for one that somebody ordered.
func (s *sight) refuseOrdered(p Problem, o Order) string {
	switch {
	case s.master == nil && !o.Force:
		return say("the recorded master %s is not in the configuration: add it; or force the failover, if that server is lost", s.Record.Master)
	case o.To != "":
		if why := s.refuseTarget(o.To); why != "" {
			return why
		}
	}
	if p.Kind == KindUnknown && s.master != nil && s.master.Failing.IsZero() && !o.Force {
		return say("the master %s is well: bellwether switchover moves it without a risk; with force it is given up all the same", s.master.Name)
	}
	return s.refuseStream(o)
}

// refuseTarget is for names that cannot be meant.
func (s *sight) refuseTarget(to string) string {
	switch {
	case to == s.Record.Master:
		return say("%s is the master already", to)
	case s.find(to) == nil:
		return say("there is no node %s: the nodes are %v", to, s.names())
	}
	return ""
}

// refuseStream: without the stored log's end nobody knows what may be lost.
func (s *sight) refuseStream(o Order) string {
	stream := &s.Stream
	switch {
	case stream.Direct:
		return ""
	case stream.Failing != "":
		return say("the stored log cannot be written, so a new master's commits would wait as well: %s; mend that first", stream.Failing)
	case !stream.Known:
		return "the stored log is not open yet: it is done once it is"
	case !stream.Whole && !o.Force:
		return "the stored log may lack writes that were acknowledged: bring the master back; or force the failover, and lose them"
	}
	return ""
}

// promised adds what a change of master that is not complete has promised to
// end, so that it is not forgotten when the new master dies, too. It is false
// where that cannot be read: then nobody knows what was promised.
func (s *sight) promised(end *cluster.GTIDSet) (*cluster.GTIDSet, bool) {
	p := s.Record.Promotion
	if p == nil || p.End == "" {
		return end, true
	}
	set, err := cluster.ParseGTIDSet(s.flavour(), p.End)
	if err != nil {
		return nil, false
	}
	if end == nil && !s.Stream.Direct {
		return nil, true
	}
	return end.Union(set), true
}
