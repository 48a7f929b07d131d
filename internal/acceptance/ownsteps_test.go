package acceptance

import (
	"context"
	"fmt"
	"sync"
)

// ownSteps are ways to write twice with one answer: what is written first has
// reached the slaves when the session reads, and the row with the number {n} has
// not. Immutable.
var ownSteps = []ownWay{
	{steps: "CALL p_two({n})"},
	{steps: "CALL p_two_fails({n})"},
	{steps: "!prepare a CALL p_two({n}) ; !execute a"},
	{steps: "!prepare a CALL p_two_fails({n}) ; !execute a"},
	{steps: "INSERT INTO first VALUES ({n}): CALL p_fails({n})"},
	{steps: "INSERT INTO first VALUES ({n}): SELECT f({n})"},
	{steps: "INSERT INTO first VALUES ({n}): SELECT f({n}): SET @a = 1"},
	{steps: "INSERT INTO first VALUES ({n}): BEGIN: INSERT INTO log VALUES ({n}): CREATE TABLE t (a INT)"},
	{steps: "BEGIN NOT ATOMIC INSERT INTO first VALUES ({n}): SELECT 1: INSERT INTO log VALUES ({n}): SIGNAL SQLSTATE '45000': END", only: "mariadb"},
	// A slave applies what is in another domain in the meantime.
	{steps: "SET gtid_domain_id = 5; INSERT INTO log VALUES ({n}); SET gtid_domain_id = 0; INSERT INTO first VALUES ({n}); !resetconnection", only: "mariadb"},
	// What another session writes between two steps, and the second one shows.
	{steps: "INSERT INTO first VALUES ({n}): SELECT id FROM gate FOR UPDATE: SELECT COUNT(*) FROM log WHERE n = {n}", gate: true},
	{steps: "CALL p_gate({n})", gate: true},
	{steps: "INSERT INTO first VALUES ({n}): SELECT id FROM gate FOR UPDATE: SET @a = (SELECT COUNT(*) FROM log WHERE n = {n}); SELECT @a; !resetconnection", gate: true},
}

// inSteps goes each of these ways, as each kind of client.
func (o *ownReads) inSteps() {
	o.Helper()
	for _, w := range ownSteps {
		if w.only != "" && w.only != o.servers.Flavour.String() {
			continue
		}
		for _, how := range ownClients {
			o.number++
			o.everywhere("SELECT COUNT(*) FROM own.log", o.count(o.master, "SELECT COUNT(*) FROM log"))
			o.withHeld(func() {
				s := o.client(how)
				open := o.shut(w)
				o.goes(s, w)
				open()
				o.everywhere(fmt.Sprintf("SELECT COUNT(*) FROM own.first WHERE n = %d", o.number), "1")
				o.sees(s.conn, w)
				o.must(s.conn.Quit())
			})
		}
	}
}

// withHeld runs something while every slave's applier waits where it comes to a
// row of the log.
func (o *ownReads) withHeld(during func()) {
	o.Helper()
	ctx, cancel := context.WithCancel(o.Context())
	var held sync.WaitGroup
	defer held.Wait()
	defer cancel()
	ready := make(chan struct{})
	held.Go(func() { holdAll(ctx, o.fed, "own.log", ready) })
	<-ready
	during()
}

// shut locks the gate, if the way goes through it, and lets the session pass once
// it has written its first row and another one a row of the log. What it returns
// waits for that.
func (o *ownReads) shut(w ownWay) (open func()) {
	o.Helper()
	if !w.gate {
		return func() {}
	}
	keeper := o.dial(o.servers.Master.Addr(), 0)
	for _, sql := range []string{"BEGIN", "SELECT id FROM gate FOR UPDATE"} {
		_, err := ask(keeper, sql)
		o.must(err)
	}
	var passing sync.WaitGroup
	passing.Go(func() {
		defer keeper.Close() // which opens it in any case
		first := fmt.Sprintf("SELECT COUNT(*) FROM own.first WHERE n = %d", o.number)
		if err := eventually(func() error {
			if got, err := o.servers.Master.Query(o.Context(), first); err != nil || got != "1" {
				return fmt.Errorf("the master answers %q, %w", got, err)
			}
			return nil
		}); err != nil {
			o.Errorf("%s: the first row: %v", w.steps, err)
			return
		}
		for _, sql := range []string{fmt.Sprintf("INSERT INTO log VALUES (%d)", o.number), "COMMIT"} {
			if _, err := ask(keeper, sql); err != nil {
				o.Errorf("%s: the other session: %v", w.steps, err)
			}
		}
	})
	return passing.Wait
}
