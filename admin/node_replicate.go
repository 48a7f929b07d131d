package admin

import (
	"context"
	"errors"
	"net/http"

	"github.com/bellwether-db/bellwether/admin/compose"
	"github.com/bellwether-db/bellwether/cluster"
)

// Slaves changes single slaves, outside the stream. Any goroutine calls it.
type Slaves interface {
	// ChangeAlone has a slave carry out one statement that no other node gets and
	// that leaves no transaction of its own in the slave's GTID set. Before
	// anything is changed the slave is marked as touched by hand, durably; with
	// NotMarked in its result neither was anything done, nor the mark set.
	// cluster.ErrIsMaster and cluster.ErrUndecided where the node is no slave.
	ChangeAlone(ctx context.Context, node string, change AloneChange) (AloneChanged, error)
}

// AloneChange is a change of one slave. It is a value.
type AloneChange struct {
	What string // for people, without values: "insert into shop.item"
	SQL  string
	Args []any // for the question marks of SQL
}

// AloneChanged is what came of it. It is a value.
type AloneChanged struct {
	Affected, InsertID int64
	NotMarked          bool
	// Warning says what else happened that must be known, "" for nothing.
	Warning string
}

// changedAlone is the answer to a change of one slave.
type changedAlone struct {
	changed
	Node string `json:"node"`
}

// changeAlone runs a statement on the node that was called, and nowhere else.
func (s *Server) changeAlone(c *call, on compose.Table, statement compose.Statement) *problem {
	result, err := s.parts.Slaves.ChangeAlone(c.Context(), c.node, AloneChange{What: whatAlone(c.done.Call, on), SQL: statement.Text, Args: statement.Args})
	if err != nil {
		return notAlone(c.node, result, err)
	}
	c.done.Affected = result.Affected
	answer := changedAlone{changed{Status: "ok", Affected: &c.done.Affected, InsertID: result.InsertID}, c.node}
	answer.Detail = touchedSays(c.node)
	if result.Warning != "" {
		answer.Detail += "; " + result.Warning
	}
	writeJSON(c.w, answer)
	return nil
}

// aloneCalls are the calls that change one slave, by those that change all.
var aloneCalls = map[string]string{
	"createdb": "replicate/db", "dropdb": "replicate/dropdb", "createtable": "replicate/table",
	"insert": "replicate/insert", "update": "replicate/update", "delete": "replicate/delete",
}

// whatAlone says what is changed, without values.
func whatAlone(call string, on compose.Table) string {
	verb := map[string]string{
		"replicate/db": "create database ", "replicate/dropdb": "drop database ", "replicate/table": "create table ",
		"replicate/insert": "insert into ", "replicate/update": "update ", "replicate/delete": "delete from ",
	}[call]
	if on.Name == "" {
		return verb + on.Database
	}
	return verb + on.Database + "." + on.Name
}

// touchedSays is what follows for a node that was touched.
func touchedSays(node string) string {
	return node + " is marked as touched by hand: it serves no reads and is never made the master until a verification finds it equal to the master, or /sync makes it a copy again"
}

// notAlone is the problem of a change that failed.
func notAlone(node string, result AloneChanged, err error) *problem {
	var p *problem
	switch {
	case errors.Is(err, cluster.ErrIsMaster):
		return masterAlone(node)
	case errors.Is(err, cluster.ErrUndecided):
		return noMaster()
	case errors.Is(err, ErrRefused):
		return &problem{Type: kindConflict, Title: "refused, nothing was done", Status: http.StatusConflict, Detail: err.Error()}
	}
	p = explained(err, !result.NotMarked)
	if p.Type == kindDenied {
		p.Remedy = "the operator account, with which this is done, lacks the privilege on the node"
	}
	if result.NotMarked && p.Type == kindUnavailable {
		p.Detail, p.Remedy = err.Error(), "nothing was done; try again"
	}
	if !result.NotMarked {
		p.Detail += "; " + touchedSays(node)
	}
	return p
}
