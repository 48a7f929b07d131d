package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/admin/operation"
	"github.com/bellwether-db/bellwether/cmd/bellwether/internal/meanwhile"
	"github.com/bellwether-db/bellwether/failover"
)

// operations is the house as the admin server operates it. It is safe for
// concurrent use, once the house is built.
type operations struct{ *house }

var (
	_ admin.Operator = operations{}
	_ admin.History  = operations{}
)

// Plan implements admin.Operator.
func (o operations) Plan(_ context.Context, asked operation.Request) (operation.Plan, error) {
	plan := operation.Plan{Kind: asked.Kind}
	switch asked.Kind {
	case "switchover", "failover":
		p := o.controller.DryRun(recovery(asked.Kind), order(asked))
		plan.Refusal, plan.Text = p.Refusal, p.Text()
	case "reload":
		plan.Refusal, plan.Text = o.planReload()
	default:
		job, err := o.prepare(asked)
		if plan.Text = job.Says; err != nil {
			plan.Refusal = err.Error()
		}
	}
	return plan, nil
}

// Prepare implements admin.Operator.
func (o operations) Prepare(_ context.Context, asked operation.Request) (operation.Job, error) {
	job, err := o.prepare(asked)
	if err != nil {
		return job, fmt.Errorf("%w: %w", operation.ErrRefused, err)
	}
	return job, nil
}

// prepare returns how an order is carried out, or why it must not be.
func (o operations) prepare(asked operation.Request) (operation.Job, error) {
	switch asked.Kind {
	case "switchover", "failover":
		return o.prepareChange(asked)
	case "sync":
		return o.prepareSync(asked.Node)
	case "verify":
		return o.prepareVerify(asked)
	case "reload":
		return operation.Job{Says: "the configuration is read again", Alone: "reload", Do: o.carryOutReload}, nil
	}
	return operation.Job{}, fmt.Errorf("there is no operation %q", asked.Kind)
}

func recovery(kind string) failover.Recovery {
	if kind == failover.RecoveryFailover.String() {
		return failover.RecoveryFailover
	}
	return failover.RecoverySwitchover
}

func order(asked operation.Request) failover.Order {
	return failover.Order{Given: true, To: asked.To, Reason: asked.Reason, Force: asked.Force}
}

// incidentLook is how often the record of a change of roles is looked at.
const incidentLook = 20 * time.Millisecond

// prepareChange is a change of who is master.
func (o operations) prepareChange(asked operation.Request) (operation.Job, error) {
	plan := o.controller.DryRun(recovery(asked.Kind), order(asked))
	if plan.Refusal != "" {
		return operation.Job{}, fmt.Errorf("%s", plan.Refusal)
	}
	says := fmt.Sprintf("%s: %s gives way to %s", asked.Kind, plan.From, plan.To)
	return operation.Job{Says: says, Alone: "roles", Do: func(ctx context.Context, tell *operation.Teller) (operation.Outcome, error) {
		return o.changeRoles(ctx, asked, tell)
	}}, nil
}

// changeRoles has the controller carry an order out, and tells of the incident's
// steps meanwhile.
func (o operations) changeRoles(ctx context.Context, asked operation.Request, tell *operation.Teller) (operation.Outcome, error) {
	carryOut := o.controller.Switchover
	if recovery(asked.Kind) == failover.RecoveryFailover {
		carryOut = o.controller.Failover
	}
	begun, told := time.Now(), -1
	var i failover.Incident
	err := meanwhile.Every(ctx, incidentLook, func() {
		if i, ok := o.incidentSince(asked.Kind, begun); ok && len(i.Steps) != told {
			told = len(i.Steps)
			tellIncident(i, tell)
		}
	}, func(ctx context.Context) (err error) {
		i, err = carryOut(ctx, order(asked))
		return err
	})
	if i.ID == "" {
		i, _ = o.incidentSince(asked.Kind, begun)
	}
	tellIncident(i, tell)
	if err != nil {
		return operation.Outcome{}, err
	}
	return operation.Outcome{Says: i.To + " is the master. " + i.Story(), Result: i}, nil
}

// incidentSince is the latest record of a kind that began since.
func (o operations) incidentSince(kind string, begun time.Time) (failover.Incident, bool) {
	for _, i := range slices.Backward(o.controller.Incidents()) {
		if i.Kind == kind && !i.Begun.Before(begun) {
			return i, true
		}
	}
	return failover.Incident{}, false
}

func tellIncident(i failover.Incident, tell *operation.Teller) {
	if i.ID == "" {
		return
	}
	steps := make([]operation.Step, len(i.Steps))
	for n, s := range i.Steps {
		took := inMilliseconds(s.Took)
		steps[n] = operation.Step{Step: s.Step, Node: s.Node, Begun: s.Begun.UTC(), TookMS: &took, Says: s.Says, Error: s.Error}
	}
	tell.Incident(i.ID)
	tell.Steps(steps)
}

// Incidents implements admin.History.
func (o operations) Incidents() []admin.Incident {
	all := o.controller.Incidents()
	shown := make([]admin.Incident, len(all))
	for n, i := range all {
		shown[n] = admin.Incident{ID: i.ID, Running: i.Outcome == failover.OutcomeRunning, Shown: i}
	}
	return shown
}

// Problems implements admin.History.
func (o operations) Problems() []admin.Problem {
	all := o.controller.Problems()
	shown := make([]admin.Problem, len(all))
	for n, p := range all {
		d := p.Kind.Definition()
		shown[n] = admin.Problem{
			Kind: p.Kind.String(), Node: p.Node, Priority: d.Priority.String(),
			Description: d.Description, Asks: d.Asks.String(), Evidence: slices.Clone(p.Evidence),
		}
	}
	return shown
}
