package cluster

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are what the probes count. It is safe for concurrent use; a nil
// *Metrics counts nothing.
type Metrics struct {
	up, readable, lag, lagGTIDs, running *prometheus.GaugeVec
	role                                 *prometheus.GaugeVec
	probes, identities                   *prometheus.CounterVec
	duration                             *prometheus.HistogramVec
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
		up:         gauge("bellwether_node_up", "1 while the probes say that the node is up."),
		readable:   gauge("bellwether_node_readable", "1 while the node is a slave that may serve reads."),
		lag:        gauge("bellwether_node_lag_seconds", "How far the slave is behind the master; -1 if not known."),
		lagGTIDs:   gauge("bellwether_node_lag_gtids", "Transactions of the master that the slave has not applied."),
		running:    gauge("bellwether_node_threads_running", "Statements that run on the node, seen every few probes."),
		role:       gauge("bellwether_node_role", "1 for the node's present role.", "role"),
		probes:     counter("bellwether_node_probes_total", "Probes by outcome.", "outcome"),
		identities: counter("bellwether_node_identity_changes_total", "How often another server answered at the node's address."),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "bellwether_node_probe_duration_seconds", Help: "How long the probes took.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 12),
		}, []string{"node"}),
		generation: prometheus.NewGauge(prometheus.GaugeOpts{Name: "bellwether_generation", Help: "The generation of the published topology."}),
		catalogue:  prometheus.NewCounter(prometheus.CounterOpts{Name: "bellwether_catalogue_reads_total", Help: "How often the schemas were read."}),
	}
	r.MustRegister(m.up, m.readable, m.lag, m.lagGTIDs, m.running, m.role, m.probes, m.identities, m.duration, m.generation, m.catalogue)
	return m
}

// probed counts one probe.
func (m *Metrics) probed(node string, outcome Outcome, took time.Duration) {
	if m == nil {
		return
	}
	m.probes.WithLabelValues(node, outcome.String()).Inc()
	m.duration.WithLabelValues(node).Observe(took.Seconds())
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

// show sets the gauges to what is published.
func (m *Metrics) show(t *Topology) {
	if m == nil {
		return
	}
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
	for _, role := range []Role{RoleMaster, RoleSlave} {
		m.role.WithLabelValues(n.Name, role.String()).Set(oneIf(n.Role == role))
	}
}

// forget drops what is shown of a node that was removed.
func (m *Metrics) forget(node string) {
	if m == nil {
		return
	}
	label := prometheus.Labels{"node": node}
	for _, g := range []*prometheus.GaugeVec{m.up, m.readable, m.lag, m.lagGTIDs, m.running, m.role} {
		g.DeletePartialMatch(label)
	}
	m.probes.DeletePartialMatch(label)
	m.identities.DeletePartialMatch(label)
	m.duration.DeletePartialMatch(label)
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
