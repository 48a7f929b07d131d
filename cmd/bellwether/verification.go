package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/bellwether-db/bellwether/admin/operation"
	"github.com/bellwether-db/bellwether/cluster"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/meanwhile"
	"github.com/bellwether-db/bellwether/replicator/control"
	"github.com/bellwether-db/bellwether/replicator/verify"
)

// verifyTell is how often the progress of a verification is told.
const verifyTell = 200 * time.Millisecond

// verified is what was found of all slaves that were compared. It is a value.
type verified struct {
	Equal bool           `json:"equal"`
	Nodes []verifiedNode `json:"nodes"`
}

// verifiedNode is what was found of one slave. It is a value.
type verifiedNode struct {
	Node        string   `json:"node"`
	Equal       bool     `json:"equal"`
	Tables      int      `json:"tables"`
	Rows        uint64   `json:"rows"`
	Chunks      int      `json:"chunks"`
	Rechecked   int      `json:"rechecked"`
	Locked      int      `json:"locked"`
	Differences []string `json:"differences"`
	Undecided   []string `json:"undecided"`
}

// prepareVerify compares the slave named, or with "" one after the other.
func (o operations) prepareVerify(asked operation.Request) (operation.Job, error) {
	targets, err := slavesToTake(o.store.Load(), asked.Node)
	if err != nil {
		return operation.Job{}, err
	}
	says := strings.Join(targets, ", ") + ": every row and definition is compared with the master's while writes go on; nothing is changed"
	return operation.Job{Says: says, Alone: "verify", Cancellable: true, Do: func(ctx context.Context, tell *operation.Teller) (operation.Outcome, error) {
		return o.verify(ctx, targets, asked.Options, tell)
	}}, nil
}

// verify compares one slave after the other.
func (o operations) verify(ctx context.Context, targets []string, options operation.Options, tell *operation.Teller) (operation.Outcome, error) {
	all := verified{Equal: true, Nodes: []verifiedNode{}}
	var said []string
	for i, node := range targets {
		part := func(done float64) { tell.Progress((float64(i) + done) / float64(len(targets))) }
		err := o.step(tell, "verify", node, func() (string, error) {
			found, err := o.compare(ctx, node, options, tell, part)
			all.Equal = all.Equal && found.Equal
			all.Nodes = append(all.Nodes, found)
			said = append(said, found.String())
			return found.String(), err
		})
		if err != nil {
			all.Equal = false
			return operation.Outcome{Result: all}, err
		}
	}
	tell.Progress(1)
	return operation.Outcome{Says: strings.Join(said, "; "), Result: all}, nil
}

// compare compares one slave, and takes its mark away where it is equal.
func (o operations) compare(ctx context.Context, node string, options operation.Options, tell *operation.Teller, part func(float64)) (verifiedNode, error) {
	t := o.store.Load()
	i, master := t.Find(node), t.MasterNode()
	if i < 0 || master == nil || i == t.Master {
		return verifiedNode{Node: node}, fmt.Errorf("compare %s: it is no slave of a master any more", node)
	}
	equal, err := o.examine(ctx, t.Nodes[i])
	if err != nil {
		return verifiedNode{Node: node}, err
	}
	v := verify.New(verify.Config{
		Source: controlled(master), Target: controlled(&t.Nodes[i]), Nodes: o.running().ClusterConfig(),
		ChunkTime: span(options.ChunkMS, time.Millisecond), LockTime: span(options.LockMS, time.Millisecond), Patience: span(options.PatienceSeconds, time.Second),
	})
	var report verify.Report
	err = meanwhile.Every(ctx, verifyTell, func() {
		p := v.Progress()
		tell.Says(node + ": " + p.String())
		part(float64(p.TablesDone) / float64(max(p.Tables, 1)))
	}, func(ctx context.Context) (err error) {
		report, err = v.Run(ctx)
		return err
	})
	found := verifiedNode{
		Node: node, Equal: err == nil && report.Equal(), Tables: report.Tables, Rows: report.Rows, Chunks: report.Chunks,
		Rechecked: report.Rechecked, Locked: report.Locked, Differences: []string{}, Undecided: append([]string{}, report.Undecided...),
	}
	for _, d := range report.Differences {
		found.Differences = append(found.Differences, d.String())
	}
	if found.Equal {
		_, err = equal()
	}
	return found, err
}

// String is a line for people.
func (v verifiedNode) String() string {
	verdict := "equal"
	if !v.Equal {
		verdict = fmt.Sprintf("%d differences, %d undecided", len(v.Differences), len(v.Undecided))
	}
	return fmt.Sprintf("%s: %s (%d tables, %d rows)", v.Node, verdict, v.Tables, v.Rows)
}

func controlled(n *cluster.Node) control.Node {
	return control.Node{Name: n.Name, Addr: n.Addr, Identity: n.Identity}
}

// span is a number of units; zero and less is the usual.
func span(n float64, unit time.Duration) time.Duration {
	return time.Duration(max(n, 0) * float64(unit))
}
