package admin

import (
	"context"
	"time"
)

// The pace of the watch.
const (
	watchTick   = time.Second            // for traffic, and all that changes all the time
	watchGap    = 50 * time.Millisecond  // between two looks, however much happens
	historyLook = 200 * time.Millisecond // incidents do not say when they change
)

// watch tells readers of events what changes. It belongs to one goroutine.
type watch struct {
	server *Server
	// steady and whole are what was told last, by kind of event: without what
	// changes all the time, and all of it.
	steady, whole map[string]string
	// incidents and orders are told ones, by id.
	incidents, orders map[string]string
}

// over is what stands for a told one that does not change any more.
const over = "over"

// watch looks until ctx ends.
func (s *Server) watch(ctx context.Context) error {
	w := &watch{server: s, steady: map[string]string{}, whole: map[string]string{}}
	w.history(false) // what was before is no news
	w.ordered(false)
	tick, look := time.NewTicker(watchTick), time.NewTicker(historyLook)
	defer tick.Stop()
	defer look.Stop()
	for {
		_, ordered := s.operations.Records()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			w.traffic()
			w.look(true)
		case <-look.C:
			if s.events.watched() {
				w.look(false)
			}
		case <-w.outdated():
			w.look(false)
			w.rest(ctx)
		case <-ordered:
			w.ordered(true)
			w.rest(ctx)
		}
	}
}

// outdated is closed with the next change of the nodes; nil while nobody reads.
func (w *watch) outdated() <-chan struct{} {
	if !w.server.events.watched() {
		return nil
	}
	return w.server.parts.Topologies.Load().Outdated()
}

// rest lets more happen before the next look.
func (w *watch) rest(ctx context.Context) {
	timer := time.NewTimer(watchGap)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// look tells what is new; what changes all the time only at a tick.
func (w *watch) look(tick bool) {
	view, nodes, problems := w.server.cluster(), w.server.nodesNow(), ProblemsView{w.server.problemsNow()}
	aged := view
	aged.UptimeSeconds = 0
	w.tell("cluster", view, tagOfValue(view.steady()), tagOfValue(aged), tick)
	w.tell("nodes", nodes, tagOfValue(nodes.steady()), tagOfValue(nodes), tick)
	w.tell("problems", problems, tagOfValue(problems.steady()), tagOfValue(problems), tick)
	w.history(true)
	w.ordered(true)
}

func (w *watch) tell(kind string, document any, steady, whole string, tick bool) {
	if steady == w.steady[kind] && (!tick || whole == w.whole[kind]) {
		return
	}
	w.steady[kind], w.whole[kind] = steady, whole
	w.server.events.publish(kind, document)
}

// traffic makes a point of what was counted.
func (w *watch) traffic() {
	if w.server.parts.Traffic == nil {
		return
	}
	if p, ok := w.server.traffic.take(time.Now(), w.server.parts.Traffic.Counters()); ok {
		w.server.events.publish("traffic", p)
	}
}

// history tells of incidents that are new or go on.
func (w *watch) history(tell bool) {
	if w.server.parts.History == nil {
		return
	}
	told := map[string]string{}
	for _, i := range w.server.parts.History.Incidents() {
		told[i.ID] = w.one("incident", w.incidents[i.ID], i, i.Running, tell)
	}
	w.incidents = told
}

// ordered tells of operations that are new or go on.
func (w *watch) ordered(tell bool) {
	told := map[string]string{}
	records, _ := w.server.operations.Records()
	for _, r := range records {
		told[r.ID] = w.one("operation", w.orders[r.ID], r, r.Ended == nil, tell)
	}
	w.orders = told
}

// one tells of one thing if it is another than was told, and returns what is
// told now.
func (w *watch) one(kind, before string, document any, runs, tell bool) string {
	if before == over && !runs {
		return over
	}
	tag := tagOfValue(document)
	if tell && tag != before {
		w.server.events.publish(kind, document)
	}
	if !runs {
		return over
	}
	return tag
}
