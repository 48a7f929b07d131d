package acceptance

import (
	"errors"
	"fmt"
	"time"

	"github.com/bellwether-db/bellwether/internal/acceptance/rawclient"
)

// stage is one worker's part of an arena: a schema on both sides, and the
// operator's connections that set it up. One goroutine at a time.
type stage struct {
	arena  *arena
	schema string
	dirty  bool // the tables themselves must be made anew

	straight, master *rawclient.Conn
	slaves           []*rawclient.Conn
}

// newStage makes the schema on both sides and waits until the slaves have it
// and the proxy knows its functions.
func newStage(a *arena, schema string) (*stage, error) {
	s := &stage{arena: a, schema: schema}
	if err := s.connect(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	for _, c := range []*rawclient.Conn{s.straight, s.master} {
		if err := script(c, schema, schemaOnce(a.flavour)); err != nil {
			return nil, errors.Join(fmt.Errorf("make schema %s: %w", schema, err), s.close())
		}
	}
	if err := errors.Join(s.settle(), s.awaitCatalogue(patience)); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.dirty = true
	return s, nil
}

func (s *stage) connect() error {
	var err error
	if s.straight, err = dialBoss(s.arena.straight); err != nil {
		return err
	}
	if s.master, err = dialBoss(s.arena.master); err != nil {
		return err
	}
	for _, addr := range s.arena.slaves {
		c, err := dialBoss(addr)
		if err != nil {
			return err
		}
		s.slaves = append(s.slaves, c)
	}
	return nil
}

func (s *stage) close() error {
	var err error
	for _, c := range append(s.slaves, s.straight, s.master) {
		if c != nil {
			err = errors.Join(err, c.Quit())
		}
	}
	return err
}

// reset gives the schema its first content on both sides and on the slaves.
func (s *stage) reset() error {
	for _, c := range []*rawclient.Conn{s.straight, s.master} {
		if s.dirty {
			if err := forgetXA(c, s.arena.flavour, s.schema); err != nil {
				return err
			}
		}
		if err := script(c, s.schema, resetSQL(s.arena.flavour, s.dirty)); err != nil {
			return err
		}
	}
	return s.settle()
}

// settle returns once all slaves have what the master has now.
func (s *stage) settle() error {
	position, wait := "SELECT @@global.gtid_executed", "SELECT WAIT_FOR_EXECUTED_GTID_SET('%s', 60)"
	if s.arena.flavour == "mariadb" {
		position, wait = "SELECT @@global.gtid_binlog_pos", "SELECT MASTER_GTID_WAIT('%s', 60)"
	}
	answer, err := s.master.Query(position)
	if err != nil || answer.Err() != "" {
		return fmt.Errorf("read the master's position: %w %s", err, answer.Err())
	}
	for _, c := range s.slaves {
		done, err := c.Query(fmt.Sprintf(wait, answer.Rows()[0][0]))
		if err != nil || done.Err() != "" || done.Rows()[0][0] != "0" {
			return fmt.Errorf("wait for a slave: %w %s", err, done)
		}
	}
	return nil
}

// awaitCatalogue waits until the proxy knows that the schema's functions write:
// they were made behind its back.
func (s *stage) awaitCatalogue(patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for good := 0; good < 6; {
		answer, err := s.askOnce("SELECT * FROM v_log")
		if err != nil {
			return fmt.Errorf("await catalogue: %w", err)
		}
		good++
		if answer.Err() != "" {
			good = 0
			time.Sleep(100 * time.Millisecond)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the proxy still sends a view that writes to a slave after %v: %s", patience, answer.Err())
		}
	}
	return nil
}

// askOnce asks through the proxy on a connection of its own.
func (s *stage) askOnce(sql string) (rawclient.Answer, error) {
	c, err := open(s.arena.proxied, client{schema: true, deprecateEOF: true}, s.schema)
	if err != nil {
		return nil, err
	}
	answer, err := c.conn.Query(sql)
	return answer, errors.Join(err, c.conn.Quit())
}

// dialBoss connects as the operator.
func dialBoss(addr string) (*rawclient.Conn, error) {
	return rawclient.Dial(rawclient.Config{Addr: addr, User: boss.user, Password: boss.password, Timeout: 2 * patience})
}
