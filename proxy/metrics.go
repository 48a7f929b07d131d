package proxy

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/proxy/backend"
	"github.com/bellwether-db/bellwether/proxy/trace"
	"github.com/bellwether-db/bellwether/router"
	"github.com/bellwether-db/bellwether/wire"
)

const (
	kinds = 17 // router.KindUnknown to router.KindAdmin
	// Latencies are told in powers of two of 16 us, up to 16 s and beyond.
	latencyUnit    = 16 * time.Microsecond
	latencyBuckets = 21
)

// Metrics counts what the proxy does. A statement costs it a few atomic adds;
// the labels are made when the metrics are read. Any goroutine may use it.
type Metrics struct {
	statements [kinds][numRanOn][router.NumReasons]atomic.Uint64
	latency    [numRanOn]latency
	pins       [router.NumPins]atomic.Uint64
	clients    atomic.Int64
	holds      atomic.Uint64
	cancels    atomic.Uint64
	panics     atomic.Uint64
	errors     atomic.Uint64 // that clients were told
	tracer     atomic.Pointer[trace.Tracer]
	pressure   pressureMetrics
	reads      readMetrics
	// Bytes of statements from clients and of answers to them.
	bytesIn, bytesOut atomic.Uint64
	logins            struct{ accepted, refused atomic.Uint64 }
	failures          *prometheus.CounterVec

	losses  lossMetrics
	holding *holding

	pools *backend.Pools
	store *cluster.Store
}

type latency struct {
	histogram
	sum atomic.Uint64 // nanoseconds
}

// NewMetrics registers the proxy's metrics.
func NewMetrics(registry prometheus.Registerer, pools *backend.Pools, store *cluster.Store) *Metrics {
	m := &Metrics{holding: &holding{}, pools: pools, store: store, failures: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bellwether_errors_total",
		Help: "Errors by the side that they came from (client, node, proxy) and MySQL error number, 0 for a broken connection.",
	}, []string{"side", "code"})}
	registry.MustRegister(m, m.failures)
	return m
}

// statement counts one statement that a node has answered, and returns what that is.
func (m *Metrics) statement(k router.Kind, target router.Target, r router.Reason, t *cluster.Topology, node string, took time.Duration) ranOn {
	at := ranOnNode(target, masterName(t), node)
	m.statements[min(int(k), kinds-1)][at][min(r, router.NumReasons-1)].Add(1)
	l := &m.latency[at]
	l.add(took)
	l.sum.Add(uint64(took))
	return at
}

// failure counts an error; a side that is not known is the proxy itself.
func (m *Metrics) failure(side wire.Side, code uint16) {
	if code != 0 {
		m.errors.Add(1)
	}
	name := side.String()
	if side == wire.SideUnknown {
		name = "proxy"
	}
	m.failures.WithLabelValues(name, strconv.Itoa(int(code))).Inc()
}

func (m *Metrics) pinned(p router.Pin) { m.pins[p].Add(1) }

var (
	statementsDesc = prometheus.NewDesc("bellwether_statements_total",
		"Statements answered, by class, the kind of node that ran them, and the reason why there.",
		[]string{"class", "target", "reason"}, nil)
	latencyDesc = prometheus.NewDesc("bellwether_statement_duration_seconds",
		"Time from sending a statement to a node until its answer was relayed.", []string{"target"}, nil)
	readsDesc = prometheus.NewDesc("bellwether_reads_total",
		"Reads by what they may not miss (consistency) and by way: on a slave that was known to show it, on one that was waited for, "+
			"on the master, on the master after a wait; timeout counts waits in vain.", []string{"consistency", "way"}, nil)
	pinsDesc = prometheus.NewDesc("bellwether_pins_total",
		"Times that a session became bound to its connection, by the first reason.", []string{"reason"}, nil)
	clientsDesc = prometheus.NewDesc("bellwether_clients", "Clients that are connected.", nil, nil)
	holdsDesc   = prometheus.NewDesc("bellwether_holds_total", "Statements that had to wait for a master.", nil, nil)
	delayDesc   = prometheus.NewDesc("bellwether_write_delay_seconds",
		"How long each write waits now before it begins, because no slave keeps up.", nil, nil)
	delayedDesc = prometheus.NewDesc("bellwether_delayed_writes_total", "Writes that had to wait because no slave kept up.", nil, nil)
	delaysDesc  = prometheus.NewDesc("bellwether_write_delay_seconds_total", "Time that those waited.", nil, nil)
	cancelsDesc = prometheus.NewDesc("bellwether_cancelled_statements_total",
		"Statements ended on their node because their client left or asked for it.", nil, nil)
	panicsDesc = prometheus.NewDesc("bellwether_session_panics_total",
		"Sessions ended by a defect of Bellwether.", nil, nil)
	spansDesc = prometheus.NewDesc("bellwether_trace_spans_total",
		"Spans of statements, by what became of them: sent, dropped because too many waited, failed because the collector did not take them.",
		[]string{"outcome"}, nil)
	bytesDesc = prometheus.NewDesc("bellwether_client_bytes_total",
		"Bytes of statements from clients, and of answers to them.", []string{"direction"}, nil)
	loginsDesc = prometheus.NewDesc("bellwether_logins_total", "Logins, by how they ended.", []string{"outcome"}, nil)
	poolDesc   = prometheus.NewDesc("bellwether_pool_connections",
		"Connections to a node, by state: leased to a statement or a pinned session, or free.", []string{"node", "state"}, nil)
	outstandingDesc = prometheus.NewDesc("bellwether_node_outstanding_statements",
		"Statements that run on a node now.", []string{"node"}, nil)
)

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range [...]*prometheus.Desc{statementsDesc, readsDesc, latencyDesc, pinsDesc, clientsDesc, holdsDesc, cancelsDesc,
		delayDesc, delayedDesc, delaysDesc, spansDesc,
		panicsDesc, bytesDesc, loginsDesc, poolDesc, outstandingDesc} {
		ch <- d
	}
	for _, d := range lossDescs {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge(clientsDesc, float64(m.clients.Load()))
	counter(holdsDesc, m.holds.Load())
	gauge(delayDesc, time.Duration(m.pressure.delay.Load()).Seconds())
	counter(delayedDesc, m.pressure.statements.Load())
	ch <- prometheus.MustNewConstMetric(delaysDesc, prometheus.CounterValue, time.Duration(m.pressure.waited.Load()).Seconds())
	counter(cancelsDesc, m.cancels.Load())
	counter(panicsDesc, m.panics.Load())
	counter(bytesDesc, m.bytesIn.Load(), "in")
	counter(bytesDesc, m.bytesOut.Load(), "out")
	counter(loginsDesc, m.logins.accepted.Load(), "accepted")
	counter(loginsDesc, m.logins.refused.Load(), "refused")
	for p := range m.pins {
		if n := m.pins[p].Load(); n > 0 {
			counter(pinsDesc, n, router.Pin(p).String())
		}
	}
	m.losses.collect(m.holding, gauge, counter)
	if tracer := m.tracer.Load(); tracer != nil {
		sent, dropped, failed := tracer.Counts()
		counter(spansDesc, sent, "sent")
		counter(spansDesc, dropped, "dropped")
		counter(spansDesc, failed, "failed")
	}
	m.collectStatements(counter)
	m.reads.collect(func(c router.Consistency, w readWay, n uint64) { counter(readsDesc, n, c.String(), w.String()) })
	m.collectLatency(ch)
	m.collectNodes(gauge)
}

