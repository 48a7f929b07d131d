package failover

import "time"

// Bounds of the steps. A pause is a sum of these at the worst; at the best a
// failover takes a fraction of a second.
const (
	quickStep   = time.Second // an order to a node that answers, a publication
	fenceStep   = time.Second // the old master may be away; nobody waits for it longer
	quietStep   = 150 * time.Millisecond
	sealStep    = 2 * time.Second
	drainStep   = 10 * time.Second // of a failover; the first that is there and good enough ends it sooner
	longDrain   = time.Minute      // where everybody is far behind
	shortDrain  = 2 * time.Second  // of a switchover, which is given up then
	loseStep    = time.Minute      // the size of what is given up decides
	promoteStep = 5 * time.Second
	eventsStep  = 10 * time.Second
	demoteStep  = 10 * time.Second
	saveStep    = 5 * time.Minute
	copyStep    = 12 * time.Hour
)

// promotion are the steps from the commit point on, which is the first of them.
// They are the same for every change of master, and a process that was killed
// among them goes through those behind the first again.
func promotion(from, to string) []Step {
	return []Step{
		{StepRecord, to, quickStep, false, say("put %s on disk as the master, and %s as fenced; then publish it: FROM HERE ON THE ONLY WAY IS FORWARD", or(to, "the chosen one"), from)},
		{StepPromote, to, promoteStep, false, "stop and forget its replication, flush its binary log; it stays read-only"},
		{StepAttach, to, promoteStep, false, "follow it: from now on its commits wait until they are stored"},
		{StepOpen, to, quickStep, false, "make it writable"},
		{StepRelease, "", quickStep, false, "publish it as open: whoever waited goes on"},
		{StepEvents, to, eventsStep, true, say("enable the events there that ran on %s", from)},
	}
}

// returning are the steps that make a slave of a former master.
func returning(node string) []Step {
	return []Step{
		{StepDemote, node, demoteStep, false, "no commit waits any more, its events are disabled, and what it has is compared with what is stored"},
		{StepUnfence, node, quickStep, false, "trust it again: it is a slave"},
	}
}

// named puts the chosen node into the steps that had none yet.
func named(steps []Step, from, to string) []Step {
	out := make([]Step, 0, len(steps))
	fresh := promotion(from, to)
	for _, step := range steps {
		for _, f := range fresh {
			if f.Kind == step.Kind {
				step.Node, step.Says = f.Node, f.Says
			}
		}
		out = append(out, step)
	}
	return out
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
