package control

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/replicator/dialect"
)

// TLSMode says how a slave connects to its source.
type TLSMode uint8

// The modes.
const (
	TLSUnknown TLSMode = iota
	TLSOff
	TLSAny    // encrypted, with whatever certificate
	TLSVerify // encrypted, with a certificate that CA has signed, for that host
)

// String returns the mode in lower case.
func (m TLSMode) String() string { return [...]string{"unknown", "off", "any", "verify"}[min(m, 3)] }

// Source is where a slave replicates from: Bellwether, or a master. It is a
// value and never prints its password.
type Source struct {
	Host, User, Password string
	Port                 int
	TLS                  TLSMode
	CA                   string // for TLSVerify: a file on the slave's machine
	// Heartbeat is how often an idle source gives a sign of life; a slave that
	// got none for four of them connects anew. 0 means one second.
	Heartbeat time.Duration
	// Workers is how many appliers the slave has at least; 0 leaves that to the
	// node. Commits keep their order in any case.
	Workers int
}

// String says where the source is.
func (s Source) String() string { return s.User + "@" + s.Addr() }

// GoString keeps the password out of %#v.
func (s Source) GoString() string { return "control.Source{" + s.String() + "}" }

// LogValue keeps the password out of logs.
func (s Source) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Addr is the source's host:port.
func (s Source) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// onlyPasswordOf says whether another source differs in the password only.
func (s Source) onlyPasswordOf(other Source) bool {
	same := s.Password == other.Password
	other.Password = s.Password
	return !same && s == other
}

const (
	defaultHeartbeat = time.Second
	connectRetry     = 1 // seconds
	// retryCount at one second each is 136 years; MySQL's default of 10 or 86400
	// gives up.
	retryCount = 4294967295
	// beatsPerTimeout is how many heartbeats may fail to come.
	beatsPerTimeout = 4
	// longestPassword is what MySQL keeps of a source's password.
	longestPassword = 32
)

func (s Source) heartbeat() time.Duration {
	if s.Heartbeat <= 0 {
		return defaultHeartbeat
	}
	return s.Heartbeat
}

// netTimeout is in whole seconds, and longer than a heartbeat as servers want it.
func (s Source) netTimeout() int {
	return max(int((beatsPerTimeout*s.heartbeat()+time.Second-1)/time.Second), beatsPerTimeout)
}

// validate says what is wrong with a source.
func (s Source) validate(d *dialect.Dialect) error {
	var problems []error
	if s.Host == "" || s.User == "" || s.Port <= 0 || s.Port > 65535 {
		problems = append(problems, fmt.Errorf("source %v needs a host, a port and a user", s))
	}
	if s.TLS == TLSUnknown || s.TLS > TLSVerify || (s.TLS == TLSVerify) != (s.CA != "") {
		problems = append(problems, fmt.Errorf("source %v: a mode of TLS, and a CA for TLSVerify only, not %v and %q", s, s.TLS, s.CA))
	}
	if !d.MariaDB() && len(s.Password) > longestPassword {
		problems = append(problems, fmt.Errorf("source %v: MySQL takes passwords of a source up to %d bytes", s, longestPassword))
	}
	return errors.Join(problems...)
}

// changeSQL is the statement that sets the source; it holds the password.
func (s Source) changeSQL(d *dialect.Dialect) string {
	var list []string
	add := func(t dialect.Term, value string) {
		if d.Has(t) {
			list = append(list, d.Say(t)+" = "+value)
		}
	}
	add(dialect.OptionHost, quote(s.Host))
	add(dialect.OptionPort, strconv.Itoa(s.Port))
	add(dialect.OptionUser, quote(s.User))
	add(dialect.OptionPassword, quote(s.Password))
	add(dialect.OptionConnectRetry, strconv.Itoa(connectRetry))
	add(dialect.OptionRetryCount, strconv.Itoa(retryCount))
	add(dialect.OptionHeartbeat, strconv.FormatFloat(s.heartbeat().Seconds(), 'f', 3, 64))
	add(dialect.OptionSSL, digit(s.TLS != TLSOff))
	add(dialect.OptionSSLCA, quote(s.CA))
	add(dialect.OptionSSLVerify, digit(s.TLS == TLSVerify))
	add(dialect.OptionPublicKey, "1")
	list = append(list, d.Say(dialect.AutoPosition))
	return d.Say(dialect.ChangeSource) + " " + strings.Join(list, ", ")
}

func digit(on bool) string {
	if on {
		return "1"
	}
	return "0"
}
