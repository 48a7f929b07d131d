package storedlog

import (
	"errors"
	"fmt"
	"testing"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/replicator/event"
)

// mariaLog holds, in three files, the sequences 1 to 30 of domain 0 and 1 to 15
// of domain 5; from the 11th (and the 6th) on server 2 wrote them. The 20th of
// domain 0 is left out.
func mariaLog(t *testing.T, size int) *Log {
	l := opened(t, Config{Dir: t.TempDir(), Flavour: cluster.FlavourMariaDB})
	for n := uint64(1); n <= 30; n++ {
		if n%10 == 1 {
			if err := l.Rotate(formatOf("10.11.19-MariaDB-log", 0)); err != nil {
				t.Fatal(err)
			}
		}
		server := uint32(1 + (n-1)/10)
		var events []event.Event
		if n != 20 {
			events = mariaTransaction(0, server, n, size)
		}
		if n%2 == 0 {
			events = append(events, mariaTransaction(5, server, n/2, size)...)
		}
		if err := appendAll(l, events); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	return l
}

// A position is compared by server too: a former master's transaction of the
// same number is another one.
func TestMariaPositions(t *testing.T) {
	for _, size := range []int{10, 90_000} {
		l := mariaLog(t, size)
		if got := l.Executed().String(); got != "0-3-30,5-3-15" {
			t.Fatal(got)
		}
		for have, want := range map[string]int{ // how many transactions it lacks, or -1 if it is ahead
			"": 44, "0-3-30,5-3-15": 0, "0-1-10,5-1-5": 29, "0-2-11,5-1-5": 28, "0-1-3": 41, "0-3-30": 15, "5-2-7": 37, "0-2-19,5-3-15": 10,
			"0-1-11": -1, "0-2-10": -1, "0-2-30": -1, "0-3-30,5-1-15": -1, "0-2-20": -1, "0-1-31": -1, "7-1-1": -1,
		} {
			position, err := cluster.ParseGTIDSet(cluster.FlavourMariaDB, have)
			if err != nil {
				t.Fatal(err)
			}
			r, err := l.Read(position)
			if ahead := new(AheadError); want < 0 {
				if !errors.As(err, &ahead) {
					t.Errorf("from %s: %v", have, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("from %s: %v", have, err)
				continue
			}
			if got := len(drain(t, r).raw) / int(sizeOf(mariaTransaction(0, 1, 1, size))); got != want {
				t.Errorf("from %s: %d transactions, want %d", have, got, want)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestMariaOrder(t *testing.T) {
	l := mariaLog(t, 10)
	if err := appendAll(l, mariaTransaction(0, 3, 29, 10)); !errors.Is(err, ErrOrder) {
		t.Errorf("a transaction behind its domain's last: %v", err)
	}
	if err := appendAll(l, transaction(1, 10)); !errors.Is(err, ErrOrder) {
		t.Errorf("a transaction of MySQL: %v", err)
	}
	if got, err := Verify(t.Context(), l.config.Dir, nil); err != nil || fmt.Sprint(got.Last, got.Problems) != "0-3-30,5-3-15 []" {
		t.Errorf("%+v, %v", got, err)
	}
}
