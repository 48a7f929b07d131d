package admin

import (
	"fmt"
	"net/http"
	"time"

	"github.com/bellwether-db/bellwether/cluster"
)

// isMaster is /is-master of a node: whether a write there would be served now.
func (n nodeCalls) isMaster(w http.ResponseWriter, _ *http.Request) {
	answer := `{"isMaster":false}`
	if n.notMaster() == "" {
		answer = `{"isMaster":true}`
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// A client that has gone needs no answer.
	_, _ = w.Write([]byte(answer))
}

// master is /master of a node.
func (n nodeCalls) master(w http.ResponseWriter, r *http.Request) { verdictOn(w, r, n.notMaster()) }

// slave is /slave of a node, with max_lag as a span of time.
func (n nodeCalls) slave(w http.ResponseWriter, r *http.Request) {
	limit, p := maxLag(r)
	if p != nil {
		p.Instance = r.URL.Path
		p.write(w)
		return
	}
	verdictOn(w, r, n.notSlave(limit))
}

// ready is /readyz of a node: whether it serves what its role has it serve.
func (n nodeCalls) ready(w http.ResponseWriter, r *http.Request) {
	t := n.parts.Topologies.Load()
	if m := t.MasterNode(); m != nil && m.Name == n.at() {
		verdictOn(w, r, n.notMaster())
		return
	}
	verdictOn(w, r, n.notSlave(0))
}

// notMaster says why the node serves no writes now, "" where it does.
func (n nodeCalls) notMaster() string {
	t := n.parts.Topologies.Load()
	switch m := t.MasterNode(); {
	case n.stopping.Load():
		return "Bellwether is shutting down"
	case m != nil && m.Name != n.at():
		return fmt.Sprintf("the master is %s", m.Name)
	}
	return notReady(t)
}

// notSlave says why the node serves no reads as a slave now, or not within a lag,
// 0 for any; "" where it does.
func (n nodeCalls) notSlave(limit time.Duration) string {
	t := n.parts.Topologies.Load()
	i := t.Find(n.at())
	switch {
	case n.stopping.Load():
		return "Bellwether is shutting down"
	case i < 0:
		return "this address is no node's any more"
	case i == t.Master:
		return t.Nodes[i].Name + " is the master"
	}
	return idle(&t.Nodes[i], limit)
}

// idle says why a node serves no reads as a slave, or not within a lag.
func idle(n *cluster.Node, limit time.Duration) string {
	switch {
	case n.Health != cluster.HealthUp:
		return n.Name + " is " + n.Health.String() + because(n.Problem)
	case n.Touched != "":
		return n.Name + " was " + n.Touched
	case n.Maintenance:
		return n.Name + " is in maintenance"
	case n.Drain, n.Weight == 0:
		return n.Name + " is to serve no reads"
	case !n.Readable():
		return n.Name + " serves no reads" + because(n.Problem)
	case limit > 0 && (!n.LagKnown || n.Lag > limit):
		return fmt.Sprintf("%s is not known to be within %v of the master", n.Name, limit)
	}
	return ""
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// maxLag reads the parameter of that name, 0 where there is none.
func maxLag(r *http.Request) (time.Duration, *problem) {
	text := r.URL.Query().Get("max_lag")
	if text == "" {
		return 0, nil
	}
	limit, err := time.ParseDuration(text)
	if err != nil || limit <= 0 {
		return 0, badParameter("max_lag: %q is not a span of time as 2s or 500ms", text)
	}
	return limit, nil
}

// verdictOn answers by status code: ok where there is no reason against it.
func verdictOn(w http.ResponseWriter, r *http.Request, reason string) {
	if reason == "" {
		writeText(w, "ok\n")
		return
	}
	problem{Type: kindUnavailable, Title: "not ready", Status: http.StatusServiceUnavailable, Detail: reason, Instance: r.URL.Path}.write(w)
}
