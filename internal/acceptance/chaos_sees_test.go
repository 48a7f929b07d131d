//go:build chaos

package acceptance

import (
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/bellwether-db/bellwether/internal/playground"
)

// TestJudgeSees does to a run's rows what no fault may do, and wants the judge
// to see each: otherwise zeros in the table would say nothing.
func TestJudgeSees(t *testing.T) {
	binary, err := plain()
	if err != nil {
		t.Fatal(err)
	}
	f := startFleet(t, playground.MariaDB, binary, fleetNeeds{})
	l := f.startLoad(1)
	err = l.serves(warm, serveAgain)
	l.stop()
	f.must(err)
	if v := l.judge(false); len(v.problems) > 0 || len(l.mishaps) > 0 {
		t.Fatalf("before anything was done: %q %+v", v.problems, l.mishaps)
	}
	f.run("DELETE FROM chaos.singles WHERE run = 1 AND client = 1 AND number = 1",
		"INSERT INTO chaos.singles (run, client, number) VALUES (1, 2, 1)",
		"UPDATE chaos.accounts SET balance = balance + 1 WHERE id = 0", "UPDATE chaos.own SET v = v - 1 WHERE id = 1")
	end := int64(l.now())
	l.history = append(l.history, porcupine.Operation{Input: registerCall{key: 1}, Output: -5, Call: end, Return: end + 1})
	n := f.servers.Slaves()[0]
	f.must(n.Exec(t.Context(), "SET SESSION sql_log_bin = 0", "INSERT INTO chaos.own VALUES (99, 1)"))
	l.written = "more rows than there are"
	if v := l.judge(false); v.lost < 7 || v.twice < 3 || v.wrongs < 6 || v.stales != 1 {
		t.Errorf("the judge has seen %+v", v)
	} else {
		t.Logf("%d things seen", len(v.problems))
	}
}
