package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bellwether-db/bellwether/bench/process"
)

var update = flag.Bool("update", false, "write the golden files")

// example is a report out of rounds that stand in this file.
func example() *Report {
	routes := []route{{kind: routeStraight}, {kind: routeHAProxy}, {kind: routeBellwether, threads: 1}}
	r := &Report{
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Server: serverName("9.7.0"), RoundTime: time.Second,
		Machine: Machine{Processors: 2, Model: "some processor", Kernel: "6.1", Go: "go1.26", Load: "0.10"},
	}
	for i, w := range workloads[:2] {
		for _, clients := range []int{1, 16} {
			r.Cells = append(r.Cells, cell{w, clients}.summarize(routes, exampleRounds(routes, uint64(clients*(i+1)))))
		}
	}
	for i, name := range []string{"haproxy", "bellwether:1"} {
		r.Idle = append(r.Idle, Idle{
			Through: name, Clients: 1024,
			Before: process.Memory{Resident: 10 << 20}, After: process.Memory{Resident: int64(14+i*4) << 20},
		})
	}
	return r
}

// exampleRounds: three rounds, of which the second is twice as fast. Each way
// takes one half of the first's speed more.
func exampleRounds(routes []route, scale uint64) map[string][]Round {
	rounds := map[string][]Round{}
	for i, r := range routes {
		for n := range 3 {
			fast := uint64(1 + n%2)
			round := Round{
				Operations: 6000 * scale * fast / uint64(2+i), Elapsed: time.Second,
				P50: time.Duration(2+i) * 100 * time.Microsecond / time.Duration(fast),
				P99: time.Duration(2+i) * 9 * time.Millisecond / time.Duration(fast),
			}
			if r.kind != routeStraight {
				round.CPU = time.Duration(round.Operations) * time.Duration(10*(i+1)) * time.Microsecond / time.Duration(fast)
			}
			rounds[r.String()] = append(rounds[r.String()], round)
		}
	}
	return rounds
}

func TestGoldenTableAndChart(t *testing.T) {
	var table bytes.Buffer
	if err := example().table(&table); err != nil {
		t.Fatal(err)
	}
	same(t, "table.txt", table.Bytes())
	same(t, "chart.svg", example().chart())
}

func same(t *testing.T, name string, got []byte) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is now\n%s", name, got)
	}
}

// The ratio of a way to another is that of each pair of rounds, however the
// rounds differ.
func TestRatiosInTheReport(t *testing.T) {
	for _, c := range example().Cells {
		bellwether := c.Ways[2]
		if got := bellwether.Over["haproxy"].CPU; got.Median != 1.5 || got.Low != 1.5 || got.High != 1.5 {
			t.Errorf("%s, %d clients: processor time %+v times HAProxy's, want 1.5", c.Workload, c.Clients, got)
		}
		if got := bellwether.Over["straight"].CPU; got.N != 0 {
			t.Errorf("straight has a proxy's processor time: %+v", got)
		}
	}
}

func TestPublish(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := example().publish(&out, dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "bench-20260102-030405.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got Report
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Cells) != 4 || got.Cells[0].Ways[1].CPU.Median != 20 {
		t.Errorf("JSON holds %+v", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "bench-20260102-030405.svg")); err != nil {
		t.Error(err)
	}
}

// A run with nothing in it is still a report.
func TestEmptyReport(t *testing.T) {
	if err := (&Report{}).publish(&bytes.Buffer{}, t.TempDir()); err != nil {
		t.Error(err)
	}
}

func TestServerName(t *testing.T) {
	for version, want := range map[string]string{"9.7.4": "MySQL 9.7.4", "5.5.5-10.11.6-MariaDB-log": "10.11.6-MariaDB-log"} {
		if got := serverName(version); got != want {
			t.Errorf("%s is %q, want %q", version, got, want)
		}
	}
}

func TestNiceTop(t *testing.T) {
	for v, want := range map[float64]float64{0: 1, 1: 1, 1.01: 1.2, 1.7: 2, 7: 8, 9: 10, 33: 40, 1234: 1600} {
		if got := niceTop(v); got != want {
			t.Errorf("top for %v is %v, want %v", v, got, want)
		}
	}
}
