package main

import (
	"strings"
	"testing"
	"time"
)

func routeNames(routes []route) string {
	var names []string
	for _, r := range routes {
		names = append(names, r.String())
	}
	return strings.Join(names, " ")
}

func TestOptions(t *testing.T) {
	o, err := parseOptions(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := routeNames(o.routes), "straight haproxy haproxy:1 bellwether bellwether:1"; got != want {
		t.Errorf("ways %s, want %s", got, want)
	}
	if len(o.plan()) != 15 || o.rounds != 7 || o.round != 400*time.Millisecond {
		t.Errorf("%d cells, %d rounds of %v", len(o.plan()), o.rounds, o.round)
	}
	o, err = parseOptions([]string{"-quick", "-with-relay", "-through", "bellwether:2", "-rounds", "3"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := routeNames(o.routes), "bellwether:2 relay:2"; got != want {
		t.Errorf("ways %s, want %s", got, want)
	}
	if len(o.plan()) != 9 || o.rounds != 3 || o.round != 200*time.Millisecond {
		t.Errorf("%d cells, %d rounds of %v", len(o.plan()), o.rounds, o.round)
	}
}

func TestBadOptions(t *testing.T) {
	for _, args := range [][]string{
		{"-through", "nothing"}, {"-through", "straight:2"}, {"-through", "haproxy:0"}, {"-through", "relay:x"},
		{"-clients", "0"}, {"-clients", "1,x"}, {"-clients", "100000"},
		{"-workloads", "point"}, {"-rounds", "-1"}, {"-round", "1h"}, {"-idle", "-1"}, {"-idle", "1000000"},
		{"-server", "127.0.0.1:1", "-slaves", "1"}, {"extra"},
	} {
		if _, err := parseOptions(args); err == nil {
			t.Errorf("no error for %v", args)
		}
	}
}

func TestOwnRowsAreApart(t *testing.T) {
	seen := map[int64]int{}
	for slot := range 16 {
		w := newTestWorker(slot, 16)
		for range 200 {
			row := w.ownRow()
			if owner, ok := seen[row]; ok && owner != slot || row < 1 || row > tableRows {
				t.Fatalf("row %d of client %d is also that of client %d", row, slot, owner)
			}
			seen[row] = slot
		}
	}
}
