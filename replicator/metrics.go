package replicator

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics tells Prometheus of a replicator when it asks. Any goroutine may use
// it.
type Metrics struct {
	replicator *Replicator

	connected, protected, heard                *prometheus.Desc
	transactions, bytes, syncs, syncTime, acks *prometheus.Desc
	streams, slave, unprotected                *prometheus.Desc
	reads, sent, behindBytes, behind, since    *prometheus.Desc
}

// NewMetrics makes a collector; registering it is the caller's.
func NewMetrics(r *Replicator) *Metrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("bellwether_replication_"+name, help, labels, nil)
	}
	return &Metrics{
		replicator:   r,
		connected:    desc("upstream_connected", "1 while the master's binary log is being read."),
		protected:    desc("protected", "1 while every commit of the master waits until it is in the stored log."),
		heard:        desc("upstream_silence_seconds", "Time since the master last said anything, heartbeats included."),
		transactions: desc("stored_transactions_total", "Transactions stored."),
		bytes:        desc("stored_bytes_total", "Bytes of binary log that came from the master."),
		syncs:        desc("stored_syncs_total", "How often the stored log was flushed to disk."),
		syncTime:     desc("stored_sync_seconds_total", "Time that those took."),
		acks:         desc("acknowledged_total", "Acknowledgements to the master; one may stand for many transactions."),
		unprotected:  desc("unprotected_writes_total", "Writes that policy degrade let go on before they were stored."),
		streams:      desc("streams", "Connections that read the stored log."),
		reads:        desc("stream_connected", "1 while the slave reads the stored log.", "slave"),
		sent:         desc("stream_bytes_total", "Bytes of the stored log that the slave was sent.", "slave"),
		behindBytes:  desc("stream_behind_bytes", "Bytes of the stored log that the slave has yet to be sent.", "slave"),
		behind:       desc("stream_behind_transactions", "Transactions that these are; on MariaDB at most.", "slave"),
		since:        desc("stream_state_seconds", "For how long the slave has been connected, or not.", "slave"),
		slave:        desc("slave", "1 for the state that the slave's replication is in.", "node", "state"),
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		m.connected, m.protected, m.heard, m.transactions, m.bytes, m.syncs, m.syncTime, m.acks, m.unprotected,
		m.streams, m.reads, m.sent, m.behindBytes, m.behind, m.since, m.slave,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	s := m.replicator.Status()
	for _, slave := range s.Slaves {
		out <- prometheus.MustNewConstMetric(m.slave, prometheus.GaugeValue, 1, slave.Node.Name, slave.Verdict.State.String())
	}
	if s.Feed != FeedRelay {
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v)
	}
	gauge(m.connected, number(s.Upstream.Connected))
	gauge(m.protected, number(s.Protected))
	if !s.Upstream.Heard.IsZero() {
		gauge(m.heard, time.Since(s.Upstream.Heard).Seconds())
	}
	counter(m.transactions, float64(s.Upstream.Transactions))
	counter(m.bytes, float64(s.Upstream.Bytes))
	counter(m.syncs, float64(s.Upstream.Syncs))
	counter(m.syncTime, s.Upstream.SyncTime.Seconds())
	counter(m.unprotected, float64(m.replicator.unprotectedWrites.Load()))
	counter(m.acks, float64(s.Upstream.Acknowledged))
	gauge(m.streams, float64(len(s.Downstream)))
	for name, stream := range streamsOf(s) {
		began := stream.Since
		if !stream.Until.IsZero() {
			began = stream.Until
		}
		gauge(m.reads, number(stream.Until.IsZero()), name)
		gauge(m.behindBytes, float64(stream.BehindBytes), name)
		gauge(m.behind, float64(stream.BehindTransactions), name)
		gauge(m.since, time.Since(began).Seconds(), name)
		out <- prometheus.MustNewConstMetric(m.sent, prometheus.CounterValue, float64(stream.Before+stream.Bytes), name)
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
