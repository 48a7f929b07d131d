package admin

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/bellwether-db/bellwether/admin/operation"
)

// The interfaces below are what /v1 needs of the rest of the house. Any number
// of goroutines calls them. The values are shown as JSON as they are here: times
// in UTC, what is not known null, lists never null.

// ErrRefused is wrapped by errors about what must not be done; they say why, and
// what to do.
var ErrRefused = operation.ErrRefused

// ErrUnknown is wrapped by errors about what is not there.
var ErrUnknown = errors.New("not there")

// Sessions are the clients' sessions.
type Sessions interface {
	// Sessions returns those of this moment, in any order.
	Sessions() []Session
	// KillSession ends a session, or with queryOnly what it runs; false where
	// there is none with this id.
	KillSession(id uint32, queryOnly bool) bool
}

// Session is one client's session as it is now. It is a value.
type Session struct {
	ID       uint32 `json:"id"`
	User     string `json:"user"`
	Client   string `json:"client"` // its address, as host:port
	Database string `json:"database"`
	Listener string `json:"listener"` // the address it came to
	TLS      bool   `json:"tls"`
	// State is "idle", "running", "held" (it waits for a master) or "waiting" (for
	// a connection, or until a slave has what it must see); SinceSeconds for how long.
	State        string  `json:"state"`
	SinceSeconds float64 `json:"since_seconds"`
	// Statement is what it runs, without literals; "" while it runs nothing.
	Statement string `json:"statement"`
	// Node is where it runs, or is pinned to; nil for nowhere.
	Node          *string `json:"node"`
	InTransaction bool    `json:"in_transaction"`
	// Pins are the reasons why it has a connection of its own, in words.
	Pins             []string `json:"pins"`
	Consistency      string   `json:"consistency"`
	Statements       uint64   `json:"statements"`
	ConnectedSeconds float64  `json:"connected_seconds"`
}

// Digests are statistics of statements by their shape.
type Digests interface {
	// Digests returns a copy, in any order.
	Digests() DigestReport
	// ResetDigests begins anew.
	ResetDigests()
}

// DigestReport is what was counted since a moment. It is a value.
type DigestReport struct {
	Since   time.Time `json:"since"`
	Digests []Digest  `json:"digests"`
	// Dropped is how many statements were of shapes there was no room for.
	Dropped uint64 `json:"dropped"`
}

