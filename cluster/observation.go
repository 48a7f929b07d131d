package cluster

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Outcome says how a probe ended.
type Outcome uint8

// The outcomes.
const (
	OutcomeUnknown  Outcome = iota
	OutcomeAnswered         // everything was read
	OutcomeRefused          // nobody listens there
	OutcomeLost             // the connection broke
	OutcomeTimeout          // no answer in time
	OutcomeDenied           // the operator account may not log in or look
	OutcomeFailed           // an error of the server, or an answer that cannot be read
)

// String returns the outcome in lower case.
func (o Outcome) String() string {
	return [...]string{"unknown", "answered", "refused", "lost", "timeout", "denied", "failed"}[min(o, 6)]
}

// weight is how much a failed probe speaks for the node being down. A refused
// connection is nearly certain; a slow answer may only be load.
func (o Outcome) weight() int {
	switch o {
	case OutcomeAnswered:
		return 0
	case OutcomeRefused:
		return 3
	default:
		return 2
	}
}

// weight is how much the whole observation speaks for the node being down. A
// connection that broke, and no other to be had, are two failures.
func (o *observation) weight() int {
	if o.broken {
		return OutcomeLost.weight() + o.outcome.weight()
	}
	return o.outcome.weight()
}

// outcomeOf names the outcome of a probe that ended with err.
func outcomeOf(err error) Outcome {
	var server *mysql.MySQLError
	var network net.Error
	switch {
	case err == nil:
		return OutcomeAnswered
	case errors.As(err, &server):
		return outcomeOfServer(server.Number)
	case errors.Is(err, syscall.ECONNREFUSED):
		return OutcomeRefused
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return OutcomeTimeout
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, io.EOF), errors.As(err, &network):
		return OutcomeLost
	}
	return OutcomeFailed
}

// outcomeOfServer sorts the server's own errors: those that say "you may not".
func outcomeOfServer(code uint16) Outcome {
	switch code {
	case 1044, 1045, 1130, 1142, 1143, 1227, 1698, 3118, 4151:
		return OutcomeDenied
	}
	return OutcomeFailed
}

// observation is what one probe saw. It is a value.
type observation struct {
	begun, ended time.Time
	outcome      Outcome
	err          error // nil if answered
	// broken is set when the connection of the last probe was found broken, and
	// then a new one could not be had either.
	broken bool

	server   server
	readOnly bool
	applied  *GTIDSet // nil if the server does not tell, e.g. with GTIDs off
	channels []channel
	running  int
	settings Settings // as last read
}

// server is what does not change as long as a server runs.
type server struct {
	flavour  Flavour
	version  string
	identity string
	since    time.Time // when the connection was opened
}

// channel is one replication connection of a slave.
type channel struct {
	name              string
	receiver, applier string // Yes, No, Connecting, Preparing
	receiverError     string
	applierError      string
	diskFull          bool
	behindKnown       bool
	behind            time.Duration // the server's own Seconds_Behind
}

// state names what a channel does.
func (c channel) state() Replication {
	switch {
	case c.applier == "No" && c.applierError != "", c.receiver == "No" && c.receiverError != "":
		return ReplicationBroken
	case c.applier == "No", c.receiver == "No":
		return ReplicationStopped
	case c.receiver != "Yes":
		return ReplicationConnecting
	}
	return ReplicationRunning
}

// problem says for people what keeps a channel from running.
func (c channel) problem() string {
	switch state := c.state(); {
	case state == ReplicationBroken && c.applier == "No" && c.applierError != "":
		return "replication is broken, the applier stopped: " + c.applierError
	case state == ReplicationBroken:
		return "replication is broken, the receiver stopped: " + c.receiverError
	case state == ReplicationStopped && c.applier == "No":
		return "replication is stopped: the applier does not run"
	case state == ReplicationStopped:
		return "replication is stopped: the receiver does not run"
	case state == ReplicationConnecting && c.receiverError != "":
		return "replication has no connection to its source: " + c.receiverError
	case state == ReplicationConnecting:
		return "replication has no connection to its source"
	}
	return ""
}

// replication returns the worst state of all channels, and its problem.
func (o *observation) replication() (state Replication, problem string) {
	state = ReplicationNone
	for _, c := range o.channels {
		if s := c.state(); s > state {
			state, problem = s, c.problem()
		}
	}
	return state, problem
}

// behind returns the server's own idea of the lag: the largest of all channels,
// unknown if one of them does not know.
func (o *observation) behind() (lag time.Duration, known bool) {
	for _, c := range o.channels {
		if !c.behindKnown {
			return 0, false
		}
		lag = max(lag, c.behind)
	}
	return lag, len(o.channels) > 0
}

// flavourOf tells the family from the version that a server shows.
func flavourOf(version string) Flavour {
	switch {
	case version == "":
		return FlavourUnknown
	case strings.Contains(strings.ToLower(version), "mariadb"):
		return FlavourMariaDB
	}
	return FlavourMySQL
}
