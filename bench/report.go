package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/bench/stats"
)

// Report is a whole run, as the JSON file holds it. It is not changed once
// made.
type Report struct {
	Started   time.Time     `json:"started"`
	Machine   Machine       `json:"machine"`
	Server    string        `json:"server"` // flavour and version
	Slaves    int           `json:"slaves"`
	Pool      int           `json:"pool"`
	RoundTime time.Duration `json:"round_ns"`
	Idle      []Idle        `json:"idle"`
	Cells     []*Cell       `json:"cells"`
}

// Machine is where a run took place.
type Machine struct {
	Processors int    `json:"processors"`
	Model      string `json:"model"`
	Kernel     string `json:"kernel"`
	Go         string `json:"go"`
	// Load is the load average of the minute before the run: what else was
	// going on.
	Load string `json:"load_before"`
}

// Cell is one workload at one number of clients.
type Cell struct {
	Workload string `json:"workload"`
	Title    string `json:"title"`
	Clients  int    `json:"clients"`
	Ways     []Way  `json:"ways"`
}

// Way is what one way to the server gave in a cell. Times are microseconds.
type Way struct {
	Name       string        `json:"name"`
	Operations stats.Summary `json:"operations_per_second"`
	P50        stats.Summary `json:"p50_us"`
	P99        stats.Summary `json:"p99_us"`
	CPU        stats.Summary `json:"proxy_cpu_us_per_operation"`
	// Over holds, for straight and each HAProxy, the ratios of this way's
	// rounds to the other's of the same number.
	Over   map[string]Ratios `json:"over"`
	Rounds []Round           `json:"rounds"`
}

// Ratios compare two ways, round by round.
type Ratios struct {
	Operations stats.Summary `json:"operations_per_second"`
	P50        stats.Summary `json:"p50"`
	P99        stats.Summary `json:"p99"`
	CPU        stats.Summary `json:"proxy_cpu_per_operation"`
}

func newReport(o *options, lab *lab) *Report {
	return &Report{
		Started: time.Now().UTC().Truncate(time.Second), Machine: thisMachine(),
		Server: serverName(lab.version), Slaves: o.slaves, Pool: o.pool, RoundTime: o.round,
	}
}

// serverName adds the flavour to a version that does not tell it, and leaves
// out the prefix that MariaDB greets with for the sake of old slaves.
func serverName(version string) string {
	version = strings.TrimPrefix(version, "5.5.5-")
	if strings.Contains(version, "MariaDB") {
		return version
	}
	return "MySQL " + version
}

func thisMachine() Machine {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease") // nice to know, no more
	load, _ := os.ReadFile("/proc/loadavg")
	minute, _, _ := strings.Cut(string(load), " ")
	return Machine{
		Processors: runtime.NumCPU(), Model: processorModel(),
		Kernel: strings.TrimSpace(string(kernel)), Go: runtime.Version(), Load: minute,
	}
}

func processorModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// series are a way's rounds, by what was measured.
type series struct{ operations, p50, p99, cpu []float64 }

func seriesOf(rounds []Round) (s series) {
	for _, r := range rounds {
		s.operations = append(s.operations, float64(r.Operations)/r.Elapsed.Seconds())
		s.p50 = append(s.p50, microseconds(r.P50))
		s.p99 = append(s.p99, microseconds(r.P99))
		cpu := math.NaN()
		if r.CPU > 0 {
			cpu = microseconds(r.CPU) / float64(r.Operations)
		}
		s.cpu = append(s.cpu, cpu)
	}
	return s
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// summarize turns the rounds of a cell into its report.
func (c cell) summarize(routes []route, rounds map[string][]Round) *Cell {
	report := &Cell{Workload: c.workload.name, Title: c.workload.title, Clients: c.clients}
	for _, r := range routes {
		s := seriesOf(rounds[r.String()])
		way := Way{
			Name: r.String(), Rounds: rounds[r.String()], Over: map[string]Ratios{},
			Operations: stats.Summarize(s.operations), P50: stats.Summarize(s.p50),
			P99: stats.Summarize(s.p99), CPU: stats.Summarize(s.cpu),
		}
		for _, base := range routes {
			if base.kind == routeStraight || base.kind == routeHAProxy {
				way.Over[base.String()] = s.over(seriesOf(rounds[base.String()]))
			}
		}
		report.Ways = append(report.Ways, way)
	}
	return report
}

func (s series) over(base series) Ratios {
	return Ratios{
		Operations: stats.Ratios(s.operations, base.operations),
		P50:        stats.Ratios(s.p50, base.p50),
		P99:        stats.Ratios(s.p99, base.p99),
		CPU:        stats.Ratios(s.cpu, base.cpu),
	}
}

// publish prints the table to w and writes the JSON and the plot to dir.
func (r *Report) publish(w io.Writer, dir string) error {
	if err := r.table(w); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	base := filepath.Join(dir, "bench-"+r.Started.Format("20060102-150405"))
	err = errors.Join(os.WriteFile(base+".json", text, 0o644), os.WriteFile(base+".svg", r.chart(), 0o644))
	if err == nil {
		_, err = fmt.Fprintf(w, "\n%s.json\n%s.svg\n", base, base)
	}
	return err
}
