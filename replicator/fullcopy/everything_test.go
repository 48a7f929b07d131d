package fullcopy

import (
	"testing"
	"time"
)

// What is seldom used is copied like the rest: every kind of key, of engine, of
// account, of what is defined. Then once more with all of it there, of which
// nothing is copied again; and it replicates.
func TestCopyOfEverything(t *testing.T) {
	worlds(t, func(w *world) {
		w.load(nasty(w.maria()))
		w.passed()
		begun := time.Now()
		first := New(w.setup(), w.logger())
		result, err := first.Run(w.soon())
		w.ok(err)
		w.Logf("in %v: %v, notes %q", time.Since(begun), first.Progress(), result.Notes)
		w.alike("DATABASE `sealed`", "histograms")
		w.content(50)
		w.halfDone()
		again := New(w.setup(), w.logger())
		_, err = again.Run(w.soon())
		w.ok(err)
		w.Logf("again: %v", again.Progress())
		w.alike("DATABASE `sealed`", "histograms")
		w.content(50)
		w.follow()
		w.load(afterwards(w.maria()))
		w.ok(w.nodes.WaitCaughtUp(w.soon()))
		w.content(50)
	})
}

// passed waits until the time of the events is over.
func (w *world) passed() {
	ctx := w.soon()
	for w.query(w.master(), "SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'n' AND IFNULL(EXECUTE_AT, ENDS) >= NOW() - INTERVAL 1 SECOND") != "0" {
		w.ok(pause(ctx, 50*time.Millisecond))
	}
}

// halfDone makes a copy look as one that broke off, and differs.
func (w *world) halfDone() {
	w.exec(w.slave(), w.either("SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF"))
	w.exec(w.slave(), "CREATE DATABASE bellwether_unfinished_copy", "DELETE FROM n.nokey WHERE a = 1 LIMIT 100", "INSERT INTO n.uniq VALUES (-1, '', 1)",
		"DELETE FROM n.k_float WHERE v % 7 = 1", "DELETE FROM n.k_ts WHERE v > 500", "UPDATE n.k_u16 SET v = 0 WHERE v = 77", "DELETE FROM n.e_mem", "UPDATE n.e_myi SET v = 'other'", "DELETE FROM n.e_csv",
		"DELETE FROM n.e_gen WHERE a > 900", "DELETE FROM n.l_row", "SET foreign_key_checks = 0", "DELETE FROM n.f_self WHERE id % 3 = 0", "UPDATE n.p_sub SET id = -1 WHERE id = 3")
	w.exec(w.slave(), w.either("UPDATE n.j_typed SET j = '1.1' WHERE id % 2", "DELETE FROM n.h_part"), w.either("INSERT INTO n.e_arch (v) VALUES ('x')", "DELETE FROM n.e_aria"))
}

// afterwards is written on the master once the slave replicates: rows without a
// key are found by all that they hold.
func afterwards(maria bool) []string {
	out := []string{"USE n", "UPDATE nokey SET a = a + 10 WHERE a = 1", "DELETE FROM nokey WHERE a = 2", "UPDATE uniq SET c = c + 1", "UPDATE k_float SET v = v + 1", "DELETE FROM k_ts WHERE v < 10", "UPDATE e_gen SET b = b + 1", "UPDATE e_mem SET v = 'x'", "UPDATE e_myi SET v = 'y' WHERE a = 2", "INSERT INTO e_empty (v) VALUES (1)", "UPDATE l_row SET b = 'x'", "UPDATE e_def SET a = '2020-01-01'"}
	if maria {
		return append(out, "UPDATE h_big SET v = v + 1", "DELETE FROM h_nokey", "UPDATE i_long SET t = CONCAT(t, 'x')", "DO NEXTVAL(s_down)", "UPDATE g_types SET id = id + 1")
	}
	return append(out, "UPDATE j_nokey SET a = a + 1", "UPDATE j_part SET j = JSON_SET(j, '$.b', 'x')", "UPDATE g_types SET id = id + 1")
}