// Digest is what was counted of one shape of statement. It is a value.
type Digest struct {
	Digest   string `json:"digest"` // 16 hexadecimal digits
	Text     string `json:"text"`   // without literals
	Database string `json:"database"`
	Class    string `json:"class"`

	Count         uint64 `json:"count"`
	Errors        uint64 `json:"errors"`
	RowsSent      uint64 `json:"rows_sent"`
	RowsAffected  uint64 `json:"rows_affected"`
	BytesSent     uint64 `json:"bytes_sent"`     // to clients
	BytesReceived uint64 `json:"bytes_received"` // from clients

	TotalMS float64 `json:"total_ms"`
	P50MS   float64 `json:"p50_ms"`
	P95MS   float64 `json:"p95_ms"`
	P99MS   float64 `json:"p99_ms"`
	MaxMS   float64 `json:"max_ms"`

	ToMaster  uint64    `json:"to_master"`
	ToSlaves  uint64    `json:"to_slaves"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

// Traffic counts what clients do, since the start.
type Traffic interface {
	Counters() Counters
}

// Counters are counts since the start, but for Clients and Held, which are of
// this moment. It is a value.
type Counters struct {
	Statements  uint64
	ReadsMaster uint64
	ReadsSlaves uint64
	Writes      uint64
	Errors      uint64
	// Latency counts statements by how long they took: each bucket those up to
	// its bound and beyond that of the bucket before. Bounds grow, and stay the same.
	Latency []Bucket
	Clients int
	Held    int
}

// Bucket is one of a histogram. It is a value.
type Bucket struct {
	UpTo  time.Duration
	Count uint64
}

// Explainer says what would be done with a statement.
type Explainer interface {
	Explain(q Question) (Explanation, error)
}

// Question is a statement, and the session that it would come in. It is a value.
type Question struct {
	Statement     string `json:"statement"`
	Database      string `json:"database"`
	Consistency   string `json:"consistency"` // "" for the configured one
	InTransaction bool   `json:"in_transaction"`
}

// Explanation is where a statement would go now, and why. It is a value.
type Explanation struct {
	Class string `json:"class"`
	// Target is "master", "slave", "any node" or "nowhere".
	Target string `json:"target"`
	// Node is the one that would run it now; nil where that is open.
	Node *string `json:"node"`
	// Why are sentences, Pins what it would pin its session for.
	Why  []string `json:"why"`
	Pins []string `json:"pins"`
	// Statements is how many there are in the text; Parsed that it is known what
	// kind of statement it is: what is not goes to the master.
	Statements int    `json:"statements"`
	Parsed     bool   `json:"parsed"`
	Digest     string `json:"digest"`
	Text       string `json:"text"` // without literals
}

// Fleet is which nodes there are and how they are used, for changes.
type Fleet interface {
	// Add writes a node into the configuration and has it used.
	Add(n NewNode) error
	// Change sets what is not nil; ErrUnknown where there is no such node.
	Change(name string, c NodeChange) error
	// Remove takes a node out of the configuration.
	Remove(name string) error
	// Load returns what the pool of a node's connections has.
	Load(name string) NodeLoad
}

// NewNode is a node that is to be used. It is a value. The names are those of
// the configuration.
type NewNode struct {
	Name        string `json:"name"`
	Address     string `json:"address"`
	Weight      *int   `json:"weight"`
	Drain       bool   `json:"drain"`
	Maintenance bool   `json:"maintenance"`
	DataCentre  string `json:"datacentre"`
	REST        string `json:"rest"`
}

// NodeChange is how a node is to be used; nil leaves it as it is. It is a value.
type NodeChange struct {
	Drain       *bool `json:"drain,omitempty"`
	Maintenance *bool `json:"maintenance,omitempty"`
	Weight      *int  `json:"weight,omitempty"`
}

// String is what is to change, for the audit.
func (c NodeChange) String() string {
	text, err := json.Marshal(c)
	if err != nil {
		return "" // what it has always can be shown
	}
	return string(text)
}

// NodeLoad is what is under way on a node. It is a value.
type NodeLoad struct {
	Idle, Busy  int // connections
	Outstanding int // statements
}

// Stream is how the stream of writes does.
type Stream interface {
	// Feed is "relay" or "direct", and Position the end of the stored log as a
	// GTID set, "" where there is none.
	Feed() string
	Position() string
}

// Configuration is the file that Bellwether runs on.
type Configuration interface {
	// Show returns what runs, with *** for each secret.
	Show() (ShownConfiguration, error)
	// Examine says what is wrong with a text, and what taking it over would
	// change; "" is the file as it is now. A *** stands for the secret that runs.
	Examine(text string) (Examined, error)
	// Replace writes the file, if its version is still this one, and takes it
	// over, whole or not at all. ErrStale says that it is another.
	Replace(text, version string) (changes []string, err error)
}

// ErrStale says that what was to be changed is no longer what the caller saw.
var ErrStale = errors.New("it was changed meanwhile")

// ShownConfiguration is a configuration for people. It is a value.
type ShownConfiguration struct {
	Path   string    `json:"path"`
	Text   string    `json:"text"`
	Loaded time.Time `json:"loaded"`
	// FileDiffers says that the file is another by now.
	FileDiffers bool `json:"file_differs"`
	// Version is that of the file, secrets included, and tells nothing about them.
	Version string `json:"-"`
}

// Examined is what a configuration would do. It is a value.
type Examined struct {
	Valid    bool                   `json:"valid"`
	Problems []ConfigurationProblem `json:"problems"`
	Changes  []string               `json:"changes"`
}

// ConfigurationProblem is one thing that is wrong with a text. It is a value.
type ConfigurationProblem struct {
	Line int    `json:"line"` // 0 where no line is to blame
	Key  string `json:"key"`
	Says string `json:"says"`
}

// Operator knows what /v1/operations may be asked for, and how it is done.
type Operator interface {
	// Plan says what would be done now, and changes nothing.
	Plan(ctx context.Context, asked operation.Request) (operation.Plan, error)
	// Prepare looks whether it may be done, and returns how; ErrRefused says why not.
	Prepare(ctx context.Context, asked operation.Request) (operation.Job, error)
}

// History is what was the matter, and is.
type History interface {
	// Incidents returns the records, the oldest first; Problems what is the matter
	// now, the gravest first.
	Incidents() []Incident
	Problems() []Problem
}
