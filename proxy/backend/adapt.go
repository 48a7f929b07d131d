package backend

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/wire"
)

// ErrBehind says that a slave did not reach the session's own write in time.
var ErrBehind = errors.New("the slave has not reached the session's own write in time")

// Need is what a statement needs of the connection before it runs there.
type Need struct {
	State  *State
	Schema string
	// Foreign is set when another session may have used the connection since
	// this one did.
	Foreign bool
	// Moved is set when the session's last statement ran elsewhere.
	Moved bool
	// Multi is whether several statements in a packet are allowed.
	Multi bool
	// SchemaReset asks for a connection that was reset since it went to its
	// schema: see Conn.SchemaReset.
	SchemaReset bool
	// Leave is what the preparation must leave for questions about the statement
	// before.
	Leave Leaves
	// Clean asks for a connection in which nothing of another session's can be
	// seen, even what no variable shows (warnings, row counts).
	Clean bool
	// InsertID is what LAST_INSERT_ID() must be, "" for 0 or not known to matter.
	InsertID string
	// Position is the GTID set that a slave must have applied, "" for none, and
	// Wait how long it may take.
	Position string
	Wait     time.Duration
	// Pipelined has Adapt queue the wait as the last step; otherwise it is for
	// Wait, before.
	Pipelined bool
	MariaDB   bool
}

// Leaves is a set of what a question about the statement before is to find.
type Leaves uint8

// What can be left: no warnings and the row count of a read; 0 for FOUND_ROWS()
// as well; 0 for the row count, as after what neither reads nor writes.
const (
	LeavesRead Leaves = 1 << iota
	LeavesNoFound
	LeavesZero
)

// LeavesNothing is what a new session has.
const LeavesNothing = LeavesRead | LeavesNoFound | LeavesZero

// Both make a connection forget the warnings of an earlier statement, which
// MariaDB does only for statements that use a table. The first sets FOUND_ROWS()
// to 0, the second leaves it alone.
const (
	selectNothing    = "SELECT 1 FROM information_schema.character_sets LIMIT 0"
	clearDiagnostics = "SHOW CREATE TABLE information_schema.character_sets"
)

// Steps are the commands that were queued before a statement, whose answers
// come before the statement's. The zero value is empty.
type Steps struct {
	kind   [13]step
	count  int
	behind bool
}

// Empty reports whether nothing was queued.
func (s *Steps) Empty() bool { return s.count == 0 }

// OnlyWait reports whether nothing but a wait was queued.
func (s *Steps) OnlyWait() bool { return s.count == 1 && s.kind[0] == stepWait }

// Behind reports, after Finish, whether the wait that was queued was in vain:
// what ran behind it did so too early.
func (s *Steps) Behind() bool { return s.behind }

type step uint8

const (
	stepReset step = iota + 1
	stepSetup
	stepSchema
	stepSet
	stepState
	stepSaveInsertID
	stepSetInsertID
	stepClear
	stepOption
	stepPing
	stepWait
)

var stepNames = [...]string{"none", "reset", "set up", "change schema", "set variables", "set user variables", "save insert id", "set insert id",
	"clear warnings", "set option", "ping", "wait for a position"}

// String names the step.
func (s step) String() string { return stepNames[s] }

// Adapt queues what brings the connection from what it is to what is needed.
// Nothing is sent; Finish reads the answers, and only then the connection's
// fields say what it has become.
func (c *Conn) Adapt(need *Need, s *Steps) error {
	s.count = 0
	inSchema := !need.MariaDB && need.SchemaReset && (!c.SchemaReset || c.Schema != need.Schema)
	reset := inSchema || c.mustReset(need)
	if err := c.queueInsertID(need, s, reset); err != nil {
		return err
	}
	state := c.State
	if inSchema && c.Schema != need.Schema {
		if err := c.changeSchema(s, need); err != nil {
			return err
		}
	}
	if reset {
		if err := c.reset(s, need.MariaDB); err != nil {
			return err
		}
		state = c.afterReset
	}
	forgotten := (reset || c.SchemaReset) && !need.MariaDB && !need.SchemaReset
	if c.Schema != need.Schema && !inSchema || forgotten {
		if err := c.changeSchema(s, need); err != nil {
			return err
		}
	}
	if err := c.approach(need, s, state); err != nil {
		return err
	}
	if err := c.leave(need, s, c.Warned && !reset && (need.Foreign || need.Moved)); err != nil || !need.Pipelined {
		return err
	}
	return c.query(s, stepWait, waitSQL(need))
}