func (m *Metrics) collectStatements(counter func(*prometheus.Desc, uint64, ...string)) {
	for k := range m.statements {
		for t := range m.statements[k] {
			for r := range m.statements[k][t] {
				if n := m.statements[k][t][r].Load(); n > 0 {
					counter(statementsDesc, n, router.Kind(k).String(), ranOn(t).String(), router.Reason(r).String())
				}
			}
		}
	}
}

func (m *Metrics) collectLatency(ch chan<- prometheus.Metric) {
	for on := ranMaster; on < numRanOn; on++ {
		l, total, next := &m.latency[on], uint64(0), 0
		buckets := make(map[float64]uint64, latencyBuckets)
		for i := range l.buckets {
			total += l.buckets[i].Load()
			if next < latencyBuckets && bucketEnd(i) == latencyUnit<<next {
				buckets[(latencyUnit << next).Seconds()] = total
				next++
			}
		}
		ch <- prometheus.MustNewConstHistogram(latencyDesc, total, time.Duration(l.sum.Load()).Seconds(), buckets, on.String())
	}
}

func (m *Metrics) collectNodes(gauge func(*prometheus.Desc, float64, ...string)) {
	for _, n := range m.store.Load().Nodes {
		stats := m.pools.Stats(n.Name)
		if stats == nil {
			continue
		}
		total, leased := m.pools.Counts(n.Name)
		gauge(poolDesc, float64(leased), n.Name, "leased")
		gauge(poolDesc, float64(total-leased), n.Name, "free")
		gauge(outstandingDesc, float64(stats.Outstanding.Load()), n.Name)
	}
}

var (
	heldDesc      = prometheus.NewDesc("bellwether_held_statements", "Statements that wait for a master now.", nil, nil)
	heldBytesDesc = prometheus.NewDesc("bellwether_held_bytes", "Bytes of the statements that wait for a master now.", nil, nil)
	heldEndsDesc  = prometheus.NewDesc("bellwether_held_statements_total",
		"Statements that had waited for a master, by how that ended: served, timeout, full (too many waited), left (killed).", []string{"outcome"}, nil)
	outcomesDesc = prometheus.NewDesc("bellwether_write_outcomes_total",
		"Writes whose answer was lost, by what was found out: committed, not committed (and run again), unknown (the client got an error).",
		[]string{"outcome"}, nil)
	rebuiltDesc = prometheus.NewDesc("bellwether_committed_writes_total",
		"Writes whose answer was lost and that took effect, by what the client was told: an OK for a statement or a commit, or an error that names the GTID.",
		[]string{"answer"}, nil)
	replaysDesc = prometheus.NewDesc("bellwether_replays_total",
		"Transactions whose connection was lost, by what became of them: replayed, or rolled back because an answer differs, because they are unfit, or by timeout.",
		[]string{"outcome"}, nil)
)

var lossDescs = [...]*prometheus.Desc{heldDesc, heldBytesDesc, heldEndsDesc, outcomesDesc, rebuiltDesc, replaysDesc}

// collect tells all of it.
func (m *lossMetrics) collect(h *holding, gauge func(*prometheus.Desc, float64, ...string), counter func(*prometheus.Desc, uint64, ...string)) {
	gauge(heldDesc, float64(h.clients.Load()))
	gauge(heldBytesDesc, float64(h.bytes.Load()))
	for i := range h.ends {
		counter(heldEndsDesc, h.ends[i].Load(), holdEnd(i).String())
	}
	for i := range m.outcomes {
		counter(outcomesDesc, m.outcomes[i].Load(), OutcomeState(i).String())
	}
	for i := range m.rebuilt {
		counter(rebuiltDesc, m.rebuilt[i].Load(), rebuilt(i).String())
	}
	for i := range m.replays {
		counter(replaysDesc, m.replays[i].Load(), replayEnd(i).String())
	}
}
