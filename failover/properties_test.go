package failover

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwether-db/bellwether/cluster"
)

// Diagnose takes any view, and the gravest comes first.
func TestDiagnoseAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawView(t)
		problems := Diagnose(v)
		master := newSight(v).master
		for i, p := range problems {
			d := p.Kind.Definition()
			if p.Kind == KindUnknown || strings.Contains(p.String(), "%!") || strings.Contains(p.String(), "\n\n") {
				t.Errorf("%q", p.String())
			}
			if i > 0 && d.Priority > problems[i-1].Kind.Definition().Priority {
				t.Errorf("%v after %v", p.Kind, problems[i-1].Kind)
			}
			if p.Kind == KindMasterDead || p.Kind == KindMasterFrozen {
				wantAgreement(t, v, master, p)
			}
		}
		if again := Diagnose(v); len(again) != len(problems) {
			t.Errorf("%d problems, then %d", len(problems), len(again))
		}
	})
}

// wantAgreement: a master is dead only where its probe and its stream agree.
func wantAgreement(t *rapid.T, v View, master *cluster.Node, p Problem) {
	if master.Failing.IsZero() && master.Heartbeat.Pending.IsZero() {
		t.Errorf("%v, and neither probe nor write fails", p.Kind)
	}
	silent := v.Now.Sub(v.Stream.Heard) >= v.Policy.Frozen || v.Now.Sub(v.Stream.Stored) >= v.Policy.Frozen && !master.Heartbeat.Pending.IsZero()
	if !v.Stream.Direct && (v.Stream.Failing != "" || !v.Stream.Known || v.Stream.Connected && !silent) {
		t.Errorf("%v, and the stream does not agree", p.Kind)
	}
	receiving := func(n cluster.Node) bool {
		return n.Name != master.Name && n.Health == cluster.HealthUp && n.Replication == cluster.ReplicationRunning
	}
	if v.Stream.Direct && !master.Failing.IsZero() && slices.ContainsFunc(v.Nodes, receiving) {
		t.Errorf("%v, and a slave receives from it", p.Kind)
	}
}

// A plan names nobody who must not be master, and is refused or has steps.
func TestPlanAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, o := drawView(t), drawOrder(t)
		p := Problem{}
		if problems := Diagnose(v); len(problems) > 0 {
			p = problems[0]
		}
		plans := []Plan{PlanFor(v, p), PlanFailover(v, p, o), PlanFailover(v, p, Order{}), PlanSwitchover(v, o), PlanReopen(v), PlanFinish(v)}
		for _, n := range v.Nodes {
			plans = append(plans, PlanRejoin(v, n.Name), PlanErrant(v, n.Name, n.Applied))
		}
		for _, plan := range plans {
			wantPlan(t, v, o, plan)
		}
	})
}

func wantPlan(t *rapid.T, v View, o Order, p Plan) {
	text := p.Text()
	if strings.Contains(text, "%!") || !strings.HasSuffix(text, "\n") {
		t.Errorf("%q", text)
	}
	if p.Kind != RecoveryNone && (p.Refusal == "") != (len(p.Steps) > 0) {
		t.Errorf("refusal %q and %d steps", p.Refusal, len(p.Steps))
	}
	if p.Refusal == "" && p.Kind != RecoveryNone && p.Kind != RecoveryHold && v.Lock != "" {
		t.Errorf("acts without the lock:\n%s", text)
	}
	last := StepUnknown
	for _, step := range p.Steps {
		if step.Kind <= last && last != StepCopy || step.Deadline <= 0 || step.Says == "" {
			t.Errorf("step %v after %v:\n%s", step, last, text)
		}
		last = step.Kind
	}
	if p.Refusal == "" && (p.Kind == RecoveryFailover || p.Kind == RecoverySwitchover) {
		wantTarget(t, v, o, p)
	}
}