// queueInsertID sees to it that LAST_INSERT_ID() of the session that had it here
// is known before it is overwritten.
func (c *Conn) queueInsertID(need *Need, s *Steps, reset bool) error {
	if reset && !need.Foreign && c.InsertID != nil {
		value, err := c.Query("SELECT LAST_INSERT_ID()")
		if err != nil {
			return err
		}
		c.InsertID.Set(value)
		need.InsertID, need.Foreign = value, true
	}
	if need.Foreign && c.InsertID != nil {
		return c.query(s, stepSaveInsertID, "SELECT LAST_INSERT_ID()")
	}
	return nil
}

// changeSchema queues COM_INIT_DB.
func (c *Conn) changeSchema(s *Steps, need *Need) error {
	if need.Schema == "" {
		return nil
	}
	return c.command(s, stepSchema, wire.ComInitDB, need.Schema)
}

// leave queues what makes the connection answer for the statement before as it
// is to, or only forget its warnings.
func (c *Conn) leave(need *Need, s *Steps, warned bool) error {
	var err error
	switch {
	case need.Leave&LeavesNoFound != 0:
		err = c.query(s, stepClear, selectNothing)
	case need.Leave&LeavesRead != 0 || warned:
		err = c.query(s, stepClear, clearDiagnostics)
	}
	if err == nil && need.Leave&LeavesZero != 0 {
		err = c.command(s, stepPing, wire.ComPing, "")
	}
	return err
}

// mustReset reports whether the connection has something that cannot be
// brought to what is needed.
func (c *Conn) mustReset(need *Need) bool {
	if c.State == nil {
		return c.afterReset != nil
	}
	return !c.State.Within(need.State) || need.Foreign && (c.Dirty || need.Clean || c.Status&wire.StatusInTransaction != 0)
}

// approach queues the way from a state to what is needed.
func (c *Conn) approach(need *Need, s *Steps, state *State) error {
	if state == nil { // a handshake whose collation nobody knows: set all of it
		state = emptyState
	}
	if need.Multi != c.Multi {
		if err := c.command(s, stepOption, wire.ComSetOption, option(need.Multi)); err != nil {
			return err
		}
	}
	if !state.Equal(need.State) {
		if err := c.set(s, state, need.State); err != nil {
			return err
		}
	}
	if id := need.insertID(c); id != "" {
		return c.query(s, stepSetInsertID, "SET SESSION last_insert_id="+id)
	}
	return nil
}

// option is the argument of COM_SET_OPTION.
func option(multi bool) string {
	if multi {
		return string(binary.LittleEndian.AppendUint16(nil, wire.OptionMultiStatementsOn))
	}
	return string(binary.LittleEndian.AppendUint16(nil, wire.OptionMultiStatementsOff))
}

// set queues what brings the variables from one state to another. A statement
// is read under the character set that was in force before it, so that user
// variables come in one of their own.
func (c *Conn) set(s *Steps, from, to *State) error {
	system, user := from.AppendSet(nil, to), from.AppendSetUser(nil, to)
	if len(system) == 0 {
		return c.query(s, stepState, string(user))
	}
	if len(user) == 0 {
		return c.query(s, stepState, string(system))
	}
	if err := c.query(s, stepSet, string(system)); err != nil {
		return err
	}
	return c.query(s, stepState, string(user))
}

var emptyState = NewState()

// EmptyState is that of a connection that was just reset.
func EmptyState() *State { return emptyState }

func (n *Need) insertID(c *Conn) string {
	switch {
	case !n.Foreign:
		return ""
	case n.InsertID != "":
		return n.InsertID
	case c.Inserted && !c.Dirty && !n.Clean:
		return "0"
	}
	return ""
}

