package failover

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what the controller sees and does. It is safe for concurrent
// use; a nil *Metrics counts nothing.
type Metrics struct {
	present    *prometheus.GaugeVec
	recoveries *prometheus.CounterVec
	steps      *prometheus.HistogramVec
	waited     *prometheus.HistogramVec
}

// NewMetrics registers the metrics of the controller.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		present: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "bellwether_problems", Help: "Problems that are there now, by kind and node.",
		}, []string{"kind", "node", "priority"}),
		recoveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellwether_recoveries_total", Help: "Recoveries that ended, by kind (failover, switchover, rejoin) and outcome.",
		}, []string{"kind", "outcome"}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "bellwether_recovery_step_seconds", Help: "Time of each step of a recovery.", Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 14),
		}, []string{"step", "result"}),
		waited: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "bellwether_recovery_pause_seconds", Help: "How long new writes waited in a recovery, by kind.", Buckets: prometheus.ExponentialBuckets(0.01, 2, 13),
		}, []string{"kind"}),
	}
	r.MustRegister(m.present, m.recoveries, m.steps, m.waited)
	for _, kind := range []Recovery{RecoveryFailover, RecoverySwitchover, RecoveryRejoin} {
		for o := OutcomeDone; o < outcomes; o++ { // a counter that begins at 1 has not increased
			m.recoveries.WithLabelValues(kind.String(), o.String())
		}
	}
	return m
}

func (m *Metrics) problems(all []Problem) {
	if m == nil {
		return
	}
	m.present.Reset()
	for _, p := range all {
		m.present.WithLabelValues(p.Kind.String(), p.Node, p.Kind.Definition().Priority.String()).Set(1)
	}
}

func (m *Metrics) ended(kind string, o Outcome) {
	if m != nil {
		m.recoveries.WithLabelValues(kind, o.String()).Inc()
	}
}

func (m *Metrics) step(s IncidentStep) {
	if m == nil {
		return
	}
	result := "ok"
	if s.Error != "" {
		result = "failed"
	}
	m.steps.WithLabelValues(s.Step, result).Observe(s.Took.Seconds())
}

// held counts for how long writes waited in a recovery.
func (m *Metrics) held(i *Incident) {
	if m != nil && i != nil && i.Held > 0 {
		m.waited.WithLabelValues(i.Kind).Observe(i.Held.Seconds())
	}
}
