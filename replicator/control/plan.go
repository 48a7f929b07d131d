package control

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// plan is what Attach is to do to a slave. It is a value; the zero value is
// nothing.
type plan struct {
	why      []string // for the log: what was not right
	failures int      // how many of them are no wrong setting but a failure
	close    bool     // make it read-only first
	change   bool     // set the source
	pause    bool     // the settings need both threads stopped
	settings []change
	start    bool // a thread does not run
	drain    bool // what was received must be applied before the source is set
	// position is what MariaDB's gtid_slave_pos must be set to, nil if it is
	// right: a former master does not keep there what it wrote itself, and a slave
	// that was killed may lack there what it has executed and logged.
	position *cluster.GTIDSet
}

// change sets one variable.
type change struct {
	term dialect.Term
	sql  string
}

// empty says whether nothing is to be done.
func (p *plan) empty() bool { return len(p.why) == 0 }

// repairs says whether the slave is set as it should be and only fails.
func (p *plan) repairs() bool { return !p.empty() && p.failures == len(p.why) }

func (p *plan) because(format string, args ...any) {
	p.why = append(p.why, fmt.Sprintf(format, args...))
}

// ErrantError is returned for a slave that has executed what its source does
// not have: as a slave it would differ for ever, and nobody would notice.
type ErrantError struct {
	Node  string
	Extra *cluster.GTIDSet
}

// Error implements error.
func (e *ErrantError) Error() string {
	return fmt.Sprintf("%s has executed %v, which its source does not have: keep its data aside and copy it anew (/sync)", e.Node, e.Extra)
}

// ChannelsError is returned for a slave that has further sources: what those
// send is not in Bellwether's log.
type ChannelsError struct {
	Node     string
	Channels []string
}

// Error implements error.
func (e *ChannelsError) Error() string {
	return fmt.Sprintf("%s replicates from further sources, on the channels %s: remove them (RESET REPLICA ALL FOR CHANNEL, RESET SLAVE ... ALL)", e.Node, strings.Join(e.Channels, ", "))
}

// UndrainedError is returned when a slave could not apply in time what it had
// received from its former source. Its receiver is left stopped, so that there
// is an end to it; try again.
type UndrainedError struct {
	Node string
	Left *cluster.GTIDSet
}

// Error implements error.
func (e *UndrainedError) Error() string {
	return fmt.Sprintf("%s has still to apply %v of what it received from its former source", e.Node, e.Left)
}

// planAttach compares a slave with what it should be; has is what its source has,
// nil if not known. A slave that is refused is made read-only all the same. It
// is pure.
func planAttach(node string, s *Status, src Source, has *cluster.GTIDSet) (p plan, err error) {
	if err := src.validate(s.Dialect); err != nil {
		return p, err
	}
	p.planReadOnly(s)
	if err := unfit(node, s, has); err != nil {
		return p, err
	}
	if s.logged.IsZero() {
		p.planSource(s, src, has)
	} else { // before it has applied that, nothing can be drained
		p.planPosition(s)
	}
	p.planSettings(s, src)
	if s.Receiver.Runs == RunsNo || s.Applier.Runs == RunsNo {
		p.start = true
		p.failures++
		p.because("it does not run (receiver: %v, applier: %v)", s.Receiver.Runs, s.Applier.Runs)
	}
	return p, nil
}

// unfit says why the node cannot be a slave, nil where it can.
func unfit(node string, s *Status, has *cluster.GTIDSet) error {
	if len(s.Channels) > 0 {
		return &ChannelsError{node, s.Channels}
	}
	if extra := errant(s, has); extra != nil {
		return &ErrantError{node, extra}
	}
	return nil
}

// errant returns what the slave has executed and the source does not have, nil
// if there is none or one of them is not known.
func errant(s *Status, has *cluster.GTIDSet) *cluster.GTIDSet {
	if has == nil {
		return nil
	}
	if set := s.Executed.Union(s.Current); set != nil && !has.ContainsSet(set) {
		return set.Subtract(has)
	}
	return nil
}

func (p *plan) planReadOnly(s *Status) {
	super := s.Dialect.Has(dialect.SuperReadOnly)
	if !s.ReadOnly || super && !s.SuperReadOnly {
		p.close = true
		p.because("it is not %s", orElse(s.Dialect.Say(dialect.SuperReadOnly), s.Dialect.Say(dialect.ReadOnly)))
	}
}

