package failover

import (
	"time"

	"pgregory.net/rapid"

	"github.com/bellwether-db/bellwether/cluster"
)

// drawView draws any view, also one that could hardly be.
func drawView(t *rapid.T) View {
	v := View{Now: storyNow, Policy: drawPolicy(t), Stream: drawStream(t), Last: drawTime(t, "last"),
		Writes: cluster.Writes(rapid.IntRange(0, 3).Draw(t, "writes")),
		Lock:   rapid.SampledFrom([]string{"", "", "", "held by another"}).Draw(t, "lock")}
	v.Record = State{Master: rapid.SampledFrom([]string{"db1", "db1", "db1", "db1", "", "db9"}).Draw(t, "master"), Identity: "id1"}
	if rapid.IntRange(0, 4).Draw(t, "fenced") == 0 {
		v.Record.Fenced = []Fenced{{Node: "db2", Identity: "id2"}}
	}
	if rapid.IntRange(0, 4).Draw(t, "promotion") == 0 {
		v.Record.Promotion = &Promotion{Kind: "failover", From: "db2", End: rapid.SampledFrom([]string{"", "nonsense", uuidOf('a')[:35] + "0:1-99"}).Draw(t, "promised")}
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "nodes") {
		v.Nodes = append(v.Nodes, drawNode(t, i+1))
	}
	return v
}

func drawPolicy(t *rapid.T) Policy {
	names := [][]string{nil, nil, {"db2"}, {"db3", "db2"}}
	return Policy{
		Automatic: rapid.Bool().Draw(t, "automatic"), Window: time.Duration(rapid.IntRange(0, 60).Draw(t, "window")) * time.Second,
		MaxLoss: uint64(rapid.SampledFrom([]int{0, 0, 1, 5, 1000}).Draw(t, "loss")),
		Prefer:  rapid.SampledFrom(names).Draw(t, "prefer"), Never: rapid.SampledFrom(names).Draw(t, "never"),
		DataCentre: rapid.SampledFrom([]map[string]string{nil, {"db1": "x", "db3": "x"}}).Draw(t, "dc"),
		Frozen:     2 * time.Second, Rejoin: Rejoin(rapid.IntRange(0, 2).Draw(t, "rejoin")),
	}
}

func drawStream(t *rapid.T) StreamView {
	return StreamView{
		Direct: rapid.Bool().Draw(t, "direct"), Known: rapid.IntRange(0, 5).Draw(t, "known") > 0, Connected: rapid.Bool().Draw(t, "connected"),
		Since: drawTime(t, "stream since"), Heard: drawTime(t, "heard"), Stored: drawTime(t, "stored"),
		Failing: rapid.SampledFrom([]string{"", "", "", "disk full"}).Draw(t, "failing"), End: drawSet(t, "stored end"), Whole: rapid.IntRange(0, 5).Draw(t, "whole") > 0,
	}
}

func drawNode(t *rapid.T, number int) cluster.Node {
	name := "db" + string(rune('0'+number))
	rare := func(what string) bool { return rapid.IntRange(0, 9).Draw(t, name+" "+what) == 0 }
	n := cluster.Node{
		Name: name, Addr: name + ":3306", Drain: rare("drain"), Maintenance: rare("maintenance"), Fenced: rare("fenced"),
		Health: cluster.Health(rapid.SampledFrom([]int{2, 1, 1, 1, 0}).Draw(t, name+" health")), Flavour: cluster.FlavourMySQL,
		Version: rapid.SampledFrom([]string{"", "8.0.36", "8.4.3", "9.1.0-commercial", "no version"}).Draw(t, name+" version"), Identity: "id" + name[2:],
		ReadOnly: rapid.Bool().Draw(t, name+" readonly"), Replication: cluster.Replication(rapid.IntRange(0, 5).Draw(t, name+" replication")),
		LagKnown: rapid.Bool().Draw(t, name+" lag known"), Lag: time.Duration(rapid.IntRange(0, 20).Draw(t, name+" lag")) * time.Second,
		Applied: drawSet(t, name+" has"), Since: drawTime(t, name+" since"), Asked: drawTime(t, name+" asked"), Seen: drawTime(t, name+" seen"),
		Outcome: cluster.Outcome(rapid.IntRange(0, 6).Draw(t, name+" outcome")), Failing: drawTime(t, name+" failing"), Hurt: drawTime(t, name+" hurt"),
	}
	if rare("touched") {
		n.Touched = "a change by hand"
	}
	n.Late, n.LagGTIDs = rare("late"), uint64(n.Lag/time.Second)
	n.Heartbeat = cluster.Heartbeat{Written: drawTime(t, name+" written"), Pending: drawTime(t, name+" pending"),
		Wait:    rapid.SampledFrom([]string{"", "", "Waiting for global read lock", "Waiting for semi-sync ACK from replica", "updating"}).Draw(t, name+" wait"),
		Problem: rapid.SampledFrom([]string{"", "", "", "denied"}).Draw(t, name+" problem")}
	n.Settings = cluster.Settings{Read: drawTime(t, name+" read"), LogBin: !rare("nolog"), LogUpdates: !rare("noupdates"), DiskFull: rare("full"), BinlogFormat: "ROW"}
	if rare("other server") {
		n.Identity = rapid.SampledFrom([]string{"", "id1", "id2", "id9"}).Draw(t, name+" identity")
	}
	if rare("other family") {
		n.Flavour = cluster.FlavourMariaDB
	}
	return n
}