// Wait makes the node wait for need.Position. It fails with ErrBehind when the
// position was not reached in time; the connection is in order then.
func (c *Conn) Wait(need *Need) error {
	_, err := c.Query(waitSQL(need))
	if c.wasBehind(err) {
		return ErrBehind
	}
	return err
}

// wasBehind reports whether an error is that of waitSQL where the time ran out.
func (c *Conn) wasBehind(err error) bool {
	var refused *wire.ServerError
	behind := errors.As(err, &refused) && refused.Code == codeUnknownCollation
	c.Warned = c.Warned || behind
	return behind
}

const codeUnknownCollation = 1273 // ER_UNKNOWN_COLLATION

// waitSQL waits by a SET, which leaves FOUND_ROWS() alone: the statement behind it
// may fail, and then that is still about the one before. Out of time it fails.
func waitSQL(n *Need) string {
	wait := "WAIT_FOR_EXECUTED_GTID_SET"
	if n.MariaDB {
		wait = "MASTER_GTID_WAIT"
	}
	return fmt.Sprintf("SET collation_connection = IF(%s('%s', %.3f) = 0, @@collation_connection, 'behind')", wait, n.Position, n.Wait.Seconds())
}

// reset queues COM_RESET_CONNECTION and what has to follow it.
func (c *Conn) reset(s *Steps, mariadb bool) error {
	if err := c.command(s, stepReset, wire.ComResetConnection, ""); err != nil {
		return err
	}
	return c.query(s, stepSetup, Setup(mariadb))
}

func (c *Conn) query(s *Steps, kind step, sql string) error {
	return c.command(s, kind, wire.ComQuery, sql)
}

func (c *Conn) command(s *Steps, kind step, command wire.Command, text string) error {
	s.kind[s.count] = kind
	s.count++
	c.Wire.ResetSequence()
	return c.Wire.WritePacket(append([]byte{byte(command)}, text...))
}

// Send sends the queued steps alone and reads their answers.
func (c *Conn) Send(s *Steps, need *Need) error {
	if s.Empty() {
		return nil
	}
	if _, err := c.Wire.Exchange(nil); err != nil {
		return &wire.SideError{Side: wire.SideNode, Err: err}
	}
	return c.Finish(s, need)
}

// Finish reads the answers to the steps and brings the connection's fields up
// to date. After an error the connection must be discarded: what follows in
// the stream is not known any more. A node's refusal is a *StepError around a
// *wire.ServerError.
func (c *Conn) Finish(s *Steps, need *Need) error {
	for _, kind := range s.kind[:s.count] {
		asked := c.Asked
		value, err := c.readAnswer()
		if kind == stepWait {
			if s.behind = c.wasBehind(err); s.behind {
				err = nil
			}
		}
		if err != nil {
			return &StepError{Step: kind.String(), Err: err}
		}
		if kind == stepClear {
			c.Asked = asked
		}
		c.done(kind, value, need)
	}
	s.count = 0
	return nil
}

func (c *Conn) done(kind step, value string, need *Need) {
	switch kind {
	case stepReset:
		c.Forget()
		c.State, c.Dirty, c.Inserted = nil, false, false
		c.dropInsertID("")
	case stepSetup:
		c.State, c.Warned = c.afterReset, false
		c.SchemaReset = true
	case stepClear:
		c.Warned = false
	case stepOption:
		c.Multi = need.Multi
	case stepSchema:
		c.Schema, c.SchemaReset = need.Schema, false
	case stepState:
		c.State = need.State
	case stepSaveInsertID:
		c.dropInsertID(value)
	case stepSetInsertID:
		c.Inserted = need.InsertID != "" && need.InsertID != "0"
	}
}

func (c *Conn) dropInsertID(value string) {
	if c.InsertID != nil {
		c.InsertID.Set(value)
		c.InsertID = nil
	}
}

// StepError says which preparation of a connection failed.
type StepError struct {
	Step string
	Err  error
}

// Error names the step.
func (e *StepError) Error() string { return fmt.Sprintf("%s: %v", e.Step, e.Err) }

// Unwrap returns the cause.
func (e *StepError) Unwrap() error { return e.Err }