// wantTarget: the one who is to be master may be.
func wantTarget(t *rapid.T, v View, o Order, p Plan) {
	i := slices.IndexFunc(v.Nodes, func(n cluster.Node) bool { return n.Name == p.To })
	if i < 0 || p.To == v.Record.Master {
		t.Fatalf("to %q", p.To)
	}
	n := v.Nodes[i]
	if n.Health != cluster.HealthUp || n.Touched != "" || n.Maintenance || n.Fenced || v.Record.Distrusts(n.Name, n.Identity) || n.Settings.DiskFull {
		t.Errorf("to %+v", n)
	}
	if slices.Contains(v.Policy.Never, n.Name) && !o.Force {
		t.Errorf("to %s, which never is master", n.Name)
	}
	if !v.Stream.Direct && (!v.Stream.Known || v.Stream.Failing != "" || !v.Stream.Whole && !o.Force) {
		t.Errorf("%v without a stored log: %+v", p.Kind, v.Stream)
	}
}

// Nobody is chosen who lacks more than the policy allows, and nobody is passed
// over for one who has less: against a dumb twin.
func TestChooseAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, o := drawView(t), drawOrder(t)
		end := drawSet(t, "end")
		applied := map[string]*cluster.GTIDSet{}
		for _, n := range v.Nodes {
			applied[n.Name] = drawSet(t, n.Name)
		}
		c, refusal := Choose(v, o, end, applied)
		if (refusal == "") == (c.Node == "") {
			t.Fatalf("chosen %q, refused %q", c.Node, refusal)
		}
		if rather := Rather(v, o, end, applied); rather != "" && rather == c.Node && c.Lost == nil {
			t.Errorf("rather %s, which is there", rather)
		}
		if refusal != "" || end == nil {
			return
		}
		if p := v.Record.Promotion; p != nil {
			promised, err := cluster.ParseGTIDSet(cluster.FlavourMySQL, p.End)
			if err != nil {
				t.Fatalf("chosen %s, and what was promised is unreadable", c.Node)
			}
			end = end.Union(promised)
		}
		has := applied[c.Node]
		if lacks := has.Lacks(end); has == nil || lacks > v.Policy.MaxLoss || (lacks > 0) != (c.Lost != nil) {
			t.Errorf("chosen %s with %v of %v, lost %v", c.Node, has, end, c.Lost)
		}
		if c.Lost != nil && !has.Union(c.Lost).ContainsSet(end) {
			t.Errorf("lost %v of %v, has %v", c.Lost, end, has)
		}
		for _, other := range c.Candidates {
			if other.Fit && applied[other.Node].Lacks(end) < has.Lacks(end) {
				t.Errorf("chosen %s with %v, but %s has %v", c.Node, has, other.Node, applied[other.Node])
			}
		}
	})
}

// drawSet draws a set out of few, so that they meet.
func drawSet(t *rapid.T, name string) *cluster.GTIDSet {
	text := rapid.SampledFrom([]string{"", "-", "a:1-100", "a:1-99", "a:1-97", "a:1-100,b:1-2", "a:1-50:60-100"}).Draw(t, name)
	if text == "" {
		return nil
	}
	for i := range len(letters) {
		text = strings.ReplaceAll(text, letters[i:i+1]+":", uuidOf(letters[i])[:35]+"0:")
	}
	set, err := cluster.ParseGTIDSet(cluster.FlavourMySQL, strings.Trim(text, "-"))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func drawOrder(t *rapid.T) Order {
	return Order{Given: true, To: rapid.SampledFrom([]string{"", "db1", "db2", "db3", "db9"}).Draw(t, "to"), Force: rapid.Bool().Draw(t, "force")}
}

// drawTime draws a moment before or a little behind now, or none.
func drawTime(t *rapid.T, name string) time.Time {
	ms := rapid.SampledFrom([]int{-1, 0, 20, 300, 900, 1600, 2500, 7000, 40000, 4000000}).Draw(t, name)
	if ms < 0 {
		return time.Time{}
	}
	return storyNow.Add(-time.Duration(ms) * time.Millisecond)
}