// planSource compares everything of the source that a server tells. The
// password it does not tell, so that a refused login is taken for a wrong one.
func (p *plan) planSource(s *Status, src Source, has *cluster.GTIDSet) {
	before := len(p.why)
	if !s.Configured {
		p.because("it has no source")
		if s.Current != nil && !s.Current.IsEmpty() && !s.Current.Equal(s.Executed) {
			p.position = s.Current
		}
	} else {
		p.compare(s, src)
	}
	if len(p.why) == before {
		return
	}
	p.change, p.pause = true, true
	left := unapplied(s)
	p.drain = left != nil && !left.IsEmpty() && !has.ContainsSet(left)
}

// setAnew plans the source as it is for the sake of its password.
func (p *plan) setAnew() {
	p.because("its password has changed")
	p.change, p.pause = true, true
}

// planPosition has the slave go on behind what it has executed and is sent again.
func (p *plan) planPosition(s *Status) {
	p.position, p.pause = s.Executed.With(s.logged), true
	p.because("it was killed between executing %v, which ends its own binary log, and keeping that in gtid_slave_pos", s.logged)
}

func (p *plan) compare(s *Status, src Source) {
	o := s.options
	if s.SourceAddr != src.Addr() {
		p.because("its source is %s", s.SourceAddr)
	}
	if s.SourceUser != src.User {
		p.because("it logs in as %s", s.SourceUser)
	}
	if problem := s.Receiver.Problem; problem.Number != 0 && failureOf(SideReceiver, problem).again() {
		p.failures++
		p.because("its login is refused")
	}
	if !o.autoPosition {
		p.because("it does not keep its position by GTID")
	}
	if o.connectRetry != connectRetry || o.retryKnown && o.retryCount != retryCount {
		p.because("it would try %d times, each %d s", o.retryCount, o.connectRetry)
	}
	if o.heartbeat.Round(time.Millisecond) != src.heartbeat().Round(time.Millisecond) {
		p.because("its heartbeat period is %v", o.heartbeat)
	}
	if o.ssl != (src.TLS != TLSOff) || o.sslVerify != (src.TLS == TLSVerify) || o.sslCA != src.CA {
		p.because("its TLS is set otherwise than %v", src.TLS)
	}
}

// unapplied is what the slave has received and not executed; nil if not known.
func unapplied(s *Status) *cluster.GTIDSet {
	if s.Retrieved == nil || s.Executed == nil {
		return nil
	}
	return s.Retrieved.Subtract(s.Executed)
}

// planSettings compares the variables of the slave's threads.
func (p *plan) planSettings(s *Status, src Source) {
	d := s.Dialect
	p.want(s, dialect.ParallelMode, d.Say(dialect.ParallelModeWanted), func(v string) bool {
		return strings.EqualFold(v, d.Say(dialect.ParallelModeWanted)) || d.MariaDB() && strings.EqualFold(v, "conservative")
	})
	p.want(s, dialect.PreserveOrder, "ON", isOn)
	p.want(s, dialect.Workers, strconv.Itoa(src.Workers), atLeast(src.Workers))
	p.want(s, dialect.NetTimeout, strconv.Itoa(src.netTimeout()), func(v string) bool {
		n, err := strconv.Atoi(v)
		return err == nil && n <= src.netTimeout() && time.Duration(n)*time.Second > src.heartbeat()
	})
}

func atLeast(n int) func(string) bool {
	return func(v string) bool {
		have, err := strconv.Atoi(v)
		return n == 0 || err == nil && have >= n
	}
}

// want plans one variable, if the server has it and it is not right. All of
// them count from the threads' next start only, or can be set only then.
func (p *plan) want(s *Status, t dialect.Term, value string, right func(string) bool) {
	have, ok := s.settings[t]
	if !ok || right(have) {
		return
	}
	name := s.Dialect.Say(t)
	p.because("%s is %s", name, have)
	p.settings = append(p.settings, change{t, fmt.Sprintf("%s %s = %s", s.Dialect.Say(dialect.SetLasting), name, value)})
	p.pause = true
}
