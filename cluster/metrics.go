package cluster

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are what the probes count, and what is published of the nodes at the
// moment when it is asked for. It is safe for concurrent use; a nil *Metrics
// counts nothing.
type Metrics struct {
	showing sync.Mutex            // held while the gauges are set and told
	store   atomic.Pointer[Store] // whose topology is shown; nil: none yet

	up, readable, lag, lagGTIDs, running *prometheus.GaugeVec
	role, failing, beatAge, beatPending  *prometheus.GaugeVec
	probes, identities, beats            *prometheus.CounterVec
	duration, beatDuration               *prometheus.HistogramVec
	generation                           prometheus.Gauge
	catalogue                            prometheus.Counter
}

// NewMetrics registers the metrics of the room.
func NewMetrics(r prometheus.Registerer) *Metrics {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, append([]string{"node"}, labels...))
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, append([]string{"node"}, labels...))
	}
	m := &Metrics{
		up:          gauge("bellwether_node_up", "1 while the probes say that the node is up."),
		readable:    gauge("bellwether_node_readable", "1 while the node is a slave that may serve reads."),
		lag:         gauge("bellwether_node_lag_seconds", "How far the slave is behind the master; -1 if not known."),
		lagGTIDs:    gauge("bellwether_node_lag_gtids", "Transactions of the master that the slave has not applied."),
		running:     gauge("bellwether_node_threads_running", "Statements that run on the node, seen every few probes."),
		role:        gauge("bellwether_node_role", "1 for the node's present role.", "role"),
		failing:     gauge("bellwether_node_failing_seconds", "Since when the probes of the node fail in a row; 0 while they are answered."),
		beatAge:     gauge("bellwether_heartbeat_age_seconds", "How long ago the heartbeat was last written on the master; -1 before the first time."),
		beatPending: gauge("bellwether_heartbeat_pending_seconds", "How long a heartbeat has been waiting to be written; 0 while none waits."),
		beats:       counter("bellwether_heartbeats_total", "Heartbeats on the master by outcome: written, failed.", "outcome"),
		probes:      counter("bellwether_node_probes_total", "Probes by outcome.", "outcome"),
		identities:  counter("bellwether_node_identity_changes_total", "How often another server answered at the node's address."),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "bellwether_node_probe_duration_seconds", Help: "How long the probes took.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 12),
		}, []string{"node"}),
		beatDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "bellwether_heartbeat_duration_seconds", Help: "How long the heartbeats took, those that failed as well.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
		}, []string{"node"}),
		generation: prometheus.NewGauge(prometheus.GaugeOpts{Name: "bellwether_generation", Help: "The generation of the published topology."}),
		catalogue:  prometheus.NewCounter(prometheus.CounterOpts{Name: "bellwether_catalogue_reads_total", Help: "How often the schemas were read."}),
	}
	r.MustRegister(published{m}, m.probes, m.identities, m.duration, m.catalogue, m.beats, m.beatDuration)
	return m
}

// published tells the gauges, as the topology is when it is asked: what was
// changed before, a switchover that was answered, shows.
type published struct{ *Metrics }

// Describe implements prometheus.Collector.
func (p published) Describe(out chan<- *prometheus.Desc) {
	p.generation.Describe(out)
	for _, g := range p.gauges() {
		g.Describe(out)
	}
}

// Collect implements prometheus.Collector.
func (p published) Collect(out chan<- prometheus.Metric) {
	p.showing.Lock()
	defer p.showing.Unlock()
	for _, g := range p.gauges() {
		g.Reset() // a node may be gone
	}
	if store := p.store.Load(); store != nil {
		p.show(store.Load())
	}
	p.generation.Collect(out)
	for _, g := range p.gauges() {
		g.Collect(out)
	}
}

// gauges are those by node.
func (m *Metrics) gauges() []*prometheus.GaugeVec {
	return []*prometheus.GaugeVec{m.up, m.readable, m.lag, m.lagGTIDs, m.running, m.role, m.failing, m.beatAge, m.beatPending}
}

// of has the topology of a store be shown from now on.
func (m *Metrics) of(store *Store) {
	if m != nil {
		m.store.Store(store)
	}
}

// probed counts one probe.
func (m *Metrics) probed(node string, outcome Outcome, took time.Duration) {
	if m == nil {
		return
	}
	m.probes.WithLabelValues(node, outcome.String()).Inc()
	m.duration.WithLabelValues(node).Observe(took.Seconds())
}

// beat counts one heartbeat.
func (m *Metrics) beat(node string, written bool, took time.Duration) {
	if m == nil {
		return
	}
	outcome := "failed"
	if written {
		outcome = "written"
	}
	m.beats.WithLabelValues(node, outcome).Inc()
	m.beatDuration.WithLabelValues(node).Observe(took.Seconds())
}

// another counts a change of a node's identity.
func (m *Metrics) another(node string) {
	if m != nil {
		m.identities.WithLabelValues(node).Inc()
	}
}

// catalogued counts one reading of the schemas.
func (m *Metrics) catalogued() {
	if m != nil {
		m.catalogue.Inc()
	}
}

// show sets the gauges to what is published. It is called with showing held.
func (m *Metrics) show(t *Topology) {
	m.generation.Set(float64(t.Generation))
	for i := range t.Nodes {
		m.showNode(&t.Nodes[i])
	}
}

func (m *Metrics) showNode(n *Node) {
	lag := -1.0
	if n.LagKnown {
		lag = n.Lag.Seconds()
	}
	m.up.WithLabelValues(n.Name).Set(oneIf(n.Health == HealthUp))
	m.readable.WithLabelValues(n.Name).Set(oneIf(n.Readable()))
	m.lag.WithLabelValues(n.Name).Set(lag)
	m.lagGTIDs.WithLabelValues(n.Name).Set(float64(n.LagGTIDs))
	m.running.WithLabelValues(n.Name).Set(float64(n.Running))
	m.failing.WithLabelValues(n.Name).Set(ago(n.Failing, 0))
	m.showHeartbeat(n)
	for _, role := range []Role{RoleMaster, RoleSlave} {
		m.role.WithLabelValues(n.Name, role.String()).Set(oneIf(n.Role == role))
	}
}

// showHeartbeat shows it where there is one: on the master.
func (m *Metrics) showHeartbeat(n *Node) {
	if n.Role != RoleMaster {
		return
	}
	m.beatAge.WithLabelValues(n.Name).Set(ago(n.Heartbeat.Written, -1))
	m.beatPending.WithLabelValues(n.Name).Set(ago(n.Heartbeat.Pending, 0))
}

// ago returns the seconds since a time, and otherwise where there is none.
func ago(at time.Time, otherwise float64) float64 {
	if at.IsZero() {
		return otherwise
	}
	return time.Since(at).Seconds()
}

// forget drops what was counted of a node that was removed.
func (m *Metrics) forget(node string) {
	if m == nil {
		return
	}
	label := prometheus.Labels{"node": node}
	m.probes.DeletePartialMatch(label)
	m.identities.DeletePartialMatch(label)
	m.duration.DeletePartialMatch(label)
	m.beats.DeletePartialMatch(label)
	m.beatDuration.DeletePartialMatch(label)
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
