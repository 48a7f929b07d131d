package router

import "testing"

func TestBeginsWrite(t *testing.T) {
	plain, off := Facts{Autocommit: true}, Facts{}
	inside := Facts{Autocommit: true, InTransaction: true}
	for _, c := range []struct {
		sql   string
		facts Facts
		want  bool
	}{
		{"SELECT 1", plain, false}, {"SELECT 1", off, true}, {"SELECT a FROM t FOR UPDATE", plain, true},
		{"SELECT price(1)", plain, true}, {"SELECT @@hostname", plain, false},
		{"INSERT INTO t VALUES (1)", plain, true}, {"INSERT INTO t VALUES (1)", inside, false},
		{"BEGIN", plain, true}, {"START TRANSACTION READ ONLY", plain, false}, {"COMMIT", inside, false}, {"COMMIT", plain, false},
		{"XA START 'x'", plain, true}, {"XA COMMIT 'x'", plain, false}, {"CALL p()", plain, true}, {"LOCK TABLES t WRITE", plain, true},
		{"UNLOCK TABLES", plain, false}, {"ALTER TABLE t ADD a INT", plain, true}, {"SET autocommit = 0", plain, false},
		{"SET GLOBAL max_connections = 5", plain, false}, {"SHOW TABLES", plain, false}, {"USE shop", plain, false},
		{"SELECT 1; DELETE FROM t", plain, true}, {"KILL 5", plain, false},
	} {
		s := NewClassifier(16).Classify([]byte(c.sql), Dialect{}, new(Scratch))
		if got := BeginsWrite(s, c.facts, plainTopology(), nil); got != c.want {
			t.Errorf("%s with %+v: %t, want %t", c.sql, c.facts, got, c.want)
		}
	}
}
