package acceptance

import "testing"

// TestDifferencesThatWereFound plays what random programs have once been answered
// otherwise for through the proxy, each with a client of its own.
func TestDifferencesThatWereFound(t *testing.T) {
	w := worldFedBy(t, "mariadb", "relay")
	s, err := newStage(w.arena(), "accfound")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.close() })
	for name, steps := range map[string][]step{
		"the warning of one that shows it itself": {
			"SELECT COUNT(*) FROM {db}.t1", "SELECT COUNT(*) / 0 FROM t1; SHOW WARNINGS", "SELECT id FROM t1 ORDER BY id",
			"SET sort_buffer_size = 1362000", "SHOW WARNINGS",
		},
		"a warning behind an older one": {
			"SELECT nothing FROM t1", "SELECT COUNT(*) / 0 FROM t1; SET @u1 = 1", "SHOW WARNINGS",
		},
		"a function that writes forgets an older error": {
			"SELECT COUNT(*) FROM {db}.t1", "SELECT nothing", "SET @u2 = f_log('set')", "SHOW WARNINGS",
		},
		"a procedure that writes forgets an older error": {
			"SELECT COUNT(*) FROM {db}.t1", "SELECT nothing", "CALL p_tx(1)", "SHOW WARNINGS",
		},
		"a new user has taken no value of a sequence": {
			"SELECT COUNT(*) FROM {db}.t1", "SELECT NEXT VALUE FOR sq", "!changeuser {db}", "SELECT LASTVAL(sq), PREVIOUS VALUE FOR sq",
		},
		"nor has a session that was reset": {
			"SELECT NEXT VALUE FOR sq", "SELECT COUNT(*) FROM {db}.t1", "SELECT LASTVAL(sq)", "!resetconnection", "SELECT LASTVAL(sq)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := program{client: client{deprecateEOF: true, sessionTrack: true, multi: true, schema: true, collation: 45}, steps: steps}
			for range 3 { // the second and third have connections that another session has left
				v, err := s.play(p)
				if err != nil {
					t.Fatal(err)
				}
				if v.at != equal {
					t.Fatalf("at %s:\n%s", p.at(v), v.problem)
				}
			}
		})
	}
}
